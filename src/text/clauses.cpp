#include <ragstone/base/utf8.hpp>
#include <ragstone/text/segment.hpp>

#include <unicode/uchar.h>

namespace ragstone {
namespace {

bool is_ascii_mark(char32_t c) noexcept { return c == ',' || c == ';' || c == ':'; }

bool is_wide_mark(char32_t c) noexcept {
  return c == 0xFF0C || c == 0x3001 || c == 0xFF1B || c == 0xFF1A || c == 0xFF64 || c == 0xFE50 || c == 0xFE51;
}

bool is_closing(char32_t c) noexcept {
  if (c == '"' || c == '\'') return true;
  if (c == utf8::kInvalid) return false;
  const auto type = u_charType(static_cast<UChar32>(c));
  return type == U_END_PUNCTUATION || type == U_FINAL_PUNCTUATION;
}

bool is_space(char32_t c) noexcept { return c != utf8::kInvalid && u_isUWhiteSpace(static_cast<UChar32>(c)); }

// The end of the characters from `at` on that `belongs` accepts.
template <class Predicate>
std::size_t skip(std::string_view text, std::size_t at, const Predicate& belongs) noexcept {
  while (at < text.size()) {
    const utf8::Decoded decoded = utf8::decode(text, at);
    if (!belongs(decoded.code_point)) break;
    at += decoded.size;
  }
  return at;
}

}  // namespace

std::vector<Span> clauses(std::string_view text) {
  std::vector<Span> spans;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const utf8::Decoded decoded = utf8::decode(text, at);
    at += decoded.size;
    const bool ascii = is_ascii_mark(decoded.code_point);
    if (!ascii && !is_wide_mark(decoded.code_point)) continue;
    const std::size_t closed = skip(text, at, is_closing);
    const std::size_t end = skip(text, closed, is_space);
    // "1,000", "12:30", "http://": nothing that is divided by a space or another script.
    if (ascii && end == at && end < text.size() && static_cast<unsigned char>(text[end]) < 0x80) continue;
    spans.push_back({begin, end});
    begin = at = end;
  }
  if (begin < text.size()) spans.push_back({begin, text.size()});
  return spans;
}

}  // namespace ragstone
