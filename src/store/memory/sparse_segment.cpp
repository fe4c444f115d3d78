#include "store/memory/sparse_segment.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace ragstone::memory {

SparseSegment::SparseSegment(std::vector<Input> inputs) {
  std::sort(inputs.begin(), inputs.end(),
            [](const Input& a, const Input& b) { return a.nodes->source->id < b.nodes->source->id; });
  std::vector<SparseIndex::Row> rows;
  for (const Input& input : inputs) {
    const std::vector<std::uint32_t>& lengths = input.column.lengths;
    const auto tokens = std::accumulate(lengths.begin(), lengths.end(), std::uint64_t{0});
    entries_.push_back({input.nodes, input.definition, tokens, 0});
    for (std::size_t i = 0; i < input.column.rows.size(); ++i) rows.push_back({input.column.rows[i], lengths[i]});
  }
  index_ = SparseIndex::build(rows);
  number_entries();
}

std::shared_ptr<const SparseSegment> SparseSegment::merge(std::span<const Tier<SparseSegment>> tiers,
                                                          const StopToken& stop) {
  throw_if_stopped(stop);
  const std::shared_ptr<SparseSegment> merged(new SparseSegment);
  merged->entries_ = live_entries(tiers);
  merged->number_entries();

  std::vector<SparseIndex::Input> inputs;
  for (const Tier<SparseSegment>& tier : tiers) {
    const SparseSegment& segment = *tier.segment;
    SparseIndex::Input& input = inputs.emplace_back();
    input.index = &segment.index_;
    input.new_rows.assign(segment.index_.rows(), SparseIndex::kDropped);
    for (std::size_t i = 0; i < segment.entries_.size(); ++i) {
      if (!tier.is_live(i)) continue;
      const Entry& entry = segment.entries_[i];
      const auto place = std::lower_bound(merged->entries_.begin(), merged->entries_.end(), source_of(entry),
                                          [](const Entry& a, const std::string& id) { return source_of(a) < id; });
      for (std::uint32_t n = 0; n < entry.nodes->rows.size(); ++n)
        input.new_rows[entry.first_row + n] = place->first_row + n;
    }
  }
  merged->index_ = SparseIndex::merge(inputs, merged->entry_of_row_.size());
  return merged;
}

void SparseSegment::number_entries() {
  for (std::uint32_t e = 0; e < entries_.size(); ++e) {
    entries_[e].first_row = static_cast<std::uint32_t>(entry_of_row_.size());
    entry_of_row_.insert(entry_of_row_.end(), entries_[e].nodes->rows.size(), e);
  }
}

}  // namespace ragstone::memory
