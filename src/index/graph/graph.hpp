#pragma once

#include "index/graph/scratch.hpp"
#include <ragstone/index/metric.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

/// Navigable small world graphs (Malkov and Yashunin 2018, arXiv:1603.09320) over vectors of one byte an element.
namespace ragstone::graph {

/// Ends a list of links that is not full.
inline constexpr std::uint32_t kNone = UINT32_MAX;

/// Walks keep a bit of a node's number for themselves.
inline constexpr std::uint32_t kMostNodes = std::uint32_t{1} << 31;

/// At most one row in so many measures a graph; fewer rows measure none.
inline constexpr std::uint32_t kMeasuringShare = 20;

/// Hits that graphs are measured for.
inline constexpr std::size_t kMeasuredHits = 10;

/// Recall of the ten nearest, by the vectors themselves, that a walk with `ef` candidates had for rows that were not in
/// the graph, or copies of such that were.
struct MeasuredRecall {
  std::uint32_t ef = 0;
  float recall = 0;
};

/// As it is stored.
struct GraphHeader {
  std::uint32_t metric = 0;        ///< Metric's number; see metric_code().
  std::uint32_t nodes = 0;         ///< As many as rows.
  std::uint32_t degree = 0;        ///< Links of a node on the lowest level, at most.
  std::uint32_t upper_degree = 0;  ///< The same on the levels above.
  std::uint32_t ef_construction = 0;
  std::uint32_t entry = 0;  ///< A node of the highest level.
  std::uint32_t upper_levels = 0;
  std::uint32_t measured = 0;  ///< Entries of the table in use; ef ascends.
  std::array<MeasuredRecall, 12> recalls{};
};

static_assert(sizeof(GraphHeader) == 128);

/// What a row's codes say about its distance from a query: addend - factor * (scale of the query) * (dot of codes).
struct CodeFactor {
  float factor = 0;
  float addend = 0;
};

/// cosine: minus the cosine; inner product: minus the product; l2: the squared distance less the query's square.
CodeFactor code_factor(Metric metric, float scale, double norm) noexcept;

/// The rows under a graph.
struct CodeRows {
  const std::int8_t* codes = nullptr;  ///< [n x dimension]
  std::size_t dimension = 0;
  std::span<const CodeFactor> factors;  ///< [n]

  std::size_t count() const noexcept { return factors.size(); }
  const std::int8_t* row(std::size_t number) const noexcept { return codes + number * dimension; }
};

/// One level above the lowest: some nodes, ascending, and their links, which are numbers of nodes.
struct UpperLevel {
  std::span<const std::uint32_t> nodes;
  std::span<const std::uint32_t> links;  ///< [nodes x upper_degree]
};

/// A graph in memory that somebody else owns. Its structure is checked; the numbers in it are not.
///
/// Node n is row n. Of rows of the same codes the first is linked for all of them; the others, its copies, have no
/// links and none leads to them. `originals` ascends and has the first row of each of the `copies`.
class Graph {
 public:
  Graph() = default;
  /// `upper` holds, from level 1 on: the number of nodes, the nodes, their links. Errors: Errc::corrupt_store if the
  /// shapes do not fit each other.
  Graph(const GraphHeader& header, std::span<const std::uint32_t> links, std::span<const std::uint32_t> upper,
        std::span<const std::uint32_t> originals, std::span<const std::uint32_t> copies);

  const GraphHeader& header() const noexcept { return header_; }
  std::uint32_t nodes() const noexcept { return header_.nodes; }
  std::span<const std::uint32_t> links(std::uint32_t node) const noexcept {
    return links_.subspan(std::size_t{node} * header_.degree, header_.degree);
  }
  /// From level 1 up.
  const std::vector<UpperLevel>& upper() const noexcept { return upper_; }

  /// Of one node; mostly none. Errors: Errc::corrupt_store.
  std::span<const std::uint32_t> copies(std::uint32_t node) const;
  std::span<const std::uint32_t> originals() const noexcept { return originals_; }
  std::span<const std::uint32_t> copies() const noexcept { return copies_; }

  /// The best recall that was measured, with whatever ef. Where none was: 1 of so few nodes that any walk comes to all,
  /// else 0.
  double best_recall() const noexcept;
  /// The smallest ef whose measured recall is at least `recall`, or the largest measured; scaled for `k` hits.
  std::size_t ef_for(double recall, std::size_t k) const noexcept;

  ScratchPool& scratches() const noexcept { return *scratches_; }

 private:
  GraphHeader header_;
  std::span<const std::uint32_t> links_;
  std::vector<UpperLevel> upper_;
  std::span<const std::uint32_t> originals_;
  std::span<const std::uint32_t> copies_;
  std::shared_ptr<ScratchPool> scratches_;
};

[[noreturn]] void throw_corrupt_graph(const char* reason);

/// Numbers of metrics as files hold them; none of the graph's metrics: 0.
std::uint32_t metric_code(Metric metric) noexcept;
/// Of a header that Graph has taken.
Metric metric_of(const GraphHeader& header) noexcept;

}  // namespace ragstone::graph
