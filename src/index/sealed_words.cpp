#include "index/sealed_words.hpp"

#include "index/edit_distance.hpp"
#include "text/varint.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace ragstone::words {
namespace {

constexpr std::size_t kLongLength = 15;

std::size_t common_prefix(std::string_view a, std::string_view b) noexcept {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t size = 0;
  while (size < most && a[size] == b[size]) ++size;
  return size;
}

std::size_t take_number(std::string_view& bytes) {
  if (!bytes.empty() && static_cast<unsigned char>(bytes.front()) < 0x80) {
    const auto value = static_cast<std::size_t>(bytes.front());
    bytes.remove_prefix(1);
    return value;
  }
  std::size_t at = 0;
  const std::optional<std::uint64_t> value = detail::read_varint(bytes, at);
  if (!value) throw_damaged();
  bytes.remove_prefix(at);
  return static_cast<std::size_t>(*value);
}

}  // namespace

void throw_damaged() {
  throw Error(Errc::corrupt_store, "trie index: its saved form is damaged; Document::rebuild_index() builds it anew");
}

std::uint64_t hash_of(std::string_view word) noexcept { return XXH3_64bits(word.data(), word.size()); }

SlotForm::SlotForm(std::size_t rows) noexcept
    : row_mask_(static_cast<std::uint32_t>((std::uint64_t{1} << std::bit_width(rows)) - 1)) {}

StoredWord BlockCursor::next() {
  StoredWord word;
  std::size_t own = 0;
  if (is_first_) {
    is_first_ = false;
    own = take_number(rest_);
  } else {
    const auto lengths = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    word.shared = lengths >> 4;
    own = lengths & kLongLength;
    if (word.shared == kLongLength) [[unlikely]]
      word.shared += std::min(take_number(rest_), size_);
    if (own == kLongLength) [[unlikely]]
      own += std::min(take_number(rest_), rest_.size());
  }
  if (word.shared > size_ || own > rest_.size()) [[unlikely]]
    throw_damaged();
  word.own = std::string_view(rest_.data(), own);
  rest_ = std::string_view(rest_.data() + own, rest_.size() - own);
  size_ = word.shared + own;
  return word;
}

SealedWords::SealedWords(std::shared_ptr<const IndexImage> image) : image_(std::move(image)) {
  blocks_ = detail::image_array<std::uint32_t>(*image_, kBlocks);
  words_ = image_->section(kWords, 1);
  slots_ = detail::image_array<std::uint32_t>(*image_, kSlots);
  nodes_ = detail::ImageNodes(*image_, kNodes);
  weights_ = detail::image_array<float>(*image_, kWeights);
  block_weights_ = detail::image_array<float>(*image_, kBlockWeights);
  rows_ = nodes_.size();
  const bool has_right_sizes = blocks_.size() == (rows_ + kRowsInBlock - 1) / kRowsInBlock && rows_ < UINT32_MAX &&
                               slots_.size() <= UINT32_MAX && (weights_.empty() || weights_.size() == rows_) &&
                               block_weights_.size() == (weights_.empty() ? 0 : blocks_.size()) &&
                               (rows_ == 0 || !slots_.empty());
  if (!has_right_sizes) throw_damaged();
}

float SealedWords::weight(std::size_t row) const {
  const float weight = weights_.empty() ? 1 : weights_[row];
  if (!std::isfinite(weight)) throw_damaged();
  return weight;
}

float SealedWords::block_weight(std::size_t block) const { return block_weights_.empty() ? 1 : block_weights_[block]; }

BlockCursor SealedWords::block(std::size_t number) const {
  const std::size_t begin = blocks_[number];
  const std::size_t end = number + 1 < blocks_.size() ? blocks_[number + 1] : words_.size();
  if (begin >= end || end > words_.size()) throw_damaged();
  return BlockCursor(words_.substr(begin, end - begin));
}

std::string_view SealedWords::head(std::size_t number) const { return block(number).next().own; }

SealedWords::Range SealedWords::find(std::string_view word) const {
  if (rows_ == 0) return {};
  const std::uint64_t hash = hash_of(word);
  const SlotForm form(rows_);
  const std::uint32_t tag = form.tag(hash);
  std::size_t slot = first_slot(hash, slots_.size());
  for (std::size_t probes = 0; probes < slots_.size(); ++probes) {
    const std::uint32_t value = slots_[slot];
    if (value == 0) return {};
    if ((value & ~form.row_mask()) == tag) {
      const std::size_t row = std::size_t{value & form.row_mask()} - 1;
      if (row >= rows_) throw_damaged();
      // Its id is needed next.
      nodes_.prefetch(row);
      if (const Range found = rows_of(row, word); found.end != 0) return found;
    }
    if (++slot == slots_.size()) slot = 0;
  }
  return {};
}

namespace {

/// Whether the last of `rows`, the first rows of a block, is `word`: each of its bytes is in the last row that stores
/// it.
bool is_last_row(std::span<const StoredWord> rows, std::string_view word) noexcept {
  if (rows.back().shared + rows.back().own.size() != word.size()) return false;
  std::size_t open = word.size();
  for (std::size_t i = rows.size(); open > 0 && i-- > 0;) {
    const StoredWord& row = rows[i];
    if (row.shared >= open) continue;
    if (std::memcmp(word.data() + row.shared, row.own.data(), open - row.shared) != 0) return false;
    open = row.shared;
  }
  return open == 0;
}

}  // namespace

SealedWords::Range SealedWords::rows_of(std::size_t first, std::string_view word) const {
  std::size_t number = first / kRowsInBlock;
  BlockCursor cursor = block(number);
  std::array<StoredWord, kRowsInBlock> rows;
  const std::size_t count = first % kRowsInBlock + 1;
  for (std::size_t i = 0; i < count; ++i) {
    if (cursor.at_end()) throw_damaged();
    rows[i] = cursor.next();
  }
  if (!is_last_row(std::span(rows).first(count), word)) return {};
  std::size_t end = first + 1;
  for (; end < rows_; ++end) {
    if (cursor.at_end()) {
      if (++number == blocks_.size()) throw_damaged();
      cursor = block(number);
      if (cursor.next().own != word) break;
    } else {
      const StoredWord stored = cursor.next();
      if (stored.shared != word.size() || !stored.own.empty()) break;
    }
  }
  return {first, end};
}

template <class Before>
std::size_t SealedWords::partition(Before before) const {
  std::size_t low = 0;
  std::size_t high = blocks_.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (before(head(middle))) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return 0;
  std::size_t row = (low - 1) * kRowsInBlock;
  std::string word;
  for (BlockCursor cursor = block(low - 1); !cursor.at_end() && row < rows_; ++row) {
    const StoredWord stored = cursor.next();
    word.resize(stored.shared);
    word += stored.own;
    if (!before(word)) break;
  }
  return row;
}

SealedWords::Range SealedWords::with_prefix(std::string_view prefix) const {
  if (prefix.empty()) return {0, rows_};
  const std::size_t begin = partition([&](std::string_view word) { return word < prefix; });
  const std::size_t end = partition([&](std::string_view word) { return word.substr(0, prefix.size()) <= prefix; });
  return {begin, std::max(begin, end)};
}

namespace {

/// The present word of a walk in order, as far as it is of use to the distance.
class Walk {
 public:
  Walk(std::string_view query, std::size_t max_edits) : distance_(query, max_edits), max_edits_(max_edits) {}

  /// The beginning that no word within the distance has; empty if there is none.
  std::string_view hopeless() const noexcept { return is_hopeless_ ? std::string_view(word_) : std::string_view(); }
  std::string_view word() const noexcept { return word_; }

  /// Goes on to a word; its distance, or more than max_edits.
  std::size_t go_to(const StoredWord& stored) {
    if (is_hopeless_ && stored.shared >= word_.size()) return max_edits_ + 1;
    word_.resize(std::min(stored.shared, word_.size()));
    while (!begins_.empty() && begins_.back() >= word_.size()) begins_.pop_back();
    distance_.cut(begins_.size());
    is_hopeless_ = !distance_.can_match();
    const std::size_t from = word_.size();
    word_ += stored.own;
    for (std::size_t at = from; at < word_.size() && !is_hopeless_;) {
      const utf8::Decoded decoded = utf8::decode(word_, at);
      begins_.push_back(at);
      distance_.push(decoded.code_point);
      at += decoded.size;
      is_hopeless_ = !distance_.can_match();
      if (is_hopeless_) word_.resize(at);
    }
    return is_hopeless_ ? max_edits_ + 1 : distance_.distance();
  }

 private:
  EditDistance distance_;
  std::size_t max_edits_;
  std::string word_;                 ///< Up to the end of the code point that made it hopeless.
  std::vector<std::size_t> begins_;  ///< Where its code points begin.
  bool is_hopeless_ = false;
};

}  // namespace

void SealedWords::within(std::string_view query, std::size_t max_edits,
                         const std::function<void(std::size_t, std::size_t)>& found, const StopToken& stop) const {
  kernel::StopPoll poll(stop);
  Walk walk(query, max_edits);
  for (std::size_t number = 0; number < blocks_.size(); ++number) {
    // Blocks that begin and end with the hopeless beginning hold nothing else.
    if (const std::string_view hopeless = walk.hopeless(); !hopeless.empty()) {
      std::size_t step = 1;
      while (number + step < blocks_.size() && head(number + step).substr(0, hopeless.size()) == hopeless) {
        number += step;
        step *= 2;
      }
      for (; step > 0; step /= 2)
        if (number + step < blocks_.size() && head(number + step).substr(0, hopeless.size()) == hopeless)
          number += step;
    }
    poll.spend(500);
    BlockCursor cursor = block(number);
    for (std::size_t row = number * kRowsInBlock; !cursor.at_end() && row < rows_; ++row) {
      StoredWord stored = cursor.next();
      if (row % kRowsInBlock == 0) {
        stored.shared = utf8::floor_boundary(stored.own, common_prefix(walk.word(), stored.own));
        stored.own.remove_prefix(stored.shared);
      }
      const std::size_t distance = walk.go_to(stored);
      if (distance <= max_edits) found(row, distance);
    }
  }
}

bool SealedCursor::next() {
  if (next_row_ == words_->rows()) return false;
  if (next_row_ % kRowsInBlock == 0) block_.emplace(words_->block(next_row_ / kRowsInBlock));
  if (block_->at_end()) throw_damaged();
  const StoredWord stored = block_->next();
  word_.resize(stored.shared);
  word_ += stored.own;
  ++next_row_;
  return true;
}

}  // namespace ragstone::words
