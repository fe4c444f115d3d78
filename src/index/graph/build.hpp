#pragma once

#include "index/graph/graph.hpp"
#include <ragstone/base/parallel.hpp>
#include <ragstone/base/stop.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace ragstone::graph {

struct BuildOptions {
  Metric metric = Metric::cosine;
  std::size_t m = 16;  ///< Links of a node on the upper levels; twice as many on the lowest.
  std::size_t ef_construction = 200;
};

/// A graph that owns its memory; see Graph for what the arrays are.
struct BuiltGraph {
  GraphHeader header;
  std::vector<std::uint32_t> links;
  std::vector<std::uint32_t> upper;
  std::vector<std::uint32_t> originals;
  std::vector<std::uint32_t> copies;

  Graph view() const { return {header, links, upper, originals, copies}; }
};

/// A graph to go on from: some of the rows were in it, with the same codes and factors.
struct BaseGraph {
  const Graph* graph = nullptr;
  std::vector<std::uint32_t> rows;  ///< [nodes of the graph] The number of each among the new rows; kNone: it is gone.

  /// Whether building with these options can go on from a graph.
  static bool fits(const Graph& graph, const BuildOptions& options) noexcept;
};

/// How far one row is from another by what their codes stand for; smaller is nearer. Called by several threads at once.
using ExactDistance = std::function<double(std::uint32_t from, std::uint32_t to)>;

/// Builds a graph over `rows`, at least one. `exact` tells what recall a sample of all rows has that were not in it
/// yet. Of rows of the same codes only the first gets links, so that they cannot crowd out others; links are added
/// until walks can come to every row with links, as far as there is room. `parallel` may be null: on this thread alone.
/// With a `base`, which fits, only the rows that it has not are inserted, at the same quality; links to rows that are
/// gone are replaced by those of their neighbours. Errors: std::bad_alloc, where the memory for it is not to be had;
/// Errc::corrupt_store for a base whose links lead nowhere or contradict each other.
BuiltGraph build(const CodeRows& rows, const BuildOptions& options, const ExactDistance& exact,
                 const Parallel* parallel, const StopToken& stop, const BaseGraph* base = nullptr);

}  // namespace ragstone::graph
