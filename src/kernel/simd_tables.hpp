#pragma once

#include "kernel/simd.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

/// What the files of single instruction sets share with each other and with simd.cpp.
namespace ragstone::kernel {

/// Of each target of Highway that this processor runs, the best first.
std::vector<const Simd*> highway_tables();

/// `base` with functions for AVX-512 VNNI, which Highway 1.0 lacks; null where the processor does not have it.
const Simd* vnni_table(const Simd& base);

// Inlined into functions of all instruction sets: always, as a shared copy could be of the wrong one.
#define RAGSTONE_KERNEL_INLINE [[gnu::always_inline]] static inline

RAGSTONE_KERNEL_INLINE void fetch(const void* from, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; i += 64) __builtin_prefetch(static_cast<const char*>(from) + i);
}

// So many chosen rows are on their way from memory while one is worked on.
inline constexpr std::size_t kRowsAhead = 6;
// A scan of one query takes its rows one after the other, as the processor foresees one stream better than several.
// What it does not foresee is the next page: so many bytes ahead of each row, one line is asked for. Of several
// queries, rows are taken together, and all their lines are asked for. benchmarks/vector prints the share of the
// bandwidth that is reached, and what several queries in a pass gain.
inline constexpr std::size_t kBytesAhead = 16384;

RAGSTONE_KERNEL_INLINE void fetch_ahead(const void* from, std::size_t bytes = 1) {
  for (std::size_t i = 0; i < bytes; i += 64)
    __builtin_prefetch(static_cast<const char*>(from) + kBytesAhead + i, 0, 2);
}

/// Where row `i` of those that are asked for begins.
template <class Element>
RAGSTONE_KERNEL_INLINE const Element* row_at(const Element* rows, std::size_t dimension, const std::uint32_t* chosen,
                                             std::size_t i) {
  return rows + (chosen != nullptr ? std::size_t{chosen[i]} : i) * dimension;
}

/// Asks for the rows that are worked on after row `i`; `together`: several are worked on at once.
template <class Element>
RAGSTONE_KERNEL_INLINE void fetch_after(const Element* rows, std::size_t dimension, const std::uint32_t* chosen,
                                        std::size_t count, std::size_t i, bool together = false) {
  const std::size_t bytes = dimension * sizeof(Element);
  if (chosen == nullptr) {
    fetch_ahead(rows + i * dimension, together ? bytes : 1);
  } else if (i == 0) {
    for (std::size_t next = 0; next < count && next <= kRowsAhead; ++next)
      fetch(row_at(rows, dimension, chosen, next), bytes);
  } else if (i + kRowsAhead < count) {
    fetch(row_at(rows, dimension, chosen, i + kRowsAhead), bytes);
  }
}

RAGSTONE_KERNEL_INLINE float joined(std::int32_t high, std::int32_t low) {
  return 128 * static_cast<float>(high) + static_cast<float>(low);
}

/// Lengths above this are beyond what the float terms can tell about.
inline constexpr float kLongestSelectable = 1e15F;

RAGSTONE_KERNEL_INLINE float select_sum(const SelectTerms& terms, const std::int32_t* dots, const float* scales,
                                        const double* norms, std::size_t row) {
  const float norm = static_cast<float>(norms[row]);
  const float sum = terms.dot * (static_cast<float>(dots[row]) * scales[2 * row]) + terms.error * scales[2 * row + 1] +
                    (terms.norm * norm + terms.square * (norm * norm) + terms.constant);
  return norm < kLongestSelectable ? sum : 0;
}

}  // namespace ragstone::kernel
