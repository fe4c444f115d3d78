#include "index/graph/graph.hpp"

#include <ragstone/base/error.hpp>

#include <algorithm>
#include <string>

namespace ragstone::graph {

void throw_corrupt_graph(const char* reason) {
  throw Error(Errc::corrupt_store, std::string("graph: ") + reason + "; verify the store, then recover it");
}

std::uint32_t metric_code(Metric metric) noexcept {
  switch (metric) {
    case Metric::cosine:
      return 1;
    case Metric::inner_product:
      return 2;
    case Metric::l2:
      return 3;
    case Metric::hamming:
      break;
  }
  return 0;
}

Metric metric_of(const GraphHeader& header) noexcept {
  for (const Metric metric : {Metric::cosine, Metric::inner_product})
    if (metric_code(metric) == header.metric) return metric;
  return Metric::l2;
}

CodeFactor code_factor(Metric metric, float scale, double norm) noexcept {
  if (metric == Metric::l2) return {2 * scale, static_cast<float>(norm * norm)};
  if (metric == Metric::inner_product) return {scale, 0};
  return {norm > 0 ? static_cast<float>(double{scale} / norm) : 0, 0};
}

Graph::Graph(const GraphHeader& header, std::span<const std::uint32_t> links, std::span<const std::uint32_t> upper,
             std::span<const std::uint32_t> originals, std::span<const std::uint32_t> copies)
    : header_(header), links_(links), originals_(originals), copies_(copies) {
  if (header.nodes == 0 || header.nodes > kMostNodes || header.entry >= header.nodes)
    throw_corrupt_graph("impossible entry");
  if (header.metric == 0 || header.metric > 3 || header.degree == 0 || header.degree > 4096 ||
      header.upper_degree == 0 || header.upper_degree > 4096 || header.measured > header.recalls.size())
    throw_corrupt_graph("impossible header");
  if (links.size() != std::size_t{header.nodes} * header.degree)
    throw_corrupt_graph("links of another number of nodes");
  if (originals.size() != copies.size() || copies.size() >= header.nodes)
    throw_corrupt_graph("copies of another number of rows");
  if (header.upper_levels > 64) throw_corrupt_graph("too many levels");
  for (std::uint32_t level = 0; level < header.upper_levels; ++level) {
    if (upper.empty() || upper[0] == 0 || upper[0] > header.nodes) throw_corrupt_graph("impossible level");
    const std::size_t nodes = upper[0];
    const std::size_t of_links = nodes * header.upper_degree;
    if (upper.size() - 1 < nodes || upper.size() - 1 - nodes < of_links) throw_corrupt_graph("a level is cut off");
    upper_.push_back({upper.subspan(1, nodes), upper.subspan(1 + nodes, of_links)});
    upper = upper.subspan(1 + nodes + of_links);
  }
  if (!upper.empty()) throw_corrupt_graph("more levels than its header says");
  scratches_ = std::make_shared<ScratchPool>(header.nodes);
}

std::span<const std::uint32_t> Graph::copies(std::uint32_t node) const {
  const auto [begin, end] = std::equal_range(originals_.begin(), originals_.end(), node);
  // In damaged bytes, where nothing ascends, too.
  if (begin >= end) return {};
  const auto found =
      copies_.subspan(static_cast<std::size_t>(begin - originals_.begin()), static_cast<std::size_t>(end - begin));
  for (const std::uint32_t row : found)
    if (row >= header_.nodes) throw_corrupt_graph("a copy is no row");
  return found;
}

double Graph::best_recall() const noexcept {
  if (header_.measured == 0) return header_.nodes < kMeasuringShare ? 1 : 0;
  float best = 0;
  for (std::uint32_t i = 0; i < header_.measured; ++i) best = std::max(best, header_.recalls[i].recall);
  return double{best};
}

std::size_t Graph::ef_for(double recall, std::size_t k) const noexcept {
  constexpr std::size_t kUnmeasured = 64;
  std::size_t ef = kUnmeasured;
  for (std::uint32_t i = 0; i < header_.measured; ++i) {
    ef = std::clamp<std::size_t>(header_.recalls[i].ef, 1, 65'536);
    if (header_.recalls[i].recall >= static_cast<float>(recall)) break;
  }
  return k <= kMeasuredHits ? std::max(ef, k) : ef + (k - kMeasuredHits) * std::max<std::size_t>(1, ef / kMeasuredHits);
}

}  // namespace ragstone::graph
