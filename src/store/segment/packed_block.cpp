#include "store/segment/packed_block.hpp"

#include <cstring>
#include <utility>

namespace ragstone::segment {
namespace {

constexpr std::size_t kLanes = 4;
constexpr std::size_t kLaneNumbers = kBlockPostings / kLanes;

/// One word of each lane; g++ and clang have it on every machine.
using Words = std::uint32_t __attribute__((vector_size(16)));

Words load(const char* bytes) noexcept {
  Words words;
  std::memcpy(&words, bytes, sizeof words);
  return words;
}

template <unsigned kBits, std::size_t kNumber>
void unpack_four(const char* bytes, std::uint32_t* numbers) noexcept {
  constexpr std::size_t kWord = kNumber * kBits / 32;
  constexpr unsigned kShift = kNumber * kBits % 32;
  Words four = load(bytes + kWord * sizeof(Words)) >> kShift;
  if constexpr (kShift + kBits > 32) four |= load(bytes + (kWord + 1) * sizeof(Words)) << (32 - kShift);
  if constexpr (kBits < 32) four &= (std::uint32_t{1} << kBits) - 1;
  std::memcpy(numbers + kNumber * kLanes, &four, sizeof four);
}

template <unsigned kBits, std::size_t... kNumbers>
void unpack_all(const char* bytes, std::uint32_t* numbers, std::index_sequence<kNumbers...>) noexcept {
  (unpack_four<kBits, kNumbers>(bytes, numbers), ...);
}

template <unsigned kBits>
void unpack_bits(const char* bytes, std::uint32_t* numbers) noexcept {
  if constexpr (kBits == 0) {
    std::memset(numbers, 0, sizeof(BlockNumbers));
  } else {
    unpack_all<kBits>(bytes, numbers, std::make_index_sequence<kLaneNumbers>());
  }
}

using Unpack = void (*)(const char*, std::uint32_t*) noexcept;

template <unsigned... kBits>
constexpr std::array<Unpack, sizeof...(kBits)> make_table(std::integer_sequence<unsigned, kBits...>) {
  return {unpack_bits<kBits>...};
}

constexpr auto kUnpack = make_table(std::make_integer_sequence<unsigned, kMaxBits + 1>());

}  // namespace

void append_packed(std::string& to, const BlockNumbers& numbers, unsigned bits) {
  BlockNumbers words{};
  for (std::size_t i = 0; i < numbers.size() && bits > 0; ++i) {
    const std::size_t bit = i / kLanes * bits;
    const std::size_t word = bit / 32 * kLanes + i % kLanes;
    const std::uint64_t value = std::uint64_t{numbers[i]} << (bit % 32);
    words[word] |= static_cast<std::uint32_t>(value);
    if (value >> 32 != 0) words[word + kLanes] |= static_cast<std::uint32_t>(value >> 32);
  }
  to.append(reinterpret_cast<const char*>(words.data()), packed_bytes(bits));
}

void unpack(const char* bytes, unsigned bits, BlockNumbers& numbers) noexcept { kUnpack[bits](bytes, numbers.data()); }

}  // namespace ragstone::segment
