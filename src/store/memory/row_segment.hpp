#pragma once

#include "store/memory/stored_source.hpp"
#include "store/memory/tiers.hpp"
#include <ragstone/base/stop.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ragstone::memory {

/// Nodes of one group by NodeId.
class RowSegment {
 public:
  using Entry = std::shared_ptr<const StoredRows>;

  struct Row {
    NodeId id = 0;
    std::uint32_t entry = 0;
    std::uint32_t number = 0;  ///< In the entry.
  };

  /// `entries` in any order.
  explicit RowSegment(std::vector<Entry> entries);

  const std::vector<Entry>& entries() const noexcept { return entries_; }
  static const std::string& source_of(const Entry& entry) noexcept { return entry->source->id; }
  static std::size_t weight_of(const Entry& entry) noexcept { return entry->rows.size() + 1; }
  static std::shared_ptr<const RowSegment> merge(std::span<const Tier<RowSegment>> tiers, const StopToken& stop);

  /// Ascending ids.
  const std::vector<Row>& rows() const noexcept { return rows_; }
  /// Null if there is no such row.
  const Row* find(NodeId id) const noexcept;

 private:
  std::vector<Entry> entries_;
  std::vector<Row> rows_;
};

}  // namespace ragstone::memory
