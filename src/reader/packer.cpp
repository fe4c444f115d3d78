#include "reader/packer.hpp"

#include "reader/unit_division.hpp"
#include "reader/white_space.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include <xxhash.h>

namespace ragstone::detail {
namespace {

// Bytes on each side of a place that decide between equally strong ones.
constexpr std::size_t kHashedBytes = 32;

}  // namespace

std::optional<Span> Packer::next() {
  while (open_chunk()) {
    extend();
    const std::optional<End> end = choose();
    if (!end) continue;
    const Span span = span_to(*end);
    close_chunk(*end);
    return span;
  }
  return std::nullopt;
}

/// Brings a unit that is not blank, and fits where that is possible, to the front. False at the end of the text.
bool Packer::open_chunk() {
  for (const Unit* unit = peek(0); unit; unit = peek(0)) {
    if (unit->blank) {
      before_.push_back(*unit);
      ahead_.pop_front();
      forget();
    } else if (unit->tokens <= max_tokens_ || !split(0)) {
      break;
    }
  }
  if (ahead_.empty()) return false;
  take_overlap();
  return true;
}

/// Depends on the place of the cut alone, save that it leaves room for the first unit behind it.
void Packer::take_overlap() {
  const std::size_t cut = ahead_.front().begin;
  const std::size_t room = max_tokens_ - std::min(max_tokens_, ahead_.front().tokens);
  for (std::size_t limit = std::min(room, overlap_tokens_);;) {
    begin_ = cut;
    overlap_ = 0;
    std::size_t tokens = 0;
    for (auto unit = before_.rbegin(); limit > 0 && unit != before_.rend(); ++unit) {
      tokens += unit->tokens;
      if (tokens > limit || unit->begin <= last_begin_) break;
      if (unit->blank || unit->opens < Strength::word) continue;
      begin_ = unit->begin;
      overlap_ = tokens;
    }
    const std::size_t counted = begin_ == cut ? 0 : counter_.count(trimmed(text_, {begin_, cut}).of(text_));
    if (counted <= overlap_tokens_) return;
    limit = overlap_ == 0 ? 0 : std::min(overlap_ - 1, overlap_ * overlap_tokens_ / counted);
  }
}

/// Fills ends_. A unit that does not fit is split only where the chunk would be too small without a part of it.
void Packer::extend() {
  ends_.clear();
  reached_end_ = false;
  std::size_t tokens = overlap_;
  for (std::size_t units = 0;;) {
    const Unit* const unit = peek(units);
    if (!unit) {
      reached_end_ = true;
      return;
    }
    if (tokens + unit->tokens <= max_tokens_) {
      tokens += unit->tokens;
      ++units;
      if (!unit->blank) ends_.push_back({units, tokens});
    } else if (must_end_before(*unit) || !split(units)) {
      return;
    }
  }
}

bool Packer::must_end_before(const Unit& unit) const {
  if (ends_.empty()) return false;
  const End& last = ends_.back();
  return unit.blank || is_half_full(last) || (unit.tokens <= max_tokens_ && !is_tiny(last.tokens - overlap_));
}

/// Nothing if no end holds under the true count: then the chunk is to be opened again, with less in it.
std::optional<Packer::End> Packer::choose() {
  // A character that alone counts more than a chunk may.
  if (ends_.empty()) return End{1, ahead_.front().tokens};
  if (reached_end_ && counter_.count(span_to(ends_.back()).of(text_)) <= max_tokens_) return ends_.back();

  // The sum over the units is only near the count of the whole: vocabularies merge across places and need not be
  // subadditive.
  for (std::size_t most_tokens = max_tokens_;;) {
    const std::vector<End> ends = candidates(most_tokens);
    if (ends.empty()) break;
    const End best = best_of(ends);
    const std::size_t counted = counter_.count(span_to(best).of(text_));
    if (counted <= max_tokens_) return best;
    if (best.tokens == 0) break;
    most_tokens = std::min(best.tokens - 1, best.tokens * max_tokens_ / counted);
  }
  if (begin_ < ahead_.front().begin)
    before_.clear();
  else if (!split(0))
    return ends_.front();
  return std::nullopt;
}

void Packer::close_chunk(const End& end) {
  const auto cut = ahead_.begin() + static_cast<std::ptrdiff_t>(end.units);
  last_begin_ = begin_;
  before_.insert(before_.end(), ahead_.begin(), cut);
  ahead_.erase(ahead_.begin(), cut);
  forget();
}

const Unit* Packer::peek(std::size_t index) {
  while (ahead_.size() <= index) {
    const std::optional<Unit> unit = stream_.next();
    if (!unit) return nullptr;
    ahead_.push_back(*unit);
  }
  return &ahead_[index];
}

bool Packer::split(std::size_t index) {
  const auto place = ahead_.begin() + static_cast<std::ptrdiff_t>(index);
  const std::vector<Unit> parts = divide(text_, *place, counter_);
  if (parts.empty()) return false;
  *place = parts.front();
  ahead_.insert(place + 1, parts.begin() + 1, parts.end());
  return true;
}

/// Drops what no overlap can reach.
void Packer::forget() {
  std::size_t tokens = 0;
  auto unit = before_.end();
  while (unit != before_.begin() && (tokens += std::prev(unit)->tokens) <= overlap_tokens_) --unit;
  if (overlap_tokens_ == 0) unit = before_.end();
  before_.erase(before_.begin(), unit);
}

Span Packer::span_to(const End& end) const { return trimmed(text_, {begin_, ahead_[end.units - 1].end}); }

/// The best kind of ends that there is: more than half full and with no tiny rest of the text behind, more than half
/// full, not tiny, any.
std::vector<Packer::End> Packer::candidates(std::size_t most_tokens) {
  const std::size_t behind = tokens_behind_ends();
  const std::size_t all = ends_.back().tokens;
  std::vector<End> fitting, whole, half, small;
  for (const End& end : ends_) {
    if (end.tokens > most_tokens) break;
    fitting.assign(1, end);
    if (!is_tiny(end.tokens - overlap_)) small.push_back(end);
    if (!is_half_full(end)) continue;
    half.push_back(end);
    if (!is_tiny(all - end.tokens + behind)) whole.push_back(end);
  }
  for (auto* ends : {&whole, &half, &small})
    if (!ends->empty()) return std::move(*ends);
  return fitting;
}

Packer::End Packer::best_of(const std::vector<End>& ends) {
  std::vector<End> strongest;
  Strength strength = Strength::character;
  for (const End& end : ends) {
    const Unit* const next = unit_after(end);
    const Strength here = next ? next->opens : Strength::heading;
    if (here > strength) strongest.clear();
    strength = std::max(strength, here);
    if (here == strength) strongest.push_back(end);
  }
  End best = strongest.front();
  std::uint64_t best_hash = hash_at(best);
  for (const End& end : strongest) {
    const std::uint64_t hash = hash_at(end);
    if (hash > best_hash) continue;
    best = end;
    best_hash = hash;
  }
  return best;
}

/// Tokens that follow the last end; not all of them if they are many.
std::size_t Packer::tokens_behind_ends() {
  std::size_t tokens = 0;
  for (std::size_t index = ends_.back().units; is_tiny(tokens); ++index) {
    const Unit* const unit = peek(index);
    if (!unit) break;
    if (!unit->blank) tokens += unit->tokens;
  }
  return tokens;
}

const Unit* Packer::unit_after(const End& end) {
  std::size_t index = end.units;
  const Unit* unit = peek(index);
  while (unit && unit->blank) unit = peek(++index);
  return unit;
}

std::uint64_t Packer::hash_at(const End& end) {
  const std::size_t place = ahead_[end.units - 1].end;
  const Unit* const next = unit_after(end);
  const std::string_view before = text_.substr(place - std::min(place, kHashedBytes), std::min(place, kHashedBytes));
  const std::string_view after = text_.substr(next ? next->begin : text_.size(), kHashedBytes);
  std::array<char, 2 * kHashedBytes> bytes{};
  before.copy(bytes.data(), before.size());
  after.copy(bytes.data() + kHashedBytes, after.size());
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace ragstone::detail
