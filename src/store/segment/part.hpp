#pragma once

#include "index/selected_rows.hpp"
#include <ragstone/base/ids.hpp>
#include <ragstone/base/stop.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone::segment {

/// A source's number in its store: from 1, never reused.
using SourceNumber = std::uint32_t;

/// What a row of a part stands for.
struct RowKey {
  NodeId node = 0;
  SourceNumber source = 0;
  Hash128 content;  ///< Of the node's text.
};

/// Which nodes may be hits.
class RowFilter {
 public:
  virtual ~RowFilter() = default;
  virtual bool allows(NodeId node, SourceNumber source) const = 0;

  /// The rows i of a part for which allows(nodes[i], sources[i]). `nodes` ascend, and are those of a part as it keeps
  /// them (not a copy): a filter may remember by their address what it found.
  virtual Selection select(std::span<const NodeId> nodes, std::span<const SourceNumber> sources,
                           const StopToken& stop) const;
  /// Whether select() costs about as much as reading the ids. Where not, it asks allows() for every row: a search that
  /// comes to few of them had better ask for those itself.
  virtual bool selects_quickly() const noexcept { return false; }
};

/// The bytes of a part: a mapped file, or memory. Aligned to 64 bytes at least; immutable.
class Image {
 public:
  virtual ~Image() = default;
  virtual std::span<const std::byte> bytes() const noexcept = 0;
  /// Bytes that will be read here and there: what lies around them is not to be read ahead. A hint.
  virtual void expect_random_reads(std::size_t /*offset*/, std::size_t /*size*/) const noexcept {}
  /// Takes that back. A hint.
  virtual void expect_scans(std::size_t /*offset*/, std::size_t /*size*/) const noexcept {}
  /// Bytes that will soon be read from the first to the last. A hint.
  virtual void expect_reading(std::size_t /*offset*/, std::size_t /*size*/) const noexcept {}
};

/// A copy of `bytes` in memory.
std::shared_ptr<const Image> heap_image(std::string_view bytes);

/// The rows of a part that no longer count. A value; copies share memory.
class DeadRows {
 public:
  DeadRows() = default;

  bool empty() const noexcept { return count_ == 0; }
  std::size_t count() const noexcept { return count_; }
  bool contains(std::uint32_t row) const noexcept {
    return bits_ && row / 64 < bits_->size() && ((*bits_)[row / 64] >> (row % 64) & 1) != 0;
  }
  /// These rows and `rows`, which may repeat.
  DeadRows with(std::span<const std::uint32_t> rows) const;
  /// Ascending.
  std::vector<std::uint32_t> rows() const;

  /// Small where few rows are dead, or nearly all.
  std::string serialize() const;
  /// Errors: Errc::corrupt_store, also for a row not below `rows`.
  static DeadRows parse(std::string_view bytes, std::size_t rows);

 private:
  std::shared_ptr<const std::vector<std::uint64_t>> bits_;
  std::size_t count_ = 0;
};

}  // namespace ragstone::segment
