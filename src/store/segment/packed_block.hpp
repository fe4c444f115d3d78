#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

/// Blocks of numbers of a few bits each. Number i is the i / 4-th of lane i % 4; a lane is a row of bits, lowest first,
/// in 32-bit words, and word w of lane l is the (4 * w + l)-th of the block: vector units unpack four lanes at once.
namespace ragstone::segment {

inline constexpr std::size_t kBlockPostings = 128;
inline constexpr unsigned kMaxBits = 32;

using BlockNumbers = std::array<std::uint32_t, kBlockPostings>;

/// Of a block whose numbers have `bits` bits.
constexpr std::size_t packed_bytes(unsigned bits) noexcept { return std::size_t{kBlockPostings / 8} * bits; }

/// Appends packed_bytes(bits) bytes; no number has more than `bits` bits, which are kMaxBits at most.
void append_packed(std::string& to, const BlockNumbers& numbers, unsigned bits);

/// Reads packed_bytes(bits) bytes, which need no alignment.
void unpack(const char* bytes, unsigned bits, BlockNumbers& numbers) noexcept;

}  // namespace ragstone::segment
