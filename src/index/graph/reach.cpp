#include "index/graph/reach.hpp"

#include "index/graph/walk.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>

namespace ragstone::graph {
namespace {

// What a replaced link led to may need another one: once more, then.
constexpr std::size_t kRounds = 8;
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
  Mending(const CodeRows& rows, Metric metric, const std::vector<bool>& apart, BuiltGraph& graph, const StopToken& stop)
      : rows_(rows),
        metric_(metric),
        apart_(apart),
        graph_(graph),
        view_(graph.view()),
        poll_(stop),
        given_(graph.header.nodes) {}

  /// False if no link was added: all can be reached, or there is no room.
  bool round() {
    std::vector<bool> seen = apart_;
    mark(graph_, graph_.header.entry, seen);
    bool any = false;
    for (std::uint32_t node = 0; node < graph_.header.nodes; ++node) {
      if (seen[node]) continue;
      const Outcome outcome = link_to(node);
      any |= outcome == Outcome::linked;
      if (outcome != Outcome::no_room) mark(graph_, node, seen);
    }
    return any;
  }

 private:
  enum class Outcome { linked, found, no_room };

  /// Nodes that were linked for one nearest node, in this order. Those before `next` have no room for links.
  struct Below {
    std::vector<std::uint32_t> nodes;
    std::size_t next = 0;
  };

  Outcome link_to(std::uint32_t node) {
    CodeVector query;
    query.codes.assign(rows_.row(node), rows_.row(node) + rows_.dimension);
    query.scale = rows_.factors[node].factor * (metric_ == Metric::l2 ? 0.5F : 1.0F);
    const WalkOptions options{kNeighbours, kNeighbours, nullptr};
    const std::vector<Near> near = walk(view_, rows_, query, options, poll_).nearest;
    // A walk that begins on an upper level comes to it.
    if (std::any_of(near.begin(), near.end(), [&](const Near& n) { return n.node == node; })) return Outcome::found;
    Below& below = below_[near.front().node];
    std::uint32_t* const place = place_near(near, below);
    if (place == nullptr) return Outcome::no_room;
    *place = node;
    below.nodes.push_back(node);
    // Of a node without any, the first way out.
    std::uint32_t* const first = links_of(node).data();
    if (*first == kNone) *first = near.front().node;
    return Outcome::linked;
  }

  /// Where the link goes that leads to a node; null: nowhere. By products, a few long vectors are the nearest of very
  /// many rows: what is linked there has room for others. Were more than one link of a node replaced, walks would no
  /// longer get from there to what is near it.
  std::uint32_t* place_near(std::span<const Near> near, Below& below) {
    for (const Near& one : near)
      if (std::uint32_t* const place = free_place(one.node)) return place;
    for (; below.next < below.nodes.size(); ++below.next)
      if (std::uint32_t* const place = free_place(below.nodes[below.next])) return place;
    for (const Near& one : near) {
      if (given_[one.node]) continue;
      given_[one.node] = true;
      return &links_of(one.node).back();
    }
    return nullptr;
  }

  std::uint32_t* free_place(std::uint32_t node) {
    const auto links = links_of(node);
    if (links.back() != kNone) return nullptr;
    given_[node] = true;
    return &*std::find(links.begin(), links.end(), kNone);
  }

  std::span<std::uint32_t> links_of(std::uint32_t node) {
    return std::span(graph_.links).subspan(std::size_t{node} * graph_.header.degree, graph_.header.degree);
  }

  const CodeRows& rows_;
  const Metric metric_;
  const std::vector<bool>& apart_;
  BuiltGraph& graph_;
  const Graph view_;
  kernel::StopPoll poll_;
  std::unordered_map<std::uint32_t, Below> below_;  ///< By the nearest.
  std::vector<bool> given_;                         ///< Nodes that got a link here: their last one is not replaced.
};

}  // namespace

void make_reachable(const CodeRows& rows, Metric metric, const std::vector<bool>& apart, BuiltGraph& graph,
                    const StopToken& stop) {
  Mending mending(rows, metric, apart, graph, stop);
  for (std::size_t round = 0; round < kRounds && mending.round(); ++round) {
  }
}

}  // namespace ragstone::graph
