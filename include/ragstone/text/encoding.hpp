#pragma once

#include <ragstone/text/offset_map.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace ragstone {

/// What decode_text() does with bytes that its encoding does not allow.
enum class InvalidBytes {
  refuse,   ///< An error that names the first of them.
  replace,  ///< Each maximal invalid sequence becomes U+FFFD.
};

class DecodeOptions {
 public:
  DecodeOptions() = default;

  /// An encoding's name as ICU knows it ("GB18030", "Shift_JIS"), or empty: detect it.
  std::string encoding;
  InvalidBytes invalid_bytes = InvalidBytes::refuse;
};

/// A file's text in UTF-8.
class DecodedText {
 public:
  DecodedText() = default;

  std::string text;            ///< Valid UTF-8 without byte order mark and without NUL; otherwise unchanged.
  std::string encoding;        ///< "UTF-8", "UTF-16LE", "GB18030", "windows-1252", ...
  OffsetMap offsets;           ///< Offsets in `text` to offsets in the file.
  std::uint64_t replaced = 0;  ///< Invalid sequences that became U+FFFD.
};

/// The name of the encoding of a whole file, or empty if none is certain enough. Looks for a byte order mark, then
/// valid UTF-8, then UTF-32 and UTF-16 by their byte patterns, then GB18030 by its frequent characters, then asks ICU.
/// A file that is UTF-8 save a few bytes is "UTF-8". For less than about twenty characters in another encoding it is a
/// guess.
std::string detect_encoding(std::string_view bytes);

/// Turns a file's bytes into UTF-8. Memory: the input, the text and its map; the work is done in small pieces.
///
/// Errors: Errc::parse_error for bytes outside the encoding (with their position), for an encoding that cannot be told,
/// and for binary content (a NUL); Errc::invalid_argument for an unknown encoding name.
DecodedText decode_text(std::string bytes, const DecodeOptions& options = DecodeOptions());

static_assert(!std::is_aggregate_v<DecodeOptions> && !std::is_aggregate_v<DecodedText>);

}  // namespace ragstone
