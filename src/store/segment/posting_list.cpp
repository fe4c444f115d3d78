#include "store/segment/posting_list.hpp"

#include "store/segment/container.hpp"
#include "text/varint.hpp"

#include <cmath>
#include <cstring>
#include <optional>

namespace ragstone::segment {
namespace {

// Whole numbers up to here are exact in a float.
constexpr float kLargestInteger = 1 << 24;

bool is_short(float weight) { return weight >= 2 && weight <= kLargestInteger && std::trunc(weight) == weight; }

}  // namespace

void append_postings(std::string& to, std::span<const Posting> postings) {
  std::uint64_t next_row = 0;
  for (const Posting& posting : postings) {
    const std::uint64_t gap = posting.row - next_row;
    next_row = std::uint64_t{posting.row} + 1;
    if (posting.weight == 1) {
      detail::append_varint(to, gap << 1);
      continue;
    }
    detail::append_varint(to, gap << 1 | 1);
    if (is_short(posting.weight)) {
      detail::append_varint(to, static_cast<std::uint64_t>(posting.weight));
    } else {
      detail::append_varint(to, 0);
      to.append(reinterpret_cast<const char*>(&posting.weight), sizeof posting.weight);
    }
  }
}

std::uint64_t PostingCursor::long_varint() {
  const std::optional<std::uint64_t> value = detail::read_varint(bytes_, at_);
  if (!value) fail();
  return *value;
}

float PostingCursor::long_weight() {
  const std::uint64_t whole = varint();
  if (whole > 0) return static_cast<float>(whole);
  float weight = 0;
  if (bytes_.size() - at_ < sizeof weight) fail();
  std::memcpy(&weight, bytes_.data() + at_, sizeof weight);
  at_ += sizeof weight;
  return weight;
}

void PostingCursor::fail() { throw_corrupt("damaged postings"); }

}  // namespace ragstone::segment
