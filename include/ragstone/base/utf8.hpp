#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// UTF-8 as Unicode defines it: no surrogates, no overlong forms, nothing above U+10FFFF.
namespace ragstone::utf8 {

inline constexpr std::size_t npos = static_cast<std::size_t>(-1);

/// What decode() gives for bytes that are not UTF-8.
inline constexpr char32_t kInvalid = 0xFFFFFFFF;

/// The replacement character.
inline constexpr char32_t kReplacement = 0xFFFD;

struct Decoded {
  char32_t code_point = kInvalid;
  std::uint32_t size =
      0;  ///< Bytes used. For invalid bytes: the maximal subpart (Unicode 15, section 3.9), at least 1.
};

/// Decodes the code point that begins at `at`, which must be below text.size(). Never reads past the end.
Decoded decode(std::string_view text, std::size_t at) noexcept;

/// Appends a code point; surrogates and values above U+10FFFF are appended as kReplacement.
void append(std::string& text, char32_t code_point);

/// Offset of the first byte that begins no valid sequence; npos if all of `text` is valid. Several GB/s on ASCII.
std::size_t find_invalid(std::string_view text) noexcept;

inline bool is_valid(std::string_view text) noexcept { return find_invalid(text) == npos; }

/// Bytes at the start of `text` that are ASCII.
std::size_t ascii_prefix(std::string_view text) noexcept;

}  // namespace ragstone::utf8
