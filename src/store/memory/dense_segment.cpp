#include "store/memory/dense_segment.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace ragstone::memory {

DenseSegment::DenseSegment(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return source_of(a) < source_of(b); });
  std::size_t count = 0;
  for (const Entry& entry : entries_) count += entry.nodes->rows.size();
  by_content_.reserve(count);
  for (std::uint32_t e = 0; e < entries_.size(); ++e)
    for (std::uint32_t n = 0; n < entries_[e].nodes->rows.size(); ++n)
      by_content_.push_back({entries_[e].nodes->rows[n].content, e, n});
  std::sort(by_content_.begin(), by_content_.end(), [](const Row& a, const Row& b) {
    return std::tie(a.content, a.entry, a.number) < std::tie(b.content, b.entry, b.number);
  });
}

std::shared_ptr<const DenseSegment> DenseSegment::merge(std::span<const Tier<DenseSegment>> tiers,
                                                        const StopToken& stop) {
  throw_if_stopped(stop);
  return std::make_shared<const DenseSegment>(live_entries(tiers));
}

std::span<const float> find_vector(const Tier<DenseSegment>& tier, std::string_view signature, const Hash128& content) {
  using Row = DenseSegment::Row;
  const DenseSegment& segment = *tier.segment;
  auto row = std::lower_bound(segment.by_content_.begin(), segment.by_content_.end(), content,
                              [](const Row& a, const Hash128& b) { return a.content < b; });
  for (; row != segment.by_content_.end() && row->content == content; ++row) {
    const DenseSegment::Entry& entry = segment.entries_[row->entry];
    if (tier.is_live(row->entry) && entry.block->definition->signature == signature) return entry.vector(row->number);
  }
  return {};
}

}  // namespace ragstone::memory
