#pragma once

#include <ragstone/base/utf8.hpp>

#include <cstddef>
#include <string_view>

/// Positions in UTF-8. Functions that take a position accept 0 to text.size(); all are safe on invalid UTF-8, where a
/// boundary is a byte that is no continuation byte.
namespace ragstone::utf8 {

/// True between code points, and at both ends.
inline bool is_boundary(std::string_view text, std::size_t at) noexcept {
  return at == 0 || at >= text.size() || (static_cast<unsigned char>(text[at]) & 0xC0u) != 0x80u;
}

/// The nearest boundary at or before `at`.
inline std::size_t floor_boundary(std::string_view text, std::size_t at) noexcept {
  if (at >= text.size()) return text.size();
  while (!is_boundary(text, at)) --at;
  return at;
}

/// The nearest boundary at or after `at`.
inline std::size_t ceil_boundary(std::string_view text, std::size_t at) noexcept {
  while (!is_boundary(text, at)) ++at;
  return at < text.size() ? at : text.size();
}

/// Number of code points; on invalid UTF-8 the number of bytes that are no continuation bytes.
std::size_t length(std::string_view text) noexcept;

/// Byte offset of the n-th code point, text.size() if there are not that many.
std::size_t offset_of(std::string_view text, std::size_t n) noexcept;

/// The code points of a text with their places: `for (const CodePoint c : CodePoints(text))`. Does not own the text.
/// Invalid bytes appear as kInvalid, one maximal subpart each.
struct CodePoint {
  char32_t value = kInvalid;
  std::size_t begin = 0;
  std::size_t end = 0;
};

class CodePoints {
 public:
  class Iterator {
   public:
    Iterator(std::string_view text, std::size_t at) noexcept : text_(text), at_(at) { read(); }

    CodePoint operator*() const noexcept { return {now_.code_point, at_, at_ + now_.size}; }
    Iterator& operator++() noexcept {
      at_ += now_.size;
      read();
      return *this;
    }
    bool operator==(const Iterator& other) const noexcept { return at_ == other.at_; }

   private:
    void read() noexcept {
      if (at_ < text_.size()) now_ = decode(text_, at_);
    }

    std::string_view text_;
    std::size_t at_;
    Decoded now_;
  };

  explicit CodePoints(std::string_view text) noexcept : text_(text) {}

  Iterator begin() const noexcept { return {text_, 0}; }
  Iterator end() const noexcept { return {text_, text_.size()}; }

 private:
  std::string_view text_;
};

}  // namespace ragstone::utf8
