#include "text/decoders.hpp"
#include <ragstone/base/utf8.hpp>
#include <ragstone/text/encoding.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include <unicode/uchar.h>
#include <unicode/ucsdet.h>

namespace ragstone {
namespace {

constexpr std::size_t kSampleBytes = 1 << 16;

unsigned byte_at(std::string_view bytes, std::size_t at) noexcept { return static_cast<unsigned char>(bytes[at]); }

// Control bytes that no text in an 8-bit encoding has, but halves of UTF-16 and UTF-32 units often are.
bool has_wide_bytes(std::string_view bytes) noexcept {
  return std::any_of(bytes.begin(), bytes.end(), [](char c) { return c >= 0 && c < 0x07; });
}

// Valid UTF-8 with a stray control byte is a text with a stray control byte: only many NULs make it UTF-16 or UTF-32.
bool has_many_nuls(std::string_view bytes) noexcept {
  return static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\0')) * 10 >= bytes.size();
}

bool is_usual(char32_t c) noexcept {
  if (c < 0x20) return c == '\t' || c == '\n' || c == '\r' || c == '\f';
  if (c >= 0x7F && c < 0xA0) return false;
  const auto type = u_charType(static_cast<UChar32>(c));
  return type != U_UNASSIGNED && type != U_PRIVATE_USE_CHAR && type != U_SURROGATE && type != U_CONTROL_CHAR;
}

// Characters that dominate real texts: Latin, punctuation, kana, common ideographs, Hangul, full-width forms, and the
// small alphabets below U+0800.
bool is_frequent(char32_t c) noexcept {
  return is_usual(c) && (c < 0x0800 || (c >= 0x2000 && c < 0x2070) || (c >= 0x3000 && c < 0x3100) ||
                         (c >= 0x4E00 && c < 0xA000) || (c >= 0xAC00 && c < 0xD7A4) || (c >= 0xFF00 && c < 0xFFEF));
}

// Collects the statistics of a trial decoding.
struct Trial {
  std::size_t characters = 0;
  std::size_t usual = 0;
  std::size_t frequent = 0;
  std::size_t low = 0;  // below U+0100 or CJK punctuation: what the wrong byte order hardly ever gives
  bool valid = true;

  void add(char32_t c) noexcept {
    ++characters;
    usual += is_usual(c);
    frequent += is_frequent(c);
    low += (c < 0x100 && is_usual(c)) || (c >= 0x3000 && c < 0x3003) || c == 0xFF0C;
  }
  bool convincing() const noexcept {
    return valid && characters > 0 && usual * 100 >= characters * 98 && frequent * 100 >= characters * 85;
  }
};

Trial try_utf32(std::string_view sample, detail::ByteOrder order) {
  Trial trial;
  for (std::size_t at = 0; at + 3 < sample.size(); at += 4) {
    std::array<unsigned, 4> b{byte_at(sample, at), byte_at(sample, at + 1), byte_at(sample, at + 2),
                              byte_at(sample, at + 3)};
    if (order == detail::ByteOrder::little) std::reverse(b.begin(), b.end());
    const char32_t c = b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
    if (c > 0x10FFFF || c == 0 || (c >= 0xD800 && c < 0xE000)) return {.valid = false};
    trial.add(c);
  }
  return trial;
}

Trial try_utf16(std::string_view sample, detail::ByteOrder order) {
  Trial trial;
  char32_t high = 0;
  for (std::size_t at = 0; at + 1 < sample.size(); at += 2) {
    const unsigned a = byte_at(sample, at);
    const unsigned b = byte_at(sample, at + 1);
    const char32_t unit = order == detail::ByteOrder::big ? a << 8 | b : b << 8 | a;
    const bool is_low = unit >= 0xDC00 && unit < 0xE000;
    if (unit == 0 || unit == 0xFFFE || unit == 0xFFFF || is_low != (high != 0)) return {.valid = false};
    if (is_low)
      trial.add(0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
    else if (unit < 0xD800 || unit >= 0xDC00)
      trial.add(unit);
    high = unit >= 0xD800 && unit < 0xDC00 ? unit : 0;
  }
  return trial;
}

std::string detect_wide(std::string_view bytes) {
  const std::string_view sample = bytes.substr(0, kSampleBytes);
  if (bytes.size() % 4 == 0) {
    if (try_utf32(sample, detail::ByteOrder::little).convincing()) return "UTF-32LE";
    if (try_utf32(sample, detail::ByteOrder::big).convincing()) return "UTF-32BE";
  }
  if (bytes.size() % 2 != 0) return {};
  const Trial little = try_utf16(sample, detail::ByteOrder::little);
  const Trial big = try_utf16(sample, detail::ByteOrder::big);
  if (little.convincing() && (!big.convincing() || little.low > big.low)) return "UTF-16LE";
  if (big.convincing() && (!little.convincing() || big.low > little.low)) return "UTF-16BE";
  return {};
}

// True for a file that is UTF-8 except in few places: at least ten good sequences for each bad one.
bool is_damaged_utf8(std::string_view bytes) {
  std::size_t good = 0;
  std::size_t bad = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    at += utf8::ascii_prefix(bytes.substr(at));
    if (at == bytes.size()) break;
    const utf8::Decoded decoded = utf8::decode(bytes, at);
    ++(decoded.code_point == utf8::kInvalid ? bad : good);
    at += decoded.size;
  }
  return good >= 10 * bad;
}

// GB18030 by its frequent characters: the first level of GB 2312 (leads B0 to D7), whose second half (C9 to D7) sets it
// apart from EUC-KR, and the rarity of kana (leads A4 and A5), which sets it apart from EUC-JP.
bool is_gb18030(std::string_view sample) {
  std::size_t pairs = 0;
  std::size_t first_level = 0;
  std::size_t upper_half = 0;
  std::size_t kana = 0;
  for (std::size_t at = 0; at < sample.size();) {
    const unsigned lead = byte_at(sample, at);
    if (lead < 0x80) {
      ++at;
      continue;
    }
    if (at + 1 >= sample.size()) break;
    const unsigned trail = byte_at(sample, at + 1);
    const bool four = trail >= 0x30 && trail <= 0x39;
    if (lead == 0x80 || lead == 0xFF || trail == 0x7F || trail == 0xFF || (trail < 0x40 && !four)) return false;
    if (four) {
      at += 4;
      continue;
    }
    at += 2;
    ++pairs;
    first_level += lead >= 0xB0 && lead <= 0xD7 && trail >= 0xA1;
    upper_half += lead >= 0xC9 && lead <= 0xD7 && trail >= 0xA1;
    kana += lead == 0xA4 || lead == 0xA5;
  }
  return pairs > 1 && first_level * 10 >= pairs * 7 && upper_half * 100 >= first_level * 15 && kana * 10 < pairs;
}

// One of ICU's guesses, if it is sure and the encoding is a usual one of files today.
std::string ask_icu(std::string_view sample) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UCharsetDetector, decltype(&ucsdet_close)> detector(ucsdet_open(&status), ucsdet_close);
  if (U_FAILURE(status)) return {};
  ucsdet_setText(detector.get(), sample.data(), static_cast<std::int32_t>(sample.size()), &status);
  const UCharsetMatch* match = U_SUCCESS(status) ? ucsdet_detect(detector.get(), &status) : nullptr;
  if (!match || U_FAILURE(status)) return {};
  const std::string_view name = ucsdet_getName(match, &status);
  const std::int32_t confidence = ucsdet_getConfidence(match, &status);
  constexpr std::array<std::string_view, 5> kMultiByte{"GB18030", "Big5", "Shift_JIS", "EUC-JP", "EUC-KR"};
  if (std::find(kMultiByte.begin(), kMultiByte.end(), name) != kMultiByte.end())
    return confidence >= 50 ? std::string(name) : std::string();
  // As on the web, ISO-8859-1 stands for windows-1252.
  if (name == "ISO-8859-1" || name == "windows-1252") return confidence >= 30 ? "windows-1252" : "";
  const bool single_byte = name.starts_with("ISO-8859-") || name.starts_with("windows-") || name == "KOI8-R";
  return single_byte && confidence >= 50 ? std::string(name) : std::string();
}

}  // namespace

std::string detect_encoding(std::string_view bytes) {
  if (const auto mark = detail::find_byte_order_mark(bytes); mark.size > 0) return mark.encoding;
  const std::size_t bad = utf8::find_invalid(bytes);
  const std::string_view start = bytes.substr(0, kSampleBytes);
  const bool wide = has_wide_bytes(start) && (bad != utf8::npos || has_many_nuls(start));
  if (wide) {
    if (std::string name = detect_wide(bytes); !name.empty()) return name;
  }
  if (bad == utf8::npos) return "UTF-8";
  if (wide) return {};
  if (is_damaged_utf8(bytes)) return "UTF-8";
  const std::string_view sample = bytes.substr(bad, kSampleBytes);
  return is_gb18030(sample) ? "GB18030" : ask_icu(sample);
}

}  // namespace ragstone
