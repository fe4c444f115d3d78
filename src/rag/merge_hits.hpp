#pragma once

#include <ragstone/rag/hit.hpp>

#include <cstddef>
#include <vector>

namespace ragstone {

/// At most top_k hits of several documents as one ranking: at each place the best of the documents' next ones, of equal
/// ones that of the earlier document, so that each document's hits keep their order.
std::vector<Hit> merge_hits(std::vector<std::vector<Hit>> of_documents, std::size_t top_k);

/// Gives hits the scores of reciprocal rank fusion, 1 / (rrf_k + rank), by their places.
void score_by_ranks(std::vector<Hit>& hits, double rrf_k);

}  // namespace ragstone
