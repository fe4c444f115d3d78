#pragma once

#include "store/segment/sparse_part.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace ragstone::test {

/// What segment::search_sparse() is to find without a filter, by adding up every posting of every term: the oracle of
/// tests, and the peer of benchmarks. `parameters` null: by the inner product.
std::vector<ScoredNode> search_every_posting(std::span<const segment::SparseView> parts,
                                             const segment::SparseTotals& totals, std::span<const TermWeight> terms,
                                             const Bm25Parameters* parameters, std::size_t k);

}  // namespace ragstone::test
