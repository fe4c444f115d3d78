#pragma once

#include "index/graph/build.hpp"
#include "index/graph/graph.hpp"
#include "kernel/stop_poll.hpp"
#include "store/segment/codes.hpp"
#include "store/segment/container.hpp"
#include "store/segment/part.hpp"
#include "store/segment/read_ahead.hpp"
#include <ragstone/base/stop.hpp>
#include <ragstone/index/index.hpp>
#include <ragstone/index/metric.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ragstone::segment {

/// Vectors of one column, in rows of ascending node id, read in place from an image.
///
/// Thread safety: any number of concurrent readers.
class DensePart {
 public:
  /// Checks the structure, not the payload. Errors: Errc::corrupt_store.
  explicit DensePart(std::shared_ptr<const Image> image);

  std::size_t rows() const noexcept { return nodes_.size(); }
  std::uint32_t dimension() const noexcept { return dimension_; }
  NodeId node(std::uint32_t row) const noexcept { return nodes_[row]; }
  SourceNumber source(std::uint32_t row) const noexcept { return sources_[row]; }
  Hash128 content(std::uint32_t row) const noexcept { return contents_[row]; }
  std::span<const float> vector(std::uint32_t row) const noexcept {
    return vectors_.subspan(row * std::size_t{dimension_}, dimension_);
  }
  /// None if the node has no row here.
  std::optional<std::uint32_t> find(NodeId node) const noexcept;
  /// Rows of that content, in ascending order. Errors: Errc::corrupt_store.
  std::vector<std::uint32_t> find(const Hash128& content) const;
  const Container& container() const noexcept { return container_; }

  double norm(std::uint32_t row) const noexcept { return norms_[row]; }
  std::span<const std::int8_t> codes(std::uint32_t row) const noexcept {
    return codes_.subspan(row * std::size_t{dimension_}, dimension_);
  }
  CodeScale code_scale(std::uint32_t row) const noexcept { return code_scales_[row]; }

  /// Columns, by row.
  std::span<const NodeId> nodes() const noexcept { return nodes_; }
  std::span<const SourceNumber> sources() const noexcept { return sources_; }
  std::span<const std::int8_t> all_codes() const noexcept { return codes_; }
  std::span<const CodeScale> all_code_scales() const noexcept { return code_scales_; }
  std::span<const double> all_norms() const noexcept { return norms_; }

  bool has_bits() const noexcept { return !bits_.empty(); }
  /// See sign_bits().
  std::span<const std::uint64_t> bits(std::uint32_t row) const noexcept {
    const std::size_t words = bits_.size() / rows();
    return bits_.subspan(row * words, words);
  }

  bool has_nibbles() const noexcept { return !nibbles_.empty(); }
  /// Of the rows from `row` on, see encode_nibbles().
  std::span<const std::uint8_t> nibbles_from(std::uint32_t row) const noexcept {
    return nibbles_.subspan(row * kernel::nibble_bytes(dimension_));
  }
  std::span<const CodeScale> all_nibble_scales() const noexcept { return nibble_scales_; }

  /// Null if the part has none.
  const graph::Graph* graph() const noexcept { return graph_ ? &*graph_ : nullptr; }
  graph::CodeRows code_rows() const noexcept { return {codes_.data(), dimension_, graph_factors_}; }

  /// For whoever is about to scan all codes or vectors of a part that has a graph: such a part expects walks.
  void expect_scan() const;
  /// For each walk, after it: asks the system for another piece of what walks read. So the first answer of a part that
  /// was just opened comes soon, and later ones do not wait for its file.
  void read_ahead() const;
  /// Asks for the vectors of these rows all at once, as long as read_ahead() has something to ask for: later their file
  /// is in memory, or is not to be.
  void read_soon(std::span<const std::uint32_t> rows) const;

  /// Checks everything: checksums, order, and that what is derived belongs to the vectors. Empty: all is well.
  std::vector<Finding> verify(const StopToken& stop) const;

 private:
  /// What was asked of the system; copies of a part share it.
  struct Asked {
    std::atomic<bool> scan{false};
    ReadAhead ahead;
  };

  void open_graph();
  void verify_graph(std::vector<Finding>& findings, kernel::StopPoll& poll) const;
  bool factor_holds(std::uint32_t row) const;

  Container container_;
  std::uint32_t dimension_ = 0;
  std::span<const NodeId> nodes_;
  std::span<const SourceNumber> sources_;
  std::span<const Hash128> contents_;
  std::span<const std::uint32_t> content_order_;  ///< Rows by content, then by number.
  std::span<const float> vectors_;
  std::span<const std::int8_t> codes_;
  std::span<const CodeScale> code_scales_;
  std::span<const double> norms_;
  std::span<const std::uint64_t> bits_;
  std::span<const std::uint8_t> nibbles_;
  std::span<const CodeScale> nibble_scales_;
  std::optional<graph::Graph> graph_;
  std::span<const graph::CodeFactor> graph_factors_;
  std::shared_ptr<Asked> asked_;  ///< Only of a part with a graph.
};

/// A part and its dead rows: what a snapshot sees.
struct DenseView {
  std::shared_ptr<const DensePart> part;
  DeadRows dead;
};

/// Hears of a damaged part, by its place among those that were given.
using OnDamagedPart = std::function<void(std::size_t part)>;

/// For each content hash the vector of some live row that has it; empty where none has. With `on_damage`, the bytes of
/// these rows are compared with their checksums: a damaged row counts as none.
std::vector<std::vector<float>> find_vectors(std::span<const DenseView> parts, std::span<const Hash128> contents,
                                             const OnDamagedPart& on_damage = {});

/// What a part holds besides the rows, to be searched faster.
struct DenseForm {
  std::optional<graph::BuildOptions> graph;  ///< For parts of at least `graph_rows` rows.
  std::size_t graph_rows = 50'000;
  bool bits = false;
  bool nibbles = false;  ///< For parts of at least `nibble_elements` elements.
  /// The codes of smaller parts stay in a processor's cache: then reading half the bytes spares too little.
  std::size_t nibble_elements = std::size_t{16} << 20;
  bool from_scratch = false;  ///< A graph goes on from none that the parts have.

  bool wants_graph(std::size_t rows) const noexcept { return graph && rows > 0 && rows >= graph_rows; }
  bool wants_nibbles(std::size_t rows, std::size_t dimension) const noexcept {
    return nibbles && rows > 0 && rows * dimension >= nibble_elements;
  }
  /// Whether a part is what a merge would make of it, or has nibbles beside that: they do no harm.
  bool fits(const DensePart& part) const noexcept;
};

/// The image of a part for a staged blob. `rows` ascend by node; `values` is [n x dimension], finite.
std::string build_dense(Generation generation, std::uint32_t dimension, std::span<const RowKey> rows,
                        std::span<const float> values, const DenseForm& form = {});

/// Writes the live rows of several parts of one dimension as one part. A node is live in one of them at most. Reads
/// and writes in a stream: memory grows with the number of rows, not of bytes of vectors; for a graph, by about twice
/// the codes and 200 bytes a row. `parallel` may be null: builds the graph on this thread.
void merge_dense(Generation generation, std::span<const DenseView> parts, ImageSink& to, const StopToken& stop,
                 const DenseForm& form = {}, const Parallel* parallel = nullptr);

}  // namespace ragstone::segment
