#pragma once

#include "store/memory/state.hpp"
#include <ragstone/base/filter.hpp>
#include <ragstone/base/stop.hpp>
#include <ragstone/index/bm25.hpp>
#include <ragstone/index/index.hpp>
#include <ragstone/index/term_weight.hpp>
#include <ragstone/store/snapshot.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace ragstone::memory {

/// The column's parts with their dead rows.
std::vector<segment::SparseView> views_of(const SparseColumn& column);
/// The same where rows of another signature count as dead.
std::vector<segment::SparseView> views_of(const SparseColumn& column, std::string_view signature);

/// The rows of a column under one signature.
struct SparseRowsOf {
  std::vector<segment::SparseView> views;
  segment::SparseTotals totals;
};
/// `signature` empty: all. The cost grows with the rows only where there are some of other signatures.
SparseRowsOf rows_of(const SparseColumn& column, std::string_view signature);

/// Which nodes may be hits.
struct SearchFilter {
  const Filter& filter;
  const std::vector<std::string>& fields;  ///< Declared ones, ascending.
};

/// See StoreSnapshot::search_terms(); `filter` is that of `search`.
TermHits search_terms(const SparseColumn& column, const TermSearch& search, const SearchFilter& filter,
                      const StopToken& stop);

/// See StoreSnapshot::search_vectors(); `filter` is that of `search`.
VectorHits search_vectors(const GroupState& group, const VectorSearch& search, const SearchFilter& filter,
                          const StopToken& stop);

}  // namespace ragstone::memory
