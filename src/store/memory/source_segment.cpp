#include "store/memory/source_segment.hpp"

#include <algorithm>

namespace ragstone::memory {

SourceSegment::SourceSegment(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return source_of(a) < source_of(b); });
}

std::shared_ptr<const SourceSegment> SourceSegment::merge(std::span<const Tier<SourceSegment>> tiers,
                                                          const StopToken& stop) {
  throw_if_stopped(stop);
  return std::make_shared<const SourceSegment>(live_entries(tiers));
}

}  // namespace ragstone::memory
