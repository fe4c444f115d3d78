#include "vector/measure.hpp"

#include "store/segment/image_sink.hpp"

#include <memory>
#include <utility>

namespace ragstone::bench {

double recall(const Found& found, const Found& truth) {
  std::size_t right = 0, all = 0;
  for (std::size_t q = 0; q < truth.size(); ++q) {
    all += truth[q].size();
    for (const std::uint32_t row : found[q])
      right += std::find(truth[q].begin(), truth[q].end(), row) != truth[q].end() ? 1 : 0;
  }
  return all == 0 ? 1 : static_cast<double>(right) / static_cast<double>(all);
}

void compare_times(Report& report, const std::string& name, const VectorSet& set, const Times& ours,
                   const Times& theirs) {
  const double us = 1e6 / static_cast<double>(set.asked());
  report.cost_ratio(name + ", us a query", us * ours.cpu, us * theirs.cpu);
  report.cost_ratio(name + ", us a query by the clock", us * ours.wall, us * theirs.wall);
}

segment::DenseView part_of(const VectorSet& set, const segment::DenseForm& form, const Parallel* parallel) {
  std::vector<segment::RowKey> keys;
  for (std::size_t i = 0; i < set.rows(); ++i) keys.push_back({i + 1, 1, {}});
  const auto dimension = static_cast<std::uint32_t>(set.dimension);
  auto part = std::make_shared<const segment::DensePart>(
      segment::heap_image(segment::build_dense(1, dimension, keys, set.base)));
  if (!form.graph && !form.bits && !form.nibbles) return {part, {}};
  segment::StringSink image;
  const std::vector<segment::DenseView> plain = {{part, {}}};
  segment::merge_dense(1, plain, image, {}, form, parallel);
  return {std::make_shared<const segment::DensePart>(segment::heap_image(std::move(image).take())), {}};
}

segment::DenseForm with_graph(const VectorSet& set) {
  segment::DenseForm form;
  form.graph = graph::BuildOptions{set.metric, 16, 200};
  form.graph_rows = 1;
  return form;
}

Found search_ours(const VectorSet& set, const std::vector<segment::DenseView>& views, segment::DenseQuery query,
                  std::size_t a_pass, std::size_t k) {
  Found found;
  query.dimension = set.dimension;
  query.metric = set.metric;
  query.k = k;
  for (std::size_t q = 0; q < set.asked(); q += a_pass) {
    const std::size_t count = std::min(a_pass, set.asked() - q);
    query.queries = std::span(set.queries).subspan(q * set.dimension, count * set.dimension);
    for (const auto& hits : segment::search_dense(views, query, {}).hits) {
      found.emplace_back();
      for (const ScoredNode& hit : hits) found.back().push_back(static_cast<std::uint32_t>(hit.id - 1));
    }
  }
  return found;
}

Found search_peer(const VectorSet& set, const VectorPeer& peer) {
  Found found;
  for (std::size_t q = 0; q < set.asked(); ++q) found.push_back(peer.search(set.query(q), kHits));
  return found;
}

}  // namespace ragstone::bench
