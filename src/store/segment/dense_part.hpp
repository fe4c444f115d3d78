#pragma once

#include "store/segment/codes.hpp"
#include "store/segment/container.hpp"
#include "store/segment/part.hpp"
#include <ragstone/base/stop.hpp>
#include <ragstone/index/index.hpp>
#include <ragstone/index/metric.hpp>

#include <cstddef>
#include <cstdint>
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

  /// Checks everything: checksums, order, and that what is derived belongs to the vectors. Empty: all is well.
  std::vector<Finding> verify(const StopToken& stop) const;

 private:
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
};

/// A part and its dead rows: what a snapshot sees.
struct DenseView {
  std::shared_ptr<const DensePart> part;
  DeadRows dead;
};

/// The image of a part for a staged blob. `rows` ascend by node; `values` is [n x dimension], finite.
std::string build_dense(Generation generation, std::uint32_t dimension, std::span<const RowKey> rows,
                        std::span<const float> values);

/// Writes the live rows of several parts of one dimension as one part. A node is live in one of them at most. Reads
/// and writes in a stream: memory grows with the number of rows, not of bytes of vectors.
void merge_dense(Generation generation, std::span<const DenseView> parts, ImageSink& to, const StopToken& stop);

/// The k best live rows that `filter` (null: all) allows, over all parts, which have the query's dimension; exact.
std::vector<ScoredNode> search_dense(std::span<const DenseView> parts, std::span<const float> query, Metric metric,
                                     const RowFilter* filter, std::size_t k, const StopToken& stop);

}  // namespace ragstone::segment
