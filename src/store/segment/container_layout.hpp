#pragma once

#include "store/segment/container.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace ragstone::segment {

static_assert(std::endian::native == std::endian::little, "images are little-endian, as is every supported machine");

// A carriage return and a line feed: a transfer as text damages them.
inline constexpr char kMagic[8] = {'R', 'A', 'G', 'S', 'E', 'G', '\r', '\n'};
inline constexpr std::uint32_t kFormatVersion = 3;
inline constexpr std::size_t kMaxSections = 32;

struct StoredHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t kind;
  std::uint64_t generation;
  std::uint64_t size;
  std::uint64_t rows;
  std::uint64_t parameter;
  std::uint32_t sections;
  std::uint32_t alignment;
  std::uint64_t checksum;  ///< XXH3-64 of the header before it and of the table.
};

static_assert(sizeof(StoredHeader) == 64 && std::is_trivially_copyable_v<StoredHeader>);
static_assert(sizeof(Section) == 32 && std::is_trivially_copyable_v<Section>);

std::uint64_t checksum_of(std::string_view bytes) noexcept;
/// `table`: the stored entries.
std::uint64_t header_checksum(const StoredHeader& header, std::string_view table);

inline constexpr std::size_t blocks_of(std::uint64_t bytes) noexcept {
  return static_cast<std::size_t>(bytes / kBlockBytes + (bytes % kBlockBytes != 0 ? 1 : 0));
}

/// Whether block sums of a section are stored.
inline constexpr bool is_large(const Section& section) noexcept {
  return section.bytes > kBlockBytes && section.id != SectionId::block_sums;
}

}  // namespace ragstone::segment
