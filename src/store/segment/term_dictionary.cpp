#include "store/segment/term_dictionary.hpp"

#include "store/segment/container.hpp"
#include "text/varint.hpp"

#include <algorithm>
#include <array>

namespace ragstone::segment {
namespace {

[[noreturn]] void fail() { throw_corrupt("damaged dictionary"); }

/// Takes a number from the front.
std::uint64_t take_varint(std::string_view& bytes) {
  std::size_t at = 0;
  const std::optional<std::uint64_t> value = detail::read_varint(bytes, at);
  if (!value) fail();
  bytes.remove_prefix(at);
  return *value;
}

std::string_view take_bytes(std::string_view& bytes, std::uint64_t size) {
  if (size > bytes.size()) fail();
  const std::string_view text = bytes.substr(0, static_cast<std::size_t>(size));
  bytes.remove_prefix(text.size());
  return text;
}

// Two lengths share a byte; one that is this or more goes on in a varint.
constexpr std::uint64_t kLongLength = 15;

std::uint64_t take_length(std::string_view& bytes, unsigned nibble, std::size_t limit) {
  if (nibble < kLongLength) return nibble;
  const std::uint64_t more = take_varint(bytes);
  if (more > limit) fail();
  return kLongLength + more;
}

char* write_lengths(char* to, std::uint64_t a, std::uint64_t b) {
  *to++ = static_cast<char>(std::min(a, kLongLength) << 4 | std::min(b, kLongLength));
  if (a >= kLongLength) to = detail::write_varint(to, a - kLongLength);
  if (b >= kLongLength) to = detail::write_varint(to, b - kLongLength);
  return to;
}

}  // namespace

std::string_view TermDictionary::block(std::size_t number) const {
  const std::uint64_t begin = blocks_[number];
  const std::uint64_t end = number + 1 < blocks_.size() ? blocks_[number + 1] : bytes_.size();
  if (begin >= end || end > bytes_.size()) fail();
  return bytes_.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
}

std::string_view TermDictionary::first_term(std::size_t number) const {
  std::string_view bytes = block(number);
  const std::uint64_t size = take_varint(bytes);
  return take_bytes(bytes, size);
}

std::optional<TermEntry> TermDictionary::find(std::string_view term) const {
  std::size_t low = 0;
  std::size_t high = blocks_.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (first_term(middle) <= term) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return std::nullopt;
  TermCursor cursor(*this, low - 1);
  for (std::size_t i = 0; i < kTermsInBlock && cursor.next() && cursor.term() <= term; ++i)
    if (cursor.term() == term) return cursor.entry();
  return std::nullopt;
}

bool TermCursor::next() {
  if (rest_.empty()) {
    if (next_block_ >= dictionary_->blocks_.size()) return false;
    rest_ = dictionary_->block(next_block_++);
    const std::uint64_t size = take_varint(rest_);
    term_ = take_bytes(rest_, size);
    entry_.offset = take_varint(rest_);
  } else {
    const auto lengths = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    const std::uint64_t shared = take_length(rest_, lengths >> 4, term_.size());
    const std::uint64_t own = take_length(rest_, lengths & kLongLength, rest_.size());
    if (shared > term_.size()) fail();
    term_.resize(static_cast<std::size_t>(shared));
    term_.append(take_bytes(rest_, own));
    if (entry_.bytes > UINT64_MAX - entry_.offset) fail();
    entry_.offset += entry_.bytes;
  }
  const std::uint64_t size = take_varint(rest_);
  entry_.bytes = size >> 1;
  entry_.count = (size & 1) != 0 ? entry_.bytes : take_varint(rest_);
  return true;
}

void TermDictionaryWriter::add(std::string_view term, const TermEntry& entry) {
  std::array<char, 2 * detail::kMaxVarintBytes + 1> numbers;
  char* end = numbers.data();
  std::size_t shared = 0;
  if (in_block_ == kTermsInBlock) {
    in_block_ = 0;
    blocks_.push_back(bytes_.size());
    end = detail::write_varint(end, term.size());
    bytes_.append(numbers.data(), end).append(term);
    end = detail::write_varint(numbers.data(), entry.offset);
  } else {
    const std::size_t most = std::min(last_.size(), term.size());
    while (shared < most && last_[shared] == term[shared]) ++shared;
    end = write_lengths(end, shared, term.size() - shared);
    bytes_.append(numbers.data(), end).append(term.substr(shared));
    end = numbers.data();
  }
  const bool of_one_byte_each = entry.count == entry.bytes;
  end = detail::write_varint(end, entry.bytes << 1 | (of_one_byte_each ? 1 : 0));
  bytes_.append(numbers.data(), end);
  if (!of_one_byte_each) bytes_.append(numbers.data(), detail::write_varint(numbers.data(), entry.count));
  last_.resize(shared);
  last_.append(term.substr(shared));
  ++in_block_;
}

}  // namespace ragstone::segment
