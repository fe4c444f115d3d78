#include "model/remote/json_size.hpp"

#include <ragstone/base/utf8.hpp>

namespace ragstone::detail {
namespace {

std::size_t ascii_bytes(unsigned char byte) noexcept {
  switch (byte) {
    case '"':
    case '\\':
    case '\b':
    case '\f':
    case '\n':
    case '\r':
    case '\t':
      return 2;
    default:
      return byte < 0x20 ? 6 : 1;  // "\u001f"
  }
}

}  // namespace

std::size_t json_bytes(std::string_view text) noexcept {
  constexpr std::size_t kReplacementBytes = 3;
  std::size_t bytes = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      bytes += ascii_bytes(byte);
      ++at;
      continue;
    }
    const auto decoded = utf8::decode(text, at);
    bytes += decoded.code_point == utf8::kInvalid ? kReplacementBytes : decoded.size;
    at += decoded.size;
  }
  return bytes;
}

}  // namespace ragstone::detail
