#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

/// Terms as numbers: most are short, so that most comparisons and hashes need no more than their first eight bytes.
namespace ragstone::detail {

inline std::uint64_t load_bytes(const char* bytes, std::size_t count) noexcept {
  std::uint64_t number = 0;
  std::memcpy(&number, bytes, count);
  return number;
}

/// The first eight bytes as a number that ascends with terms; shorter terms end in zeros.
inline std::uint64_t term_prefix(std::string_view term) noexcept {
  static_assert(std::endian::native == std::endian::little);
  const char* bytes = term.data();
  const std::size_t size = term.size();
  std::uint64_t number = 0;
  if (size >= 8) {
    number = load_bytes(bytes, 8);
  } else if (size >= 4) {
    number = load_bytes(bytes, 4) | load_bytes(bytes + size - 4, 4) << 8 * (size - 4);
  } else if (size >= 2) {
    number = load_bytes(bytes, 2) | load_bytes(bytes + size - 2, 2) << 8 * (size - 2);
  } else if (size == 1) {
    number = static_cast<unsigned char>(*bytes);
  }
  return __builtin_bswap64(number);
}

/// The high bits are the good ones of a product; the low bits are what tables take.
inline std::uint64_t mix(std::uint64_t number) noexcept {
  number *= 0x9E3779B97F4A7C15;
  return number ^ number >> 32;
}

/// `prefix`: term_prefix(term).
inline std::uint64_t term_hash(std::string_view term, std::uint64_t prefix) noexcept {
  std::uint64_t hash = mix(prefix + term.size());
  for (std::size_t at = 8; at < term.size(); at += 8) hash = mix(hash ^ term_prefix(term.substr(at)));
  return hash;
}

}  // namespace ragstone::detail
