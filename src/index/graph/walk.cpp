#include "index/graph/walk.hpp"

#include "kernel/simd.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <utility>

namespace ragstone::graph {
namespace {

// Links of a node that are followed at once; lists are longer only with more than 64 links a node.
constexpr std::size_t kBatch = 128;

class Walk {
 public:
  Walk(const Graph& graph, const CodeRows& rows, const CodeVector& query, const WalkOptions& options,
       kernel::StopPoll& poll, Scratch& scratch)
      : graph_(graph),
        rows_(rows),
        query_(query),
        options_(options),
        ef_(std::max(options.ef + (options.ef + 15) / 16, std::size_t{1})),
        listed_(options.test == nullptr ? std::max(ef_, options.keep) : ef_),
        poll_(poll),
        scratch_(scratch),
        dots_(kernel::simd().code_dots) {}

  Walked run() {
    std::vector<Candidate>& candidates = scratch_.candidates;
    candidates.reserve(std::min<std::size_t>(listed_, graph_.nodes()));
    start(descend());
    follow();
    Walked walked;
    walked.followed = walked.admitted = std::min(ef_, candidates.size());
    if (options_.hits <= walked.followed) walked.to_hits = options_.hits;
    if (options_.test != nullptr) {
      walked.admitted = walked.to_hits = 0;
      for (std::size_t i = 0; i < walked.followed; ++i) {
        if (!options_.test->admits(candidates[i].node & ~kFollowed)) continue;
        if (++walked.admitted == options_.hits) walked.to_hits = i + 1;
      }
      walked.nearest = std::move(found_);
      return walked;
    }
    for (const Candidate& c : candidates) {
      if (walked.nearest.size() == options_.keep) break;
      walked.nearest.push_back({c.distance, c.node & ~kFollowed});
    }
    return walked;
  }

 private:
  /// Of up to kBatch nodes.
  void measure(std::span<const std::uint32_t> nodes, float* distances) {
    for (const std::uint32_t node : nodes) __builtin_prefetch(&rows_.factors[node]);
    std::array<std::int32_t, kBatch> dots;
    dots_(query_.codes.data(), rows_.codes, rows_.dimension, nodes.data(), nodes.size(), dots.data());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const CodeFactor factor = rows_.factors[nodes[i]];
      const float distance = factor.addend - factor.factor * (query_.scale * static_cast<float>(dots[i]));
      // Damaged factors must not break the order of the candidates.
      distances[i] = std::isnan(distance) ? HUGE_VALF : distance;
    }
    poll_.spend(nodes.size() * (rows_.dimension / 8 + 30));
  }

  std::uint32_t checked(std::uint32_t node) const {
    if (node >= graph_.nodes()) throw_corrupt_graph("a link leads nowhere");
    return node;
  }

  /// The node of the lowest level where the walk begins.
  Near descend() {
    Near best{0, graph_.header().entry};
    measure({&best.node, 1}, &best.distance);
    scratch_.visit(best.node);
    for (std::size_t level = graph_.upper().size(); level-- > 0;)
      while (step(graph_.upper()[level], best)) {
      }
    scratch_.clear();
    return best;
  }

  /// Moves to a nearer neighbour, if there is one. What was measured before is not nearer.
  bool step(const UpperLevel& level, Near& best) {
    const auto place = std::lower_bound(level.nodes.begin(), level.nodes.end(), best.node);
    if (place == level.nodes.end() || *place != best.node) return false;
    const std::size_t degree = graph_.header().upper_degree;
    const auto links = level.links.subspan(static_cast<std::size_t>(place - level.nodes.begin()) * degree, degree);
    bool moved = false;
    for (std::size_t begin = 0; begin < degree; begin += kBatch) {
      std::array<std::uint32_t, kBatch> nodes;
      std::size_t count = 0;
      for (const std::uint32_t node : links.subspan(begin, std::min(kBatch, degree - begin))) {
        if (node == kNone) break;
        nodes[count] = node;
        count += scratch_.visit(checked(node));
      }
      std::array<float, kBatch> distances;
      measure({nodes.data(), count}, distances.data());
      for (std::size_t i = 0; i < count; ++i) {
        if (!(distances[i] < best.distance)) continue;
        best = {distances[i], nodes[i]};
        moved = true;
      }
    }
    return moved;
  }

  void start(const Near& entry) {
    scratch_.visit(entry.node);
    scratch_.candidates.push_back({entry.distance, entry.node});
    offer(entry);
  }

  void follow() {
    std::vector<Candidate>& candidates = scratch_.candidates;
    for (std::size_t at = 0; at < std::min(ef_, candidates.size());) {
      if ((candidates[at].node & kFollowed) != 0) {
        ++at;
        continue;
      }
      const std::uint32_t node = candidates[at].node;
      candidates[at].node |= kFollowed;
      next_ = at + 1 < candidates.size() ? candidates[at + 1].node : node | kFollowed;
      at = std::min(at + 1, follow_links(graph_.links(node)));
    }
  }

  void fetch_links(std::uint32_t node) const {
    const std::span<const std::uint32_t> links = graph_.links(node);
    for (std::size_t i = 0; i < links.size(); i += 16) __builtin_prefetch(&links[i]);
  }

  /// Asks for what following a node will read, unless its turn has come already: most that are near get their turn.
  void fetch_rows(std::uint32_t node) const {
    if ((node & kFollowed) != 0) return;
    for (const std::uint32_t link : graph_.links(node)) {
      if (link >= graph_.nodes()) break;
      if (scratch_.has_visited(link)) continue;
      const std::int8_t* row = rows_.row(link);
      for (std::size_t i = 0; i < rows_.dimension; i += 64) __builtin_prefetch(row + i, 0, 2);
      __builtin_prefetch(&rows_.factors[link], 0, 2);
    }
  }

  /// The place of the nearest node that became a candidate.
  std::size_t follow_links(std::span<const std::uint32_t> links) {
    std::size_t lowest = SIZE_MAX;
    for (std::size_t begin = 0; begin < links.size(); begin += kBatch) {
      std::array<std::uint32_t, kBatch> nodes;
      std::size_t count = 0;
      for (const std::uint32_t node : links.subspan(begin, std::min(kBatch, links.size() - begin))) {
        if (node == kNone) break;
        nodes[count] = node;
        count += scratch_.visit(checked(node));
      }
      std::array<float, kBatch> distances;
      fetch_rows(next_);
      measure({nodes.data(), count}, distances.data());
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t place = scratch_.insert({distances[i], nodes[i]}, listed_);
        if (place == SIZE_MAX) continue;
        fetch_links(nodes[i]);
        lowest = std::min(lowest, place);
      }
      if (options_.test == nullptr) continue;
      for (std::size_t i = 0; i < count; ++i) offer({distances[i], nodes[i]});
    }
    return lowest;
  }

  /// Takes a node that was come to for a hit, where not all nodes may be hits.
  void offer(const Near& near) {
    if (options_.test == nullptr) return;
    if (found_.size() >= options_.keep && !(near.distance < worst_found_)) return;
    if (!options_.test->admits(near.node)) return;
    found_.insert(std::upper_bound(found_.begin(), found_.end(), near,
                                   [](const Near& a, const Near& b) { return a.distance < b.distance; }),
                  near);
    if (found_.size() > options_.keep) found_.resize(options_.keep);
    if (!found_.empty()) worst_found_ = found_.back().distance;
  }

  const Graph& graph_;
  const CodeRows& rows_;
  const CodeVector& query_;
  const WalkOptions& options_;
  const std::size_t ef_;            ///< One in sixteen above what is asked for: codes mistake some of the farthest.
  const std::size_t listed_;        ///< Candidates that are kept; those after the first ef are not followed.
  std::uint32_t next_ = kFollowed;  ///< Likely to be followed next.
  kernel::StopPoll& poll_;
  Scratch& scratch_;
  decltype(kernel::Simd::code_dots) dots_;
  std::vector<Near> found_;
  float worst_found_ = -HUGE_VALF;
};

}  // namespace

CodeVector CodeVector::of(std::span<const float> query, Metric metric) {
  CodeVector vector;
  vector.codes.resize(query.size());
  float most = 0;
  for (const float x : query) most = std::max(most, std::abs(x));
  if (most == 0) return vector;
  vector.scale = metric == Metric::l2 ? most / 127 : 1;
  // Adding leaves no room for a fraction: rounds to the nearest whole number, in a loop that a compiler makes fast.
  constexpr float kNoFraction = 0x1.8p23F;
  // The smallest numbers have no inverse.
  const float lift = most < 0x1p-100F ? 0x1p100F : 1;
  const float inverse = 127 / (most * lift);
  for (std::size_t i = 0; i < query.size(); ++i) {
    const float code = (std::clamp(query[i] * lift * inverse, -127.0F, 127.0F) + kNoFraction) - kNoFraction;
    vector.codes[i] = static_cast<std::int8_t>(static_cast<int>(code));
  }
  return vector;
}

Walked walk(const Graph& graph, const CodeRows& rows, const CodeVector& query, const WalkOptions& options,
            kernel::StopPoll& poll) {
  // What a walk that throws has written to is not used again.
  std::unique_ptr<Scratch> scratch = graph.scratches().take();
  Walked walked = Walk(graph, rows, query, options, poll, *scratch).run();
  graph.scratches().give_back(std::move(scratch));
  return walked;
}

}  // namespace ragstone::graph
