#pragma once

#include "index/graph/graph.hpp"
#include "kernel/stop_poll.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ragstone::graph {

/// A query in one byte an element.
struct CodeVector {
  std::vector<std::int8_t> codes;
  float scale = 0;

  /// The elements are finite. The order of nodes by cosine and by product does not depend on how long a query is, which
  /// is left out there: products neither vanish nor overflow.
  static CodeVector of(std::span<const float> query, Metric metric);
};

/// A node and about how far it is, see CodeFactor.
struct Near {
  float distance = 0;
  std::uint32_t node = 0;
};

/// Which nodes may be found; others are only passed through.
class NodeTest {
 public:
  virtual ~NodeTest() = default;
  virtual bool admits(std::uint32_t node) const = 0;
};

struct WalkOptions {
  std::size_t ef = 64;             ///< Candidates that are followed, and one in sixteen more: codes mistake some.
  std::size_t keep = 16;           ///< Nodes that are returned, at most; more than ef come along for free.
  const NodeTest* test = nullptr;  ///< Null: all nodes may be found.
  std::size_t hits = 10;           ///< Wanted of them. See Walked::to_hits.
};

/// Nodes to be kept for k hits, and then compared exactly: codes take some for farther than they are, and the more
/// where it takes many candidates to find the nearest.
constexpr std::size_t kept_for(std::size_t k, std::size_t ef) noexcept { return std::max(k + k / 2 + 4, ef / 4); }

/// Copies of a node that are compared for k hits: not all, where very many are the same, but as many as were measured.
constexpr std::size_t most_copies(std::size_t k) noexcept { return 4 * std::max(k, kMeasuredHits) + 64; }

struct Walked {
  std::vector<Near> nearest;  ///< Those that may be found, nearest first.
  std::size_t followed = 0;   ///< Candidates; fewer than asked for where no other could be reached.
  std::size_t admitted = 0;   ///< Of these, those that may be found.
  std::size_t to_hits = 0;    ///< Of the first so many as many as WalkOptions::hits may be found; 0: not of all.
};

/// The nearest nodes that the walk came to. `rows` are those of the graph.
/// Errors: Errc::corrupt_store for a link that leads nowhere.
Walked walk(const Graph& graph, const CodeRows& rows, const CodeVector& query, const WalkOptions& options,
            kernel::StopPoll& poll);

}  // namespace ragstone::graph
