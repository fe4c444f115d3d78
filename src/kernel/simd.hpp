#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

/// The functions that are written for each instruction set, and the choice between them at run time.
namespace ragstone::kernel {

/// Terms of one query in what tells whether a row may be among the best, see Simd::select.
struct SelectTerms {
  float dot = 0;     ///< Times scale * dot.
  float error = 0;   ///< Times the row's error.
  float norm = 0;    ///< Times the row's length.
  float square = 0;  ///< Times the row's squared length.
  float constant = 0;
};

/// Rows of four bits an element, a number from -8 to 7 each, which is stored plus 8. A row is blocks of 128 elements,
/// the last one shorter. A block's first half (the larger, of an odd number) is in the lower bits of its bytes, the
/// second half in the upper ones.
inline constexpr std::size_t kNibbleBlock = 128;

constexpr std::size_t nibble_bytes(std::size_t dimension) noexcept { return dimension / 2 + dimension % 2; }

/// One instruction set's functions. Pointers need no alignment; `rows` are [count x dimension] without gaps.
///
/// Float sums are made in sixteen lanes, without fused operations, and the lanes are added in one fixed order: the
/// result has the same bits with every instruction set. With n elements it differs from the exact sum by at most
/// (n / 16 + 5) * 2^-24 times the sum of the terms' magnitudes, if nothing overflows; squared_l2 has twice that. A
/// term that is not a number, or infinities of both signs, make the sum not a number; one kind makes it infinite.
/// Sums over codes are exact for at most 131,072 elements.
struct Simd {
  const char* name;

  float (*dot)(const float* a, const float* b, std::size_t dimension);
  float (*squared_l2)(const float* a, const float* b, std::size_t dimension);
  /// Of several queries, in one pass over the rows; `out` is [asked x count]. `chosen` null: of rows 0 to count - 1;
  /// otherwise of the rows with these numbers, which are fetched ahead. The same bits as from dot() and squared_l2().
  void (*dots)(const float* const* queries, std::size_t asked, const float* rows, std::size_t dimension,
               const std::uint32_t* chosen, std::size_t count, float* out);
  void (*squared_l2s)(const float* const* queries, std::size_t asked, const float* rows, std::size_t dimension,
                      const std::uint32_t* chosen, std::size_t count, float* out);

  /// `sum_of_b`: of the elements of b, which saves some instruction sets a look at them.
  std::int32_t (*code_dot)(const std::int8_t* a, const std::int8_t* b, std::size_t dimension, std::int32_t sum_of_b);
  /// `chosen`: as above.
  void (*code_dots)(const std::int8_t* query, const std::int8_t* rows, std::size_t dimension,
                    const std::uint32_t* chosen, std::size_t count, std::int32_t* out);
  /// Of several queries, in one pass over the rows; `out` is [asked x count].
  void (*code_dots_each)(const std::int8_t* const* queries, std::size_t asked, const std::int8_t* rows,
                         std::size_t dimension, const std::uint32_t* chosen, std::size_t count, std::int32_t* out);
  /// The query has 15 bits an element, 128 * high + low; the sum is rounded to a float.
  void (*code_dots_wide)(const std::int8_t* high, const std::int8_t* low, const std::int8_t* rows,
                         std::size_t dimension, const std::uint32_t* chosen, std::size_t count, float* out);

  /// `rows` are [count x nibble_bytes(dimension)].
  void (*nibble_dots)(const std::int8_t* query, const std::uint8_t* rows, std::size_t dimension, std::size_t count,
                      std::int32_t* out);

  /// Bits that differ; `rows` are [count x words].
  void (*hamming)(const std::uint64_t* query, const std::uint64_t* rows, std::size_t words, std::size_t count,
                  std::uint32_t* out);
  /// Bits that are set.
  std::size_t (*count_bits)(const std::uint64_t* words, std::size_t count);

  /// The numbers of the rows, ascending, for which the sum of the terms is not below zero, and how many they are.
  /// `scales` holds the scale and the error of each row; rows longer than 1e15 always count among them.
  std::size_t (*select)(const SelectTerms& terms, const std::int32_t* dots, const float* scales, const double* norms,
                        std::size_t count, std::uint32_t* out);
};

/// The best that this processor runs.
const Simd& simd() noexcept;

/// All that this processor runs, the best first; the last one is plain C++.
std::span<const Simd* const> supported_simd() noexcept;

/// For tests: what simd() returns from now on; null: the best. Not while another thread uses it.
void force_simd(const Simd* chosen) noexcept;

}  // namespace ragstone::kernel
