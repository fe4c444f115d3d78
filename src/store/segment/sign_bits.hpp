#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ragstone::segment {

constexpr std::size_t sign_words(std::size_t dimension) noexcept { return (dimension + 63) / 64; }

/// Bit i % 64 of word i / 64 is 1 where element i is above 0; bits above the last element are 0.
inline std::vector<std::uint64_t> sign_bits(std::span<const float> vector) {
  std::vector<std::uint64_t> words(sign_words(vector.size()));
  for (std::size_t i = 0; i < vector.size(); ++i)
    if (vector[i] > 0) words[i / 64] |= std::uint64_t{1} << (i % 64);
  return words;
}

}  // namespace ragstone::segment
