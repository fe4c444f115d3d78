#pragma once

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

  std::size_t rows() const noexcept;
  std::uint32_t dimension() const noexcept;
  NodeId node(std::uint32_t row) const noexcept;
  SourceNumber source(std::uint32_t row) const noexcept;
  Hash128 content(std::uint32_t row) const noexcept;
  std::span<const float> vector(std::uint32_t row) const noexcept;
  /// None if the node has no row here.
  std::optional<std::uint32_t> find(NodeId node) const noexcept;
  /// Rows of that content, in ascending order.
  std::vector<std::uint32_t> find(const Hash128& content) const;
  const Container& container() const noexcept;

 private:
  // helper A's
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
