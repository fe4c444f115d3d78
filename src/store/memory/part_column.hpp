#pragma once

#include "store/memory/tiers.hpp"
#include "store/segment/part.hpp"
#include <ragstone/base/ids.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace ragstone::memory {

/// A node of an entry of a segment.
struct Place {
  std::uint32_t entry = 0;
  std::uint32_t number = 0;
};

/// The nodes of all entries, by id: the rows of a part.
template <class Entry>
std::vector<Place> places_by_node(const std::vector<Entry>& entries) {
  std::vector<Place> places;
  for (std::uint32_t e = 0; e < entries.size(); ++e)
    for (std::uint32_t n = 0; n < entries[e].nodes->rows.size(); ++n) places.push_back({e, n});
  const auto id_of = [&](const Place& place) { return entries[place.entry].nodes->rows[place.number].id; };
  std::sort(places.begin(), places.end(), [&](const Place& a, const Place& b) { return id_of(a) < id_of(b); });
  return places;
}

/// The rows of a tier's part whose entries are dead.
template <class Segment>
segment::DeadRows dead_rows(const Tier<Segment>& tier) {
  if (!tier.dead) return {};
  std::vector<std::uint32_t> rows;
  const std::vector<Place>& places = tier.segment->places();
  for (std::uint32_t row = 0; row < places.size(); ++row)
    if (!tier.is_live(places[row].entry)) rows.push_back(row);
  return segment::DeadRows().with(rows);
}

/// A column whose segments have parts to be searched: Segment::part(), and places(), the place of each row.
template <class Segment>
class PartColumn {
 public:
  Tiers<Segment> tiers;  ///< update_dead() is to be called after a change.

  void update_dead() {
    const std::vector<Dead> known = std::move(dead_);
    dead_.clear();
    for (const Tier<Segment>& tier : tiers.tiers()) {
      const auto same =
          std::find_if(known.begin(), known.end(), [&](const Dead& dead) { return dead.entries == tier.dead; });
      dead_.push_back(tier.dead && same != known.end() ? *same : Dead{tier.dead, dead_rows(tier)});
    }
  }

  /// Of the part of a tier.
  const segment::DeadRows& dead(std::size_t tier) const noexcept { return dead_[tier].rows; }

  /// The parts with their dead rows.
  template <class View>
  void add_views(std::vector<View>& views) const {
    for (std::size_t t = 0; t < dead_.size(); ++t) views.push_back({tiers.tiers()[t].segment->part(), dead(t)});
  }

 private:
  /// The dead rows of one tier, and what they were made from.
  struct Dead {
    std::shared_ptr<const std::vector<bool>> entries;
    segment::DeadRows rows;
  };

  std::vector<Dead> dead_;  ///< Of each tier.
};

}  // namespace ragstone::memory
