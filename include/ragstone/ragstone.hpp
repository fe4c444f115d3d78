#pragma once

// Everything an application needs, in one include.
#include <ragstone/async/deadline.hpp>
#include <ragstone/async/gather.hpp>
#include <ragstone/async/limiter.hpp>
#include <ragstone/async/observer.hpp>
#include <ragstone/async/offload.hpp>
#include <ragstone/async/runtime.hpp>
#include <ragstone/async/stream.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/base/filter.hpp>
#include <ragstone/base/metadata.hpp>
#include <ragstone/base/node.hpp>
#include <ragstone/base/source.hpp>
#include <ragstone/index/linear_index.hpp>
#include <ragstone/model/chat_model.hpp>
#include <ragstone/model/function_embedder.hpp>
#include <ragstone/model/hashing_embedder.hpp>
#include <ragstone/model/reranker.hpp>
#include <ragstone/model/store.hpp>
#include <ragstone/rag/document.hpp>
#include <ragstone/rag/rerank.hpp>
#include <ragstone/rag/retriever.hpp>
#include <ragstone/reader/chunker.hpp>
#include <ragstone/reader/reader.hpp>
