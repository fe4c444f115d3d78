#include <ragstone/base/utf8.hpp>

#include <cstring>

namespace ragstone::utf8 {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080;

std::uint64_t load(const char* bytes) noexcept {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// The smallest and largest second byte that may follow a lead byte (Unicode 15, table 3-7).
struct Lead {
  std::uint32_t size;
  unsigned char low;
  unsigned char high;
};

constexpr Lead lead_of(unsigned char byte) noexcept {
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

Decoded decode(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) return {first, 1};
  const Lead lead = lead_of(first);
  if (lead.size == 0) return {kInvalid, 1};
  if (at + 1 >= text.size() || byte(at + 1) < lead.low || byte(at + 1) > lead.high) return {kInvalid, 1};
  char32_t code_point = (first & (0x7Fu >> lead.size)) << 6 | (byte(at + 1) & 0x3Fu);
  for (std::uint32_t i = 2; i < lead.size; ++i) {
    if (at + i >= text.size() || (byte(at + i) & 0xC0u) != 0x80u) return {kInvalid, i};
    code_point = code_point << 6 | (byte(at + i) & 0x3Fu);
  }
  return {code_point, lead.size};
}

void append(std::string& text, char32_t code_point) {
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point < 0xE000)) code_point = kReplacement;
  const auto push = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    push(code_point);
  } else if (code_point < 0x800) {
    push(0xC0 | code_point >> 6);
    push(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    push(0xE0 | code_point >> 12);
    push(0x80 | (code_point >> 6 & 0x3F));
    push(0x80 | (code_point & 0x3F));
  } else {
    push(0xF0 | code_point >> 18);
    push(0x80 | (code_point >> 12 & 0x3F));
    push(0x80 | (code_point >> 6 & 0x3F));
    push(0x80 | (code_point & 0x3F));
  }
}

std::size_t ascii_prefix(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at + 32 <= text.size()) {
    const char* p = text.data() + at;
    if ((load(p) | load(p + 8) | load(p + 16) | load(p + 24)) & kHighBits) break;
    at += 32;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

std::size_t find_invalid(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      at += ascii_prefix(text.substr(at));
      continue;
    }
    const Decoded decoded = decode(text, at);
    if (decoded.code_point == kInvalid) return at;
    at += decoded.size;
  }
  return npos;
}

}  // namespace ragstone::utf8
