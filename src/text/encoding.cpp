#include "text/decoders.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/base/utf8.hpp>
#include <ragstone/text/encoding.hpp>

#include <algorithm>
#include <utility>

namespace ragstone {
namespace {

using detail::ByteOrder;

// The names of the Unicode forms in one spelling; other names as they are.
std::string canonical_name(const std::string& name, const detail::ByteOrderMark& mark) {
  std::string plain;
  for (const char c : name) {
    if (c != '-' && c != '_' && c != ' ') plain.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  for (const char* form : {"UTF-8", "UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE", "GB18030"}) {
    std::string spelled(form);
    std::erase(spelled, '-');
    if (plain == spelled) return form;
  }
  // Without a byte order the mark decides, and without a mark it is big-endian (RFC 2781).
  if (plain == "UTF16" || plain == "UTF32") {
    const std::string form = plain == "UTF16" ? "UTF-16" : "UTF-32";
    return std::string_view(mark.encoding).starts_with(form) ? mark.encoding : form + "BE";
  }
  return name;
}

DecodedText keep_utf8(std::string bytes, std::size_t mark_bytes) {
  if (const std::size_t nul = bytes.find('\0'); nul != std::string::npos) detail::refuse_nul(nul);
  DecodedText result;
  bytes.erase(0, mark_bytes);
  result.text = std::move(bytes);
  result.encoding = "UTF-8";
  result.offsets = OffsetMap(mark_bytes);
  return result;
}

[[noreturn]] void refuse_unknown(std::string_view bytes) {
  if (const std::size_t nul = bytes.find('\0'); nul != std::string_view::npos) detail::refuse_nul(nul);
  throw Error(Errc::parse_error, "decode_text: byte " + std::to_string(utf8::find_invalid(bytes)) +
                                     " is not valid UTF-8, and no other encoding is certain; convert the file to UTF-8 "
                                     "or name its encoding");
}

}  // namespace

DecodedText decode_text(std::string bytes, const DecodeOptions& options) {
  const detail::ByteOrderMark mark = detail::find_byte_order_mark(bytes);
  const std::string encoding =
      options.encoding.empty() ? detect_encoding(bytes) : canonical_name(options.encoding, mark);
  if (encoding.empty()) refuse_unknown(bytes);
  const std::size_t begin = encoding == mark.encoding ? mark.size : 0;
  if (encoding == "UTF-8" && utf8::is_valid(bytes)) return keep_utf8(std::move(bytes), begin);

  detail::DecodeSink sink(encoding, begin, options.invalid_bytes);
  const ByteOrder order = encoding.ends_with("BE") ? ByteOrder::big : ByteOrder::little;
  if (encoding == "UTF-8") {
    sink.reserve(bytes.size());
    detail::decode_utf8(bytes, begin, sink);
  } else if (encoding.starts_with("UTF-16")) {
    sink.reserve(bytes.size() / 2);
    detail::decode_utf16(bytes, begin, order, sink);
  } else if (encoding.starts_with("UTF-32")) {
    sink.reserve(bytes.size() / 4);
    detail::decode_utf32(bytes, begin, order, sink);
  } else {
    sink.reserve(bytes.size());
    detail::decode_by_icu(bytes, begin, encoding, sink);
  }
  return sink.finish();
}

}  // namespace ragstone
