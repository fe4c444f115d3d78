#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/model/reranker.hpp>
#include <ragstone/rag/hit.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace ragstone {

/// Hits in the reranker's order, at most `top_n`; a hit's score becomes the reranker's where it gives one, and its
/// ranks gain a member "rerank". Errors: Errc::invalid_argument for a null reranker or top_n = 0; the reranker's.
Task<std::vector<Hit>> rerank(std::shared_ptr<Reranker> reranker, std::string query, std::vector<Hit> hits,
                              std::size_t top_n, CallContext context = {});

}  // namespace ragstone
