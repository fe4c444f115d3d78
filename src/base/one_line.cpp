#include "base/one_line.hpp"

#include <ragstone/base/utf8.hpp>

namespace ragstone {
namespace {

bool breaks_lines(char32_t c) noexcept { return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029; }

}  // namespace

bool is_one_line(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const utf8::Decoded decoded = utf8::decode(text, at);
    if (decoded.code_point == utf8::kInvalid || breaks_lines(decoded.code_point)) return false;
    at += decoded.size;
  }
  return true;
}

std::string one_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const utf8::Decoded decoded = utf8::decode(text, at);
    if (decoded.code_point == utf8::kInvalid) {
      utf8::append(line, utf8::kReplacement);
    } else if (breaks_lines(decoded.code_point)) {
      line += ' ';
    } else {
      line += text.substr(at, decoded.size);
    }
    at += decoded.size;
  }
  return line;
}

}  // namespace ragstone
