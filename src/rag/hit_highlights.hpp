#pragma once

#include "rag/document_core.hpp"
#include <ragstone/async/call_context.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/rag/retriever.hpp>

#include <memory>
#include <vector>

namespace ragstone {

/// Fills in the highlights of all hits, on the pool. `documents`: those that Hit::document numbers; the retrieval of
/// each query has its place.
Task<std::vector<Retrieval>> with_highlights(std::vector<std::shared_ptr<DocumentCore>> documents,
                                             std::shared_ptr<const RetrieverOptions> options,
                                             std::shared_ptr<const std::vector<Query>> queries,
                                             std::vector<Retrieval> retrievals, CallContext context);

}  // namespace ragstone
