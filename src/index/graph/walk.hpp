#pragma once

#include "index/graph/graph.hpp"
#include "kernel/stop_poll.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ragstone::graph {

/// A query in one byte an element.
struct CodeVector {
  std::vector<std::int8_t> codes;
  float scale = 0;

  /// The elements are finite.
  static CodeVector of(std::span<const float> query);
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
  std::size_t ef = 64;             ///< Candidates that are followed.
  std::size_t keep = 16;           ///< Nodes that are returned, at most; more than ef come along for free.
  const NodeTest* test = nullptr;  ///< Null: all nodes may be found.
};

/// The nearest nodes that the walk came to, nearest first. `rows` are those of the graph.
/// Errors: Errc::corrupt_store for a link that leads nowhere.
std::vector<Near> walk(const Graph& graph, const CodeRows& rows, const CodeVector& query, const WalkOptions& options,
                       kernel::StopPoll& poll);

}  // namespace ragstone::graph
