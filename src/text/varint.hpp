#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Unsigned integers in 7-bit groups, lowest first (LEB128).
namespace ragstone::detail {

inline void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

inline constexpr std::size_t kMaxVarintBytes = 10;

/// As append_varint(), to memory of at least kMaxVarintBytes; the end of what was written.
inline char* write_varint(char* to, std::uint64_t value) noexcept {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<char>(value | 0x80);
  *to++ = static_cast<char>(value);
  return to;
}

/// Reads at `at` and moves it on; nothing for a number that is cut off or exceeds 64 bits.
inline std::optional<std::uint64_t> read_varint(std::string_view bytes, std::size_t& at) noexcept {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && at < bytes.size(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes[at++]);
    if (shift == 63 && byte > 1) return std::nullopt;
    value |= static_cast<std::uint64_t>(byte & 0x7Fu) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

}  // namespace ragstone::detail
