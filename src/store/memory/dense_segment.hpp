#pragma once

#include "store/memory/segment_fields.hpp"
#include "store/memory/stored_source.hpp"
#include "store/memory/tiers.hpp"
#include <ragstone/base/stop.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone::memory {

/// A column of vectors; the vectors stay in the blocks in which they came.
class DenseSegment {
 public:
  struct Entry {
    std::shared_ptr<const StoredRows> nodes;
    std::shared_ptr<const DenseBlock> block;

    std::span<const float> vector(std::size_t number) const noexcept {
      const std::size_t dimension = block->definition->dimension;
      return std::span(block->values).subspan(number * dimension, dimension);
    }
  };

  /// `entries` in any order.
  explicit DenseSegment(std::vector<Entry> entries);

  const std::vector<Entry>& entries() const noexcept { return entries_; }
  /// Over the rows of all entries, one entry after the other.
  const SegmentFields& fields() const noexcept { return fields_; }
  static const std::string& source_of(const Entry& entry) noexcept { return entry.nodes->source->id; }
  static std::size_t weight_of(const Entry& entry) noexcept { return entry.nodes->rows.size() + 1; }
  static std::shared_ptr<const DenseSegment> merge(std::span<const Tier<DenseSegment>> tiers, const StopToken& stop);

 private:
  friend std::span<const float> find_vector(const Tier<DenseSegment>& tier, std::string_view signature,
                                            const Hash128& content);

  struct Row {
    Hash128 content;
    std::uint32_t entry = 0;
    std::uint32_t number = 0;
  };

  std::vector<Entry> entries_;
  SegmentFields fields_;
  std::vector<Row> by_content_;  ///< Ascending.
};

/// The vector of a live node with that content; empty if there is none of that signature.
std::span<const float> find_vector(const Tier<DenseSegment>& tier, std::string_view signature, const Hash128& content);

}  // namespace ragstone::memory
