#include "store/segment/term_dictionary.hpp"

#include "store/segment/container.hpp"
#include "text/varint.hpp"

#include <algorithm>

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

/// Takes a length and so many bytes from the front.
std::string_view take_string(std::string_view& bytes) {
  const std::uint64_t size = take_varint(bytes);
  if (size > bytes.size()) fail();
  const std::string_view text = bytes.substr(0, static_cast<std::size_t>(size));
  bytes.remove_prefix(text.size());
  return text;
}

void append_string(std::string& to, std::string_view text) {
  detail::append_varint(to, text.size());
  to.append(text);
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
  return take_string(bytes);
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
    term_ = take_string(rest_);
    entry_.offset = take_varint(rest_);
  } else {
    const std::uint64_t shared = take_varint(rest_);
    if (shared > term_.size()) fail();
    term_.resize(static_cast<std::size_t>(shared));
    term_.append(take_string(rest_));
    if (entry_.bytes > UINT64_MAX - entry_.offset) fail();
    entry_.offset += entry_.bytes;
  }
  entry_.count = take_varint(rest_);
  entry_.bytes = take_varint(rest_);
  return true;
}

void TermDictionaryWriter::add(std::string_view term, const TermEntry& entry) {
  if (in_block_ == kTermsInBlock) {
    in_block_ = 0;
    blocks_.push_back(bytes_.size());
    append_string(bytes_, term);
    detail::append_varint(bytes_, entry.offset);
  } else {
    const auto shared = static_cast<std::size_t>(
        std::mismatch(last_.begin(), last_.end(), term.begin(), term.end()).first - last_.begin());
    detail::append_varint(bytes_, shared);
    append_string(bytes_, term.substr(shared));
  }
  detail::append_varint(bytes_, entry.count);
  detail::append_varint(bytes_, entry.bytes);
  last_ = term;
  ++in_block_;
}

}  // namespace ragstone::segment
