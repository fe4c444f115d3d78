#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace ragstone {

/// Row id of a node in its store: 1 to 2^63 - 1, never reused, 0 means none. Indexes, tombstones and bitmaps know
/// nodes by this id only.
using NodeId = std::uint64_t;

/// Counts a store's commits: 0 is the empty store, each commit adds one.
using Generation = std::uint64_t;

/// The first 128 bits of a SHA-256.
struct Hash128 {
  std::array<std::uint8_t, 16> bytes{};

  friend constexpr auto operator<=>(const Hash128&, const Hash128&) noexcept = default;
};

/// A node's name that is the same on every machine: see make_uid().
using Uid = Hash128;

Hash128 hash128(std::string_view bytes);

/// Hashes a list of parts unambiguously: each part's length goes in before its bytes.
Hash128 hash128(std::span<const std::string_view> parts);

/// The uid of a node: hash over (source id, group, signature of the group's transform, content hash, occurrence among
/// equal contents in the same source and group, from 0). A pure function of today's input: inserting a paragraph into
/// a source renames no node whose content stays.
Uid make_uid(std::string_view source_id, std::string_view group, std::string_view signature, const Hash128& content,
             std::uint32_t occurrence);

/// 32 lower-case hexadecimal digits.
std::string to_string(const Hash128& hash);
/// Errors: Errc::invalid_argument unless `hex` is 32 hexadecimal digits.
Hash128 parse_hash128(std::string_view hex);

}  // namespace ragstone

template <>
struct std::hash<ragstone::Hash128> {
  std::size_t operator()(const ragstone::Hash128& key) const noexcept {
    std::size_t value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i) value = value << 8 | key.bytes[i];
    return value;
  }
};
