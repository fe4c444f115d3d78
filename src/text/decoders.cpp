#include "text/decoders.hpp"

#include <ragstone/base/error.hpp>
#include <ragstone/base/utf8.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include <unicode/ucnv.h>
#include <unicode/ucnv_err.h>

namespace ragstone::detail {
namespace {

char32_t unit16(std::string_view bytes, std::size_t at, ByteOrder order) noexcept {
  const char32_t a = static_cast<unsigned char>(bytes[at]);
  const char32_t b = static_cast<unsigned char>(bytes[at + 1]);
  return order == ByteOrder::big ? a << 8 | b : b << 8 | a;
}

bool is_surrogate(char32_t unit) noexcept { return unit >= 0xD800 && unit < 0xE000; }

struct ConverterDeleter {
  void operator()(UConverter* converter) const noexcept { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, ConverterDeleter>;

Converter open_converter(const std::string& encoding) {
  UErrorCode status = U_ZERO_ERROR;
  Converter converter(ucnv_open(encoding.c_str(), &status));
  if (U_FAILURE(status) || !converter)
    throw Error(Errc::invalid_argument,
                "decode_text: no encoding is called '" + encoding + "'; use a name of ICU's list");
  const UConverterType type = ucnv_getType(converter.get());
  const bool state_free =
      type == UCNV_SBCS || type == UCNV_DBCS || type == UCNV_MBCS || type == UCNV_LATIN_1 || type == UCNV_US_ASCII;
  if (!state_free)
    throw Error(Errc::invalid_argument, "decode_text: '" + encoding + "' is not supported; convert the file to UTF-8");
  ucnv_setToUCallBack(converter.get(), UCNV_TO_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &status);
  return converter;
}

// True if in this encoding a byte below 0x80 at the start of a character is that ASCII character.
bool is_ascii_based(UConverter* converter) {
  bool same = true;
  for (char c = 1; same && c < 0x7F; ++c) {
    UErrorCode status = U_ZERO_ERROR;
    const char* source = &c;
    same = ucnv_getNextUChar(converter, &source, &c + 1, &status) == c && U_SUCCESS(status);
    ucnv_resetToUnicode(converter);
  }
  return same;
}

}  // namespace

DecodeSink::DecodeSink(std::string encoding, std::size_t mark_bytes, InvalidBytes invalid_bytes)
    : map_(mark_bytes), invalid_bytes_(invalid_bytes) {
  result_.encoding = std::move(encoding);
}

void DecodeSink::character(char32_t code_point, std::size_t file_bytes, std::size_t position) {
  if (code_point == 0) refuse_nul(position);
  const std::size_t before = result_.text.size();
  utf8::append(result_.text, code_point);
  map_.add(static_cast<std::uint8_t>(result_.text.size() - before), static_cast<std::uint8_t>(file_bytes));
}

void DecodeSink::same(std::string_view text, std::size_t position) {
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) refuse_nul(position + nul);
  result_.text.append(text);
  map_.add(1, 1, text.size());
}

void DecodeSink::invalid(std::size_t file_bytes, std::size_t position) {
  if (invalid_bytes_ == InvalidBytes::refuse)
    throw Error(Errc::parse_error, "decode_text: byte " + std::to_string(position) + " is not valid " +
                                       result_.encoding + "; repair the file, name its encoding, or allow replacement");
  ++result_.replaced;
  character(utf8::kReplacement, file_bytes, position);
}

DecodedText DecodeSink::finish() {
  result_.offsets = map_.finish();
  return std::move(result_);
}

void refuse_nul(std::size_t position) {
  throw Error(Errc::parse_error, "decode_text: byte " + std::to_string(position) +
                                     " is NUL: this is a binary file, or text in an encoding that must be named");
}

void decode_utf8(std::string_view bytes, std::size_t begin, DecodeSink& sink) {
  while (begin < bytes.size()) {
    const std::size_t bad = utf8::find_invalid(bytes.substr(begin));
    const std::size_t valid = std::min(bad, bytes.size() - begin);
    sink.same(bytes.substr(begin, valid), begin);
    begin += valid;
    if (begin == bytes.size()) break;
    const std::size_t size = utf8::decode(bytes, begin).size;
    sink.invalid(size, begin);
    begin += size;
  }
}

void decode_utf16(std::string_view bytes, std::size_t begin, ByteOrder order, DecodeSink& sink) {
  std::size_t at = begin;
  while (at + 1 < bytes.size()) {
    const char32_t unit = unit16(bytes, at, order);
    if (!is_surrogate(unit)) {
      sink.character(unit, 2, at);
      at += 2;
      continue;
    }
    const char32_t low = at + 3 < bytes.size() ? unit16(bytes, at + 2, order) : 0;
    if (unit < 0xDC00 && low >= 0xDC00 && low < 0xE000) {
      sink.character(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), 4, at);
      at += 4;
    } else {
      sink.invalid(2, at);
      at += 2;
    }
  }
  if (at < bytes.size()) sink.invalid(1, at);
}

void decode_utf32(std::string_view bytes, std::size_t begin, ByteOrder order, DecodeSink& sink) {
  std::size_t at = begin;
  for (; at + 3 < bytes.size(); at += 4) {
    const char32_t first = unit16(bytes, at, order);
    const char32_t second = unit16(bytes, at + 2, order);
    const char32_t code_point = order == ByteOrder::big ? first << 16 | second : second << 16 | first;
    if (code_point > 0x10FFFF || is_surrogate(code_point))
      sink.invalid(4, at);
    else
      sink.character(code_point, 4, at);
  }
  if (at < bytes.size()) sink.invalid(bytes.size() - at, at);
}

void decode_by_icu(std::string_view bytes, std::size_t begin, const std::string& encoding, DecodeSink& sink) {
  const Converter converter = open_converter(encoding);
  const bool ascii = is_ascii_based(converter.get());
  const char* const end = bytes.data() + bytes.size();
  const char* source = bytes.data() + begin;
  // True while the converter may hold back a second code point of the last character.
  bool pending = false;
  while (source < end || pending) {
    const auto position = static_cast<std::size_t>(source - bytes.data());
    if (ascii && !pending) {
      if (const std::size_t plain = utf8::ascii_prefix(bytes.substr(position)); plain > 0) {
        sink.same(bytes.substr(position, plain), position);
        source += plain;
        continue;
      }
    }
    UErrorCode status = U_ZERO_ERROR;
    const char* const before = source;
    const UChar32 code_point = ucnv_getNextUChar(converter.get(), &source, end, &status);
    if (status == U_INDEX_OUTOFBOUNDS_ERROR) break;
    const auto size = static_cast<std::size_t>(source - before);
    if (U_FAILURE(status)) {
      sink.invalid(std::max<std::size_t>(size, 1), position);
      if (size == 0) ++source;
      ucnv_resetToUnicode(converter.get());
      pending = false;
      continue;
    }
    sink.character(static_cast<char32_t>(code_point), size, position);
    pending = code_point >= 0x80 || source == end;
  }
}

ByteOrderMark find_byte_order_mark(std::string_view bytes) noexcept {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\xEF\xBB\xBF"sv)) return {"UTF-8", 3};
  if (bytes.starts_with("\xFF\xFE\0\0"sv)) return {"UTF-32LE", 4};
  if (bytes.starts_with("\0\0\xFE\xFF"sv)) return {"UTF-32BE", 4};
  if (bytes.starts_with("\xFF\xFE"sv)) return {"UTF-16LE", 2};
  if (bytes.starts_with("\xFE\xFF"sv)) return {"UTF-16BE", 2};
  if (bytes.starts_with("\x84\x31\x95\x33"sv)) return {"GB18030", 4};
  return {};
}

}  // namespace ragstone::detail
