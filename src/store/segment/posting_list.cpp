#include "store/segment/posting_list.hpp"

#include "store/segment/container.hpp"
#include "text/varint.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>

namespace ragstone::segment {
namespace {

// Whole numbers up to here are exact in a float.
constexpr float kLargestInteger = 1 << 24;
constexpr unsigned kIntegerBits = 24;
constexpr std::size_t kUnit = 16;
constexpr std::uint32_t kLongLength = UINT16_MAX;

[[noreturn]] void fail() { throw_corrupt("damaged postings"); }

bool is_integer(float weight) { return weight >= 1 && weight <= kLargestInteger && std::trunc(weight) == weight; }

void append_tail(std::string& to, std::span<const Posting> postings, std::uint64_t next_row) {
  std::array<char, kBlockPostings*(2 * detail::kMaxVarintBytes + sizeof(float))> bytes;
  char* end = bytes.data();
  for (const Posting& posting : postings) {
    const std::uint64_t gap = posting.row - next_row;
    next_row = std::uint64_t{posting.row} + 1;
    if (posting.weight == 1) {
      end = detail::write_varint(end, gap << 1);
      continue;
    }
    end = detail::write_varint(end, gap << 1 | 1);
    if (is_integer(posting.weight)) {
      end = detail::write_varint(end, static_cast<std::uint64_t>(posting.weight));
    } else {
      end = detail::write_varint(end, 0);
      std::memcpy(end, &posting.weight, sizeof posting.weight);
      end += sizeof posting.weight;
    }
  }
  to.append(bytes.data(), end);
}

unsigned bits_of(const BlockNumbers& numbers) {
  std::uint32_t all = 0;
  for (const std::uint32_t number : numbers) all |= number;
  return static_cast<unsigned>(std::bit_width(all));
}

void append_block(std::string& to, std::span<const Posting> postings, std::uint64_t next_row, BlockEntry& entry) {
  BlockNumbers gaps;
  BlockNumbers weights;
  const bool integers =
      std::all_of(postings.begin(), postings.end(), [](const Posting& posting) { return is_integer(posting.weight); });
  for (std::size_t i = 0; i < kBlockPostings; ++i) {
    gaps[i] = static_cast<std::uint32_t>(postings[i].row - next_row);
    next_row = std::uint64_t{postings[i].row} + 1;
    weights[i] = integers ? static_cast<std::uint32_t>(postings[i].weight) - 1
                          : std::bit_cast<std::uint32_t>(postings[i].weight);
  }
  entry.row_bits = static_cast<std::uint8_t>(bits_of(gaps));
  entry.weight_bits = static_cast<std::uint8_t>(integers ? bits_of(weights) : kMaxBits);
  append_packed(to, gaps, entry.row_bits);
  append_packed(to, weights, entry.weight_bits);
}

std::uint16_t short_length(std::uint32_t length) { return static_cast<std::uint16_t>(std::min(length, kLongLength)); }

/// The smallest weight of the block, mostly 1, bounds its short rows; the others are bounded together.
BlockImpact impact_of(std::span<const Posting> postings, std::span<const std::uint32_t> lengths) {
  BlockImpact impact{postings.front().weight, postings.front().weight, kLongLength, kLongLength};
  for (const Posting& posting : postings) {
    impact.low_weight = std::min(impact.low_weight, posting.weight);
    impact.high_weight = std::max(impact.high_weight, posting.weight);
  }
  for (const Posting& posting : postings) {
    const std::uint16_t length = short_length(lengths[posting.row]);
    const bool is_low = posting.weight == impact.low_weight;
    impact.low_length = std::min<std::uint16_t>(impact.low_length, is_low ? length : kLongLength);
    impact.high_length = std::min<std::uint16_t>(impact.high_length, is_low ? kLongLength : length);
  }
  return impact;
}

/// Of several blocks together.
BlockImpact impact_of(std::span<const BlockEntry> blocks) {
  BlockImpact all = blocks.front().impact;
  for (const BlockEntry& block : blocks) {
    all.low_weight = std::min(all.low_weight, block.impact.low_weight);
    all.high_weight = std::max(all.high_weight, block.impact.high_weight);
  }
  all.low_length = all.high_length = kLongLength;
  for (const BlockEntry& block : blocks) {
    std::uint16_t& shortest = block.impact.low_weight == all.low_weight ? all.low_length : all.high_length;
    shortest = std::min(shortest, block.impact.low_length);
    all.high_length = std::min(all.high_length, block.impact.high_length);
  }
  return all;
}

}  // namespace

void append_postings(std::string& to, std::span<const Posting> postings, std::span<const std::uint32_t> lengths) {
  if (postings.size() < kBlockPostings) return append_tail(to, postings, 0);
  const std::size_t head = to.size();
  std::vector<BlockEntry> blocks((postings.size() + kBlockPostings - 1) / kBlockPostings);
  to.resize(head + sizeof(BlockImpact) + blocks.size() * sizeof(BlockEntry));
  const std::size_t data = to.size();
  std::uint64_t next_row = 0;
  for (std::size_t block = 0; block < blocks.size(); ++block) {
    const auto of_block =
        postings.subspan(block * kBlockPostings, std::min(kBlockPostings, postings.size() - block * kBlockPostings));
    BlockEntry& entry = blocks[block];
    entry.last_row = of_block.back().row;
    entry.begin = static_cast<std::uint32_t>((to.size() - data) / kUnit);
    entry.impact = impact_of(of_block, lengths);
    if (of_block.size() == kBlockPostings) {
      append_block(to, of_block, next_row, entry);
    } else {
      append_tail(to, of_block, next_row);
    }
    next_row = std::uint64_t{entry.last_row} + 1;
  }
  const BlockImpact all = impact_of(blocks);
  std::memcpy(to.data() + head, &all, sizeof all);
  std::memcpy(to.data() + head + sizeof all, blocks.data(), blocks.size() * sizeof(BlockEntry));
}

PostingList::PostingList(std::string_view bytes, std::uint64_t count, std::size_t rows)
    : data_(bytes), count_(count), rows_(rows) {
  if (count > rows) fail();
  if (!has_table()) return;
  const std::size_t table = sizeof(BlockImpact) + blocks() * sizeof(BlockEntry);
  if (bytes.size() < table) fail();
  table_ = bytes.substr(0, table);
  data_ = bytes.substr(table);
}

BlockEntry PostingList::entry(std::size_t block) const noexcept {
  BlockEntry entry;
  std::memcpy(&entry, table_.data() + sizeof(BlockImpact) + block * sizeof entry, sizeof entry);
  return entry;
}

std::uint32_t PostingList::last_row(std::size_t block) const noexcept {
  std::uint32_t row = 0;
  std::memcpy(&row, table_.data() + sizeof(BlockImpact) + block * sizeof(BlockEntry), sizeof row);
  return row;
}

BlockImpact PostingList::impact() const noexcept {
  BlockImpact impact;
  std::memcpy(&impact, table_.data(), sizeof impact);
  return impact;
}

const char* PostingList::packed(std::size_t, const BlockEntry& entry) const {
  const std::size_t begin = entry.begin * kUnit;
  const bool known = entry.row_bits <= kMaxBits && (entry.weight_bits <= kIntegerBits || entry.weight_bits == kMaxBits);
  if (!known || begin > data_.size() ||
      data_.size() - begin < packed_bytes(entry.row_bits) + packed_bytes(entry.weight_bits))
    fail();
  return data_.data() + begin;
}

void PostingList::read_rows(std::size_t block, PostingBlock& to) const {
  if (!is_packed(block)) {
    read_tail(block, to);
    return;
  }
  const BlockEntry of_block = entry(block);
  unpack(packed(block, of_block), of_block.row_bits, to.rows);
  // 64 bits, so that no sum of gaps comes round to a small row.
  std::uint64_t row = first_row(block) - 1;
  for (std::uint32_t& number : to.rows) {
    row += std::uint64_t{number} + 1;
    number = static_cast<std::uint32_t>(row);
  }
  if (row != of_block.last_row || row >= rows_) fail();
  to.size = kBlockPostings;
  to.has_weights = false;
}

void PostingList::read_weights(std::size_t block, PostingBlock& to) const {
  if (to.has_weights) return;
  to.has_weights = true;
  const BlockEntry of_block = entry(block);
  const char* bytes = packed(block, of_block) + packed_bytes(of_block.row_bits);
  BlockNumbers numbers;
  unpack(bytes, of_block.weight_bits, numbers);
  if (of_block.weight_bits == kMaxBits) {
    std::memcpy(to.weights.data(), numbers.data(), sizeof numbers);
  } else {
    for (std::size_t i = 0; i < kBlockPostings; ++i)
      to.weights[i] = static_cast<float>(static_cast<std::int32_t>(numbers[i] + 1));
  }
}

std::size_t PostingList::read_tail(std::size_t block, PostingBlock& to) const {
  std::size_t at = has_table() ? entry(block).begin * kUnit : 0;
  if (at > data_.size()) fail();
  const auto varint = [&]() -> std::uint64_t {
    if (at < data_.size() && static_cast<unsigned char>(data_[at]) < 0x80)
      return static_cast<unsigned char>(data_[at++]);
    const std::optional<std::uint64_t> value = detail::read_varint(data_, at);
    if (!value) fail();
    return *value;
  };
  to.size = static_cast<std::size_t>(count_ - block * kBlockPostings);
  to.has_weights = true;
  std::uint64_t next_row = first_row(block);
  for (std::size_t i = 0; i < to.size; ++i) {
    const std::uint64_t head = varint();
    if (next_row >= rows_ || head >> 1 >= rows_ - next_row) fail();
    const std::uint64_t row = next_row + (head >> 1);
    next_row = row + 1;
    to.rows[i] = static_cast<std::uint32_t>(row);
    to.weights[i] = 1;
    if ((head & 1) == 0) continue;
    const std::uint64_t whole = varint();
    to.weights[i] = static_cast<float>(whole);
    if (whole > 0) continue;
    if (data_.size() - at < sizeof(float)) fail();
    std::memcpy(&to.weights[i], data_.data() + at, sizeof(float));
    at += sizeof(float);
  }
  if (has_table() && to.rows[to.size - 1] != last_row(block)) fail();
  return at;
}

bool PostingList::ends_with(const PostingBlock& last) const {
  if (blocks() == 0) return data_.empty();
  const std::size_t block = blocks() - 1;
  if (is_packed(block)) {
    const BlockEntry of_block = entry(block);
    return of_block.begin * kUnit + packed_bytes(of_block.row_bits) + packed_bytes(of_block.weight_bits) ==
           data_.size();
  }
  PostingBlock again = last;
  return read_tail(block, again) == data_.size();
}

bool PostingCursor::next_block() {
  if (next_ == list_.blocks()) return false;
  list_.read_rows(next_, block_);
  list_.read_weights(next_, block_);
  ++next_;
  at_ = 0;
  return true;
}

}  // namespace ragstone::segment
