#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ragstone::memory {

/// One segment as a snapshot sees it: which of its entries are dead.
template <class Segment>
struct Tier {
  std::shared_ptr<const Segment> segment;
  std::shared_ptr<const std::vector<bool>> dead;  ///< By entry; null: none.
  std::size_t live_weight = 0;
  std::size_t weight = 0;

  bool is_live(std::size_t entry) const { return !dead || !(*dead)[entry]; }
};

/// Entries keyed by source, at most one live entry for each, in a few immutable segments: new entries come as a new
/// segment, dead ones are marked, and segments of about equal weight are merged (eight to one), so that there are
/// O(log n) of them and each entry is copied O(log n) times. A copy shares the segments and is a value of its own.
///
/// Segment has: Entry; entries(), ascending by source_of(entry); weight_of(entry) >= 1; and
/// merge(span<const Tier<Segment>>, stop), which makes one segment of the live entries.
template <class Segment>
class Tiers {
 public:
  using Entry = typename Segment::Entry;

  struct Place {
    std::size_t tier = 0;
    std::size_t entry = 0;
  };

  const std::vector<Tier<Segment>>& tiers() const noexcept { return tiers_; }
  bool empty() const noexcept { return tiers_.empty(); }

  /// The live entry of a source; null if there is none.
  const Entry* find(std::string_view source) const {
    const std::optional<Place> place = locate(source);
    return place ? &tiers_[place->tier].segment->entries()[place->entry] : nullptr;
  }

  /// Marks the entries of some sources dead; each must have one.
  void erase(const std::vector<std::string>& sources) {
    std::vector<Place> places;
    for (const std::string& source : sources)
      if (const std::optional<Place> place = locate(source)) places.push_back(*place);
    std::sort(places.begin(), places.end(), [](Place a, Place b) { return a.tier < b.tier; });
    for (std::size_t i = 0; i < places.size();) {
      Tier<Segment>& tier = tiers_[places[i].tier];
      const std::vector<Entry>& entries = tier.segment->entries();
      auto dead = std::make_shared<std::vector<bool>>(tier.dead ? *tier.dead : std::vector<bool>(entries.size()));
      for (const std::size_t number = places[i].tier; i < places.size() && places[i].tier == number; ++i) {
        (*dead)[places[i].entry] = true;
        tier.live_weight -= Segment::weight_of(entries[places[i].entry]);
      }
      tier.dead = std::move(dead);
    }
  }

  /// Adds a segment, which is not empty, none of whose sources has a live entry here.
  void add(std::shared_ptr<const Segment> segment) {
    std::size_t weight = 0;
    for (const Entry& entry : segment->entries()) weight += Segment::weight_of(entry);
    tiers_.push_back({std::move(segment), nullptr, weight, weight});
  }

  /// Forgets what is dead and merges what is due; to be called once after the changes of a commit. Segments of
  /// `weight` and more are left to due(), unless eight times as many as that waits for have gathered.
  template <class Stop>
  void settle(const Stop& stop, std::size_t weight = SIZE_MAX) {
    std::erase_if(tiers_, [](const Tier<Segment>& tier) { return tier.live_weight == 0; });
    for (std::size_t level = 0; level < kLevels; ++level) {
      std::vector<Tier<Segment>> due;
      std::vector<Tier<Segment>> rest;
      for (Tier<Segment>& tier : tiers_) (level_of(tier) == level ? due : rest).push_back(tier);
      if (due.empty()) continue;
      const bool waits = due.front().live_weight >= weight;
      const bool sparse = !waits && std::any_of(due.begin(), due.end(), mostly_dead);
      if (due.size() < kFanOut * (waits ? kFanOut : 1) && !sparse) continue;
      tiers_ = std::move(rest);
      add(Segment::merge(due, stop));
    }
  }

  /// The tiers that should become one: eight of a level with all that are smaller, or one that is mostly dead or that
  /// `misfits`. None: empty.
  template <class Misfits>
  std::vector<Tier<Segment>> due(Misfits misfits) const {
    std::array<std::size_t, kLevels> count{};
    for (const Tier<Segment>& tier : tiers_) {
      const std::size_t level = level_of(tier);
      if (++count[level] < kFanOut) continue;
      std::vector<Tier<Segment>> due;
      std::copy_if(tiers_.begin(), tiers_.end(), std::back_inserter(due),
                   [&](const Tier<Segment>& other) { return level_of(other) <= level; });
      return due;
    }
    for (const Tier<Segment>& tier : tiers_)
      if (mostly_dead(tier) || misfits(*tier.segment)) return {tier};
    return {};
  }

  /// Puts what was merged from some tiers, as they were at a time, in their place; entries that have died since are
  /// dead in it. False, and nothing is changed, if other merges have moved some of their entries.
  bool replace(const std::vector<Tier<Segment>>& inputs, std::shared_ptr<const Segment> merged) {
    const auto is_input = [&](const Tier<Segment>& tier) {
      return std::any_of(inputs.begin(), inputs.end(),
                         [&](const Tier<Segment>& input) { return input.segment == tier.segment; });
    };
    std::vector<std::string> died;
    for (const Entry& entry : merged->entries()) {
      const std::optional<Place> place = locate(Segment::source_of(entry));
      if (place && is_input(tiers_[place->tier])) continue;
      if (place && Segment::is_same(tiers_[place->tier].segment->entries()[place->entry], entry)) return false;
      died.push_back(Segment::source_of(entry));
    }
    std::vector<Tier<Segment>> others;
    std::copy_if(tiers_.begin(), tiers_.end(), std::back_inserter(others),
                 [&](const Tier<Segment>& tier) { return !is_input(tier); });
    tiers_.clear();
    add(std::move(merged));
    erase(died);
    tiers_.insert(tiers_.begin(), others.begin(), others.end());
    std::erase_if(tiers_, [](const Tier<Segment>& tier) { return tier.live_weight == 0; });
    return true;
  }

 private:
  static constexpr std::size_t kFanOut = 8;
  static constexpr std::size_t kLevels = 22;  // 8^22 > 2^64

  static std::size_t level_of(const Tier<Segment>& tier) {
    std::size_t level = 0;
    for (std::size_t weight = tier.live_weight; weight >= kFanOut; weight /= kFanOut) ++level;
    return level;
  }

  static bool mostly_dead(const Tier<Segment>& tier) { return tier.live_weight < tier.weight / 2; }

  std::optional<Place> locate(std::string_view source) const {
    for (std::size_t i = tiers_.size(); i-- > 0;) {
      const std::vector<Entry>& entries = tiers_[i].segment->entries();
      const auto found =
          std::lower_bound(entries.begin(), entries.end(), source,
                           [](const Entry& entry, std::string_view id) { return Segment::source_of(entry) < id; });
      if (found == entries.end() || Segment::source_of(*found) != source) continue;
      const auto entry = static_cast<std::size_t>(found - entries.begin());
      if (tiers_[i].is_live(entry)) return Place{i, entry};
    }
    return std::nullopt;
  }

  std::vector<Tier<Segment>> tiers_;
};

/// The live entries of some tiers in the order of a segment.
template <class Segment>
std::vector<typename Segment::Entry> live_entries(std::span<const Tier<Segment>> tiers) {
  std::vector<typename Segment::Entry> entries;
  for (const Tier<Segment>& tier : tiers)
    for (std::size_t i = 0; i < tier.segment->entries().size(); ++i)
      if (tier.is_live(i)) entries.push_back(tier.segment->entries()[i]);
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return Segment::source_of(a) < Segment::source_of(b); });
  return entries;
}

}  // namespace ragstone::memory
