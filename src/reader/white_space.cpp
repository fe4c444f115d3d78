#include "reader/white_space.hpp"

#include <ragstone/text/utf8.hpp>

namespace ragstone::detail {

bool is_white_space(char32_t code_point) noexcept {
  if (code_point < 0x80) return code_point == ' ' || (code_point >= '\t' && code_point <= '\r');
  return code_point == 0x85 || code_point == 0xA0 || code_point == 0x1680 ||
         (code_point >= 0x2000 && code_point <= 0x200A) || code_point == 0x2028 || code_point == 0x2029 ||
         code_point == 0x202F || code_point == 0x205F || code_point == 0x3000;
}

std::size_t skip_white_space(std::string_view text, std::size_t at, std::size_t end) noexcept {
  while (at < end) {
    const utf8::Decoded decoded = utf8::decode(text, at);
    if (!is_white_space(decoded.code_point)) break;
    at += decoded.size;
  }
  return at;
}

std::size_t trim_white_space(std::string_view text, std::size_t begin, std::size_t at) noexcept {
  while (at > begin) {
    const std::size_t before = utf8::floor_boundary(text, at - 1);
    if (!is_white_space(utf8::decode(text, before).code_point)) break;
    at = before;
  }
  return at;
}

Span trimmed(std::string_view text, Span span) noexcept {
  const std::size_t end = trim_white_space(text, span.begin, span.end);
  const std::size_t first = skip_white_space(text, span.begin, end);
  std::size_t line = first;
  while (line > span.begin && !is_line_end(text[line - 1])) --line;
  return {is_line_start(text, line) ? line : first, end};
}

}  // namespace ragstone::detail
