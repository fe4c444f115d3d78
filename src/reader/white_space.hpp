#pragma once

#include <ragstone/base/span.hpp>

#include <cstddef>
#include <string_view>

namespace ragstone::detail {

/// Unicode's White_Space.
bool is_white_space(char32_t code_point) noexcept;

/// The end of the white space that begins at `at`, at most `end`.
std::size_t skip_white_space(std::string_view text, std::size_t at, std::size_t end) noexcept;

/// The beginning of the white space that ends at `at`, at least `begin`. `text` is valid UTF-8 there.
std::size_t trim_white_space(std::string_view text, std::size_t begin, std::size_t at) noexcept;

inline bool is_line_end(char byte) noexcept { return byte == '\n' || byte == '\r'; }

/// True at the beginning of the text and after LF or CR.
inline bool is_line_start(std::string_view text, std::size_t at) noexcept {
  return at == 0 || is_line_end(text[at - 1]);
}

/// `span` without white space at its end and without blank lines at its beginning; a first line that is whole keeps its
/// indentation. Empty if all is white space.
Span trimmed(std::string_view text, Span span) noexcept;

}  // namespace ragstone::detail
