#pragma once

#include <ragstone/text/encoding.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace ragstone::detail {

/// Takes the characters of a file in order and makes a DecodedText of them.
class DecodeSink {
 public:
  /// `mark_bytes`: size of the byte order mark, at which decoding begins.
  DecodeSink(std::string encoding, std::size_t mark_bytes, InvalidBytes invalid_bytes);

  void reserve(std::size_t bytes) { result_.text.reserve(bytes); }

  /// A character of `file_bytes` bytes that stands at `position` in the file. Errors: Errc::parse_error for NUL.
  void character(char32_t code_point, std::size_t file_bytes, std::size_t position);
  /// Text whose bytes stand in the file as they are. Errors: Errc::parse_error for NUL.
  void same(std::string_view text, std::size_t position);
  /// Bytes that the encoding does not allow. Errors: Errc::parse_error unless they are to be replaced.
  void invalid(std::size_t file_bytes, std::size_t position);

  DecodedText finish();

 private:
  DecodedText result_;
  OffsetMapBuilder map_;
  InvalidBytes invalid_bytes_;
};

[[noreturn]] void refuse_nul(std::size_t position);

enum class ByteOrder { little, big };

/// `bytes` is the whole file; `begin` skips the byte order mark.
void decode_utf8(std::string_view bytes, std::size_t begin, DecodeSink& sink);
void decode_utf16(std::string_view bytes, std::size_t begin, ByteOrder order, DecodeSink& sink);
void decode_utf32(std::string_view bytes, std::size_t begin, ByteOrder order, DecodeSink& sink);
/// Any encoding with a state-free ICU converter. Errors: Errc::invalid_argument if there is none of that name.
void decode_by_icu(std::string_view bytes, std::size_t begin, const std::string& encoding, DecodeSink& sink);

/// The Unicode form that a byte order mark names, and the mark's size; an empty name without a mark.
struct ByteOrderMark {
  const char* encoding = "";
  std::size_t size = 0;
};
ByteOrderMark find_byte_order_mark(std::string_view bytes) noexcept;

}  // namespace ragstone::detail
