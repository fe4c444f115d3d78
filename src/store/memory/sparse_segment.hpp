#pragma once

#include "store/memory/part_column.hpp"
#include "store/memory/segment_fields.hpp"
#include "store/memory/stored_source.hpp"
#include "store/memory/tiers.hpp"
#include "store/segment/sparse_part.hpp"
#include <ragstone/base/stop.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ragstone::memory {

/// A sparse column, inverted.
class SparseSegment {
 public:
  struct Entry {
    std::shared_ptr<const StoredRows> nodes;
    std::shared_ptr<const ColumnDefinition> definition;
    std::uint64_t tokens = 0;  ///< Sum of the lengths of its rows.
  };

  /// An entry to be indexed.
  struct Input {
    std::shared_ptr<const StoredRows> nodes;
    std::shared_ptr<const ColumnDefinition> definition;
    SparseRows column;
  };

  /// `inputs` in any order.
  explicit SparseSegment(std::vector<Input> inputs);

  const std::vector<Entry>& entries() const noexcept { return entries_; }
  /// Over the rows of the index.
  const SegmentFields& fields() const noexcept { return fields_; }
  static const std::string& source_of(const Entry& entry) noexcept { return entry.nodes->source->id; }
  static std::size_t weight_of(const Entry& entry) noexcept { return entry.nodes->rows.size() + 1; }
  static std::shared_ptr<const SparseSegment> merge(std::span<const Tier<SparseSegment>> tiers, const StopToken& stop);

  /// The nodes of all entries, by id.
  const std::shared_ptr<const segment::SparsePart>& part() const noexcept { return part_; }
  /// Of each row of the part.
  const std::vector<Place>& places() const noexcept { return places_; }

 private:
  SparseSegment() = default;

  std::vector<Entry> entries_;
  std::vector<Place> places_;
  std::shared_ptr<const segment::SparsePart> part_;
  SegmentFields fields_;
};

}  // namespace ragstone::memory
