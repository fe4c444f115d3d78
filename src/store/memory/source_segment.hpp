#pragma once

#include "store/memory/stored_source.hpp"
#include "store/memory/tiers.hpp"
#include <ragstone/base/stop.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ragstone::memory {

/// Sources by id.
class SourceSegment {
 public:
  using Entry = std::shared_ptr<const StoredSource>;

  /// `entries` in any order.
  explicit SourceSegment(std::vector<Entry> entries);

  const std::vector<Entry>& entries() const noexcept { return entries_; }
  static const std::string& source_of(const Entry& entry) noexcept { return entry->record.id; }
  static std::size_t weight_of(const Entry&) noexcept { return 1; }
  static std::shared_ptr<const SourceSegment> merge(std::span<const Tier<SourceSegment>> tiers, const StopToken& stop);

 private:
  std::vector<Entry> entries_;
};

}  // namespace ragstone::memory
