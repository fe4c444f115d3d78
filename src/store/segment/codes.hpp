#pragma once

#include "kernel/simd.hpp"
#include <ragstone/index/metric.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// Vectors in one byte an element, with a bound for what is lost: they tell cheaply which rows cannot be among the
/// best. A row x is scale * code + e with |e| <= error.
namespace ragstone::segment {

/// Of vectors with more, codes are not compared: sums of products of two bytes fit 32 bits.
inline constexpr std::size_t kMostDimensions = 65'536;

/// As it is stored.
struct CodeScale {
  float scale = 0;
  float error = 0;
};

static_assert(sizeof(CodeScale) == 8);

/// `codes` is as long as `row`. A row with an element that is not finite gets an infinite error.
CodeScale encode(std::span<const float> row, std::span<std::int8_t> codes) noexcept;

/// The same in four bits an element: `nibbles` are nibble_bytes(row.size()) of kernel/simd.hpp.
CodeScale encode_nibbles(std::span<const float> row, std::span<std::uint8_t> nibbles) noexcept;
/// Element i of such a row, from -8 to 7.
int nibble_at(std::span<const std::uint8_t> nibbles, std::size_t dimension, std::size_t i) noexcept;

/// What VectorScorer::score() gives for a row lies between these.
struct ScoreBounds {
  double worst = 0;
  double best = 0;
};

/// Bounds the scores of one query, which it holds in 15 bits an element.
class CodeQuery {
 public:
  /// The elements of `query` are finite.
  CodeQuery(std::span<const float> query, Metric metric);

  /// False where codes tell nothing: too many dimensions or too long a query; or another metric than cosine, inner
  /// product and l2.
  bool is_usable() const noexcept { return usable_; }

  /// The upper halves of the elements: their dot products with rows, or with their nibbles, tell less, but cost less.
  const std::int8_t* coarse() const noexcept { return high_.data(); }

  /// Select by products with coarse(), among others, all rows that score `least` or more.
  kernel::SelectTerms terms(double least) const noexcept;

  /// Of the codes of some rows, see Simd::code_dots_wide.
  void dots(const std::int8_t* rows, const std::uint32_t* chosen, std::size_t count, float* out) const noexcept {
    simd_.code_dots_wide(high_.data(), low_.data(), rows, high_.size(), chosen, count, out);
  }

  /// Of the row with that result of dots(). Whatever the row's bytes are, the call is safe.
  ScoreBounds bounds(float dot, CodeScale scale, double row_norm) const noexcept;

 private:
  const kernel::Simd& simd_;
  Metric metric_;
  bool usable_ = false;
  std::vector<std::int8_t> high_;  ///< The query is about scale_ * (128 * high + low).
  std::vector<std::int8_t> low_;
  double scale_ = 0;
  double norm_ = 0;
  double error_share_ = 0;   ///< Times the row's error, and
  double norm_share_ = 0;    ///< times the row's length, and
  double coarse_share_ = 0;  ///< (likewise, of products with coarse())
  double underflow_ = 0;     ///< this: the most by which scale * dot and the true product differ.
  double rounding_ = 0;      ///< Relative error of VectorScorer's sums, and more.
  double magnitude_ = 0;     ///< Times the row's length: the most that the float terms of select can be.
};

}  // namespace ragstone::segment
