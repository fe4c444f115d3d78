#pragma once

#include "kernel/stop_poll.hpp"
#include "store/memory/row_segment.hpp"
#include "store/memory/source_segment.hpp"
#include "store/memory/tiers.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <queue>
#include <string_view>
#include <utility>
#include <vector>

namespace ragstone::memory {

/// Visits numbers [begin, end) of several ascending lists in one ascending order by `key(list, number)`, until `visit`
/// says false.
template <class Key, class KeyOf, class Visit>
void walk_merged(const std::vector<std::pair<std::size_t, std::size_t>>& ranges, KeyOf key, Visit visit) {
  struct Cursor {
    Key key;
    std::size_t list;
    std::size_t number;

    bool operator>(const Cursor& other) const { return key > other.key; }
  };
  std::priority_queue<Cursor, std::vector<Cursor>, std::greater<>> cursors;
  for (std::size_t list = 0; list < ranges.size(); ++list)
    if (ranges[list].first < ranges[list].second)
      cursors.push({key(list, ranges[list].first), list, ranges[list].first});
  while (!cursors.empty()) {
    Cursor cursor = cursors.top();
    cursors.pop();
    if (!visit(cursor.list, cursor.number)) return;
    if (++cursor.number == ranges[cursor.list].second) continue;
    cursor.key = key(cursor.list, cursor.number);
    cursors.push(cursor);
  }
}

/// Visits the live sources whose ids are above `after`, in ascending order, until `visit(source)` says false.
template <class Visit>
void walk_sources(const Tiers<SourceSegment>& sources, std::string_view after, const StopToken& stop, Visit visit) {
  const auto& tiers = sources.tiers();
  std::vector<std::pair<std::size_t, std::size_t>> ranges;
  for (const Tier<SourceSegment>& tier : tiers) {
    const auto& entries = tier.segment->entries();
    const auto begin =
        std::upper_bound(entries.begin(), entries.end(), after,
                         [](std::string_view id, const auto& entry) { return id < SourceSegment::source_of(entry); });
    ranges.emplace_back(static_cast<std::size_t>(begin - entries.begin()), entries.size());
  }
  const auto entry = [&](std::size_t tier, std::size_t number) -> const StoredSource& {
    return *tiers[tier].segment->entries()[number];
  };
  kernel::StopPoll poll(stop);
  walk_merged<std::string_view>(
      ranges, [&](std::size_t tier, std::size_t number) { return std::string_view(entry(tier, number).record.id); },
      [&](std::size_t tier, std::size_t number) {
        poll.spend(500);
        return !tiers[tier].is_live(number) || visit(entry(tier, number));
      });
}

/// Visits the live nodes whose ids are above `after`, in ascending order, until `visit(nodes, number)` says false.
template <class Visit>
void walk_nodes(const Tiers<RowSegment>& nodes, NodeId after, Visit visit) {
  const auto& tiers = nodes.tiers();
  std::vector<std::pair<std::size_t, std::size_t>> ranges;
  for (const Tier<RowSegment>& tier : tiers) {
    const auto& rows = tier.segment->rows();
    const auto begin = std::upper_bound(rows.begin(), rows.end(), after,
                                        [](NodeId id, const RowSegment::Row& row) { return id < row.id; });
    ranges.emplace_back(static_cast<std::size_t>(begin - rows.begin()), rows.size());
  }
  walk_merged<NodeId>(
      ranges, [&](std::size_t tier, std::size_t number) { return tiers[tier].segment->rows()[number].id; },
      [&](std::size_t tier, std::size_t number) {
        const RowSegment::Row& row = tiers[tier].segment->rows()[number];
        return !tiers[tier].is_live(row.entry) || visit(*tiers[tier].segment->entries()[row.entry], row.number);
      });
}

}  // namespace ragstone::memory
