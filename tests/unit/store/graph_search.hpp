#pragma once

#include "store/segment/dense_search.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <span>
#include <vector>

namespace ragstone::segment {

/// Along the graph, even where a scan would cost less.
inline DenseHits search(const std::vector<DenseView>& views, std::span<const float> vector, Metric metric,
                        std::size_t k, std::size_t ef = 0, const RowFilter* filter = nullptr) {
  DenseQuery query;
  query.queries = vector;
  query.dimension = vector.size();
  query.metric = metric;
  query.k = k;
  query.ef = ef;
  query.filter = filter;
  query.by_graph = true;
  return search_dense(views, query, {});
}

inline double recall(const std::vector<ScoredNode>& found, const std::vector<ScoredNode>& nearest) {
  const std::set<NodeId> expected = [&] {
    std::set<NodeId> ids;
    for (const ScoredNode& hit : nearest) ids.insert(hit.id);
    return ids;
  }();
  const auto right =
      std::count_if(found.begin(), found.end(), [&](const ScoredNode& h) { return expected.contains(h.id); });
  return static_cast<double>(right) / static_cast<double>(expected.size());
}

}  // namespace ragstone::segment
