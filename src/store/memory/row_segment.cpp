#include "store/memory/row_segment.hpp"

#include <algorithm>
#include <utility>

namespace ragstone::memory {

RowSegment::RowSegment(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return source_of(a) < source_of(b); });
  std::size_t count = 0;
  for (const Entry& entry : entries_) count += entry->rows.size();
  rows_.reserve(count);
  for (std::uint32_t e = 0; e < entries_.size(); ++e)
    for (std::uint32_t n = 0; n < entries_[e]->rows.size(); ++n) rows_.push_back({entries_[e]->rows[n].id, e, n});
  std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.id < b.id; });
}

std::shared_ptr<const RowSegment> RowSegment::merge(std::span<const Tier<RowSegment>> tiers, const StopToken& stop) {
  throw_if_stopped(stop);
  return std::make_shared<const RowSegment>(live_entries(tiers));
}

const RowSegment::Row* RowSegment::find(NodeId id) const noexcept {
  if (rows_.empty() || id < rows_.front().id || id > rows_.back().id) return nullptr;
  const auto row = std::lower_bound(rows_.begin(), rows_.end(), id, [](const Row& a, NodeId b) { return a.id < b; });
  return row->id == id ? &*row : nullptr;
}

}  // namespace ragstone::memory
