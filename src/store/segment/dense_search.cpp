#include "index/vector_scorer.hpp"
#include "kernel/stop_poll.hpp"
#include "kernel/top_k.hpp"
#include "store/segment/dense_part.hpp"
#include <ragstone/base/error.hpp>

#include <cmath>
#include <string>
#include <utility>

namespace ragstone::segment {
namespace {

using Best = kernel::TopK<ScoredNode, ranks_before>;

constexpr std::size_t kFilterWork = 50;

class DenseSearch {
 public:
  DenseSearch(std::span<const float> query, Metric metric, const RowFilter* filter, std::size_t k,
              const StopToken& stop)
      : scorer_(query, metric), bound_(query, metric), filter_(filter), best_(k), poll_(stop) {}

  void add(const DenseView& view) {
    const DensePart& part = *view.part;
    for (std::uint32_t row = 0; row < part.rows(); ++row) {
      poll_.spend(part.dimension() / 8 + 10);
      if (view.dead.contains(row)) continue;
      const double bound = bound_.best_score(part.codes(row), part.code_scale(row), part.norm(row));
      if (!std::isnan(bound) && !best_.would_keep({part.node(row), bound})) continue;
      score(part, row);
    }
  }

  std::vector<ScoredNode> take() && { return std::move(best_).take(); }

 private:
  void score(const DensePart& part, std::uint32_t row) {
    poll_.spend(part.dimension() / 2 + (filter_ != nullptr ? kFilterWork : 0));
    if (filter_ != nullptr && !filter_->allows(part.node(row), part.source(row))) return;
    const ScoredNode hit{part.node(row), scorer_.score(part.vector(row), part.norm(row))};
    // Only damaged bytes give another.
    if (std::isfinite(hit.score)) best_.add(hit);
  }

  VectorScorer scorer_;
  CodeBound bound_;
  const RowFilter* filter_;
  Best best_;
  kernel::StopPoll poll_;
};

}  // namespace

std::vector<ScoredNode> search_dense(std::span<const DenseView> parts, std::span<const float> query, Metric metric,
                                     const RowFilter* filter, std::size_t k, const StopToken& stop) {
  for (const DenseView& part : parts)
    if (part.part->dimension() != query.size())
      throw Error(Errc::dimension_mismatch, "vector search: the query has dimension " + std::to_string(query.size()) +
                                                ", a segment has " + std::to_string(part.part->dimension()));
  if (k == 0) return {};
  DenseSearch search(query, metric, filter, k, stop);
  for (const DenseView& part : parts) search.add(part);
  return std::move(search).take();
}

}  // namespace ragstone::segment
