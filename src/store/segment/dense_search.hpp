#pragma once

#include "store/segment/dense_part.hpp"
#include "store/segment/flat_search.hpp"
#include <ragstone/base/parallel.hpp>
#include <ragstone/store/snapshot.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace ragstone::segment {

/// What is searched for, in parts of one column.
struct DenseQuery {
  std::span<const float> queries;  ///< [n x dimension], finite.
  std::size_t dimension = 0;
  Metric metric = Metric::cosine;
  const RowFilter* filter = nullptr;  ///< Null: all.
  std::size_t k = 10;
  bool exact = false;                  ///< No graph and no bits, even if they would be faster.
  bool by_graph = false;               ///< For tests and measurements: along the graph, whatever it costs.
  double recall = 0.97;                ///< What a graph's walk should have, see Graph::ef_for(); unless `ef` is given.
  std::size_t ef = 0;                  ///< Candidates of a walk; 0: by `recall`.
  FlatForm form = FlatForm::bits;      ///< The cheapest that flat searches may use.
  const Parallel* parallel = nullptr;  ///< Helps with large parts; null: this thread alone.
};

/// What a search of a snapshot asks of its parts; `search` and `filter` (null: all) outlive it.
DenseQuery query_of(const VectorSearch& search, const RowFilter* filter);

struct DenseHits {
  std::vector<std::vector<ScoredNode>> hits;  ///< Of each query, best first.
  std::string plan;                           ///< How the parts were searched, for people.
};

/// The k best live rows that the filter allows, over all parts. Each part is searched by a scan over all rows or the
/// selected ones, or along its graph: by what is likely to cost least.
/// Errors: Errc::dimension_mismatch, Errc::corrupt_store.
DenseHits search_dense(std::span<const DenseView> parts, const DenseQuery& query, const StopToken& stop);

/// Of one query; exact.
std::vector<ScoredNode> search_dense(std::span<const DenseView> parts, std::span<const float> query, Metric metric,
                                     const RowFilter* filter, std::size_t k, const StopToken& stop);

}  // namespace ragstone::segment
