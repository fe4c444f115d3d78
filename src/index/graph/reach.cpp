#include "index/graph/reach.hpp"

#include "index/graph/walk.hpp"

#include <algorithm>
#include <cstddef>
#include <unordered_set>

namespace ragstone::graph {
namespace {

// A link that leads to a node which nothing else led to may take the place of another that did so: once more, then.
constexpr std::size_t kRounds = 64;
constexpr std::size_t kNeighbours = 64;

/// Marks what can be reached from a node that is not marked.
void mark(const BuiltGraph& graph, std::uint32_t node, std::vector<bool>& seen) {
  std::vector<std::uint32_t> waiting = {node};
  seen[node] = true;
  while (!waiting.empty()) {
    const std::size_t first = std::size_t{waiting.back()} * graph.header.degree;
    waiting.pop_back();
    for (std::size_t i = first; i < first + graph.header.degree && graph.links[i] != kNone; ++i) {
      if (seen[graph.links[i]]) continue;
      seen[graph.links[i]] = true;
      waiting.push_back(graph.links[i]);
    }
  }
}

class Mending {
 public:
  Mending(const CodeRows& rows, Metric metric, BuiltGraph& graph, const StopToken& stop)
      : rows_(rows), metric_(metric), graph_(graph), view_(graph.view()), poll_(stop) {}

  /// False if all could be reached.
  bool round() {
    std::vector<bool> seen(graph_.header.nodes);
    for (const std::uint32_t copy : graph_.copies) seen[copy] = true;
    mark(graph_, graph_.header.entry, seen);
    bool any = false;
    for (std::uint32_t node = 0; node < graph_.header.nodes; ++node) {
      if (seen[node]) continue;
      any = true;
      link_to(node);
      mark(graph_, node, seen);
    }
    return any;
  }

 private:
  void link_to(std::uint32_t node) {
    CodeVector query;
    query.codes.assign(rows_.row(node), rows_.row(node) + rows_.dimension);
    query.scale = rows_.factors[node].factor * (metric_ == Metric::l2 ? 0.5F : 1.0F);
    const WalkOptions options{kNeighbours, kNeighbours, nullptr};
    const std::vector<Near> near = walk(view_, rows_, query, options, poll_).nearest;
    // What was linked before may lead to it by now.
    if (std::any_of(near.begin(), near.end(), [&](const Near& n) { return n.node == node; })) return;
    std::uint32_t* best = nullptr;
    for (const Near& one : near) {
      std::uint32_t* const place = place_for(one.node);
      if (place == nullptr || (best != nullptr && *place != kNone)) continue;
      best = place;
      if (*place == kNone) break;
    }
    if (best == nullptr) return;
    *best = node;
    ours_.insert(best - graph_.links.data());
    // Of a node without any, the first way out.
    std::uint32_t* const first = &graph_.links[std::size_t{node} * graph_.header.degree];
    if (*first == kNone) *first = near.front().node;
  }

  /// Where a node may have another link: the first that is free, or the last that was not put there by this; null:
  /// none.
  std::uint32_t* place_for(std::uint32_t node) {
    const auto links = std::span(graph_.links).subspan(std::size_t{node} * graph_.header.degree, graph_.header.degree);
    if (links.back() == kNone) return &*std::find(links.begin(), links.end(), kNone);
    for (std::size_t i = links.size(); i-- > links.size() / 2;)
      if (!ours_.contains(&links[i] - graph_.links.data())) return &links[i];
    return nullptr;
  }

  const CodeRows& rows_;
  const Metric metric_;
  BuiltGraph& graph_;
  const Graph view_;
  kernel::StopPoll poll_;
  std::unordered_set<std::ptrdiff_t> ours_;  ///< Places of links that were put there.
};

}  // namespace

void make_reachable(const CodeRows& rows, Metric metric, BuiltGraph& graph, const StopToken& stop) {
  Mending mending(rows, metric, graph, stop);
  for (std::size_t round = 0; round < kRounds && mending.round(); ++round) {
  }
}

}  // namespace ragstone::graph
