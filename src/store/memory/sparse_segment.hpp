#pragma once

#include "index/sparse_index.hpp"
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

/// A sparse column, inverted.
class SparseSegment {
 public:
  struct Entry {
    std::shared_ptr<const StoredRows> nodes;
    std::shared_ptr<const ColumnDefinition> definition;
    std::uint64_t tokens = 0;     ///< Sum of the lengths of its rows.
    std::uint32_t first_row = 0;  ///< Number of its first node in the index.
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
  static const std::string& source_of(const Entry& entry) noexcept { return entry.nodes->source->id; }
  static std::size_t weight_of(const Entry& entry) noexcept { return entry.nodes->rows.size() + 1; }
  static std::shared_ptr<const SparseSegment> merge(std::span<const Tier<SparseSegment>> tiers, const StopToken& stop);

  /// Numbers the nodes of all entries, in the order of the entries.
  const SparseIndex& index() const noexcept { return index_; }
  /// The entry of each row of the index.
  const std::vector<std::uint32_t>& entry_of_row() const noexcept { return entry_of_row_; }

 private:
  SparseSegment() = default;
  void number_entries();

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> entry_of_row_;
  SparseIndex index_;
};

}  // namespace ragstone::memory
