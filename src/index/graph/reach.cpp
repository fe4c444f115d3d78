#include "index/graph/reach.hpp"

#include "index/graph/walk.hpp"

#include <algorithm>

namespace ragstone::graph {
namespace {

constexpr std::size_t kRounds = 16;
constexpr std::size_t kNeighbours = 64;

std::vector<bool> reached(const BuiltGraph& graph) {
  std::vector<bool> seen(graph.header.nodes);
  for (const std::uint32_t copy : graph.copies) seen[copy] = true;
  std::vector<std::uint32_t> waiting = {graph.header.entry};
  seen[graph.header.entry] = true;
  while (!waiting.empty()) {
    const std::size_t first = std::size_t{waiting.back()} * graph.header.degree;
    waiting.pop_back();
    for (std::size_t i = first; i < first + graph.header.degree && graph.links[i] != kNone; ++i) {
      if (seen[graph.links[i]]) continue;
      seen[graph.links[i]] = true;
      waiting.push_back(graph.links[i]);
    }
  }
  return seen;
}

std::span<std::uint32_t> links_of(BuiltGraph& graph, std::uint32_t node) {
  return std::span(graph.links).subspan(std::size_t{node} * graph.header.degree, graph.header.degree);
}

bool is_full(std::span<const std::uint32_t> links) { return links.back() != kNone; }

void add_link(std::span<std::uint32_t> links, std::uint32_t to) {
  const auto free = std::find(links.begin(), links.end(), kNone);
  (free == links.end() ? links.back() : *free) = to;
}

}  // namespace

void make_reachable(const CodeRows& rows, Metric metric, BuiltGraph& graph, const StopToken& stop) {
  kernel::StopPoll poll(stop);
  for (std::size_t round = 0; round < kRounds; ++round) {
    const std::vector<bool> seen = reached(graph);
    bool all = true;
    for (std::uint32_t node = 0; node < graph.header.nodes; ++node) {
      if (seen[node]) continue;
      all = false;
      const Graph view = graph.view();
      CodeVector query;
      query.codes.assign(rows.row(node), rows.row(node) + rows.dimension);
      query.scale = rows.factors[node].factor * (metric == Metric::l2 ? 0.5F : 1.0F);
      const WalkOptions options{kNeighbours, kNeighbours, nullptr};
      const std::vector<Near> near = walk(view, rows, query, options, poll).nearest;
      // What was linked in this round may have been found already.
      if (std::any_of(near.begin(), near.end(), [&](const Near& n) { return n.node == node; })) continue;
      auto from = std::find_if(near.begin(), near.end(), [&](const Near& n) { return !is_full(view.links(n.node)); });
      if (from == near.end()) from = near.begin() + static_cast<std::ptrdiff_t>(round % near.size());
      add_link(links_of(graph, from->node), node);
      if (links_of(graph, node).front() == kNone) add_link(links_of(graph, node), from->node);
    }
    if (all) return;
  }
}

}  // namespace ragstone::graph
