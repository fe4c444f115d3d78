#pragma once

#include <ragstone/index/metric.hpp>

#include <cstdint>
#include <span>
#include <vector>

/// Vectors in one byte an element, with a bound for what is lost: they tell cheaply which rows cannot be among the
/// best. A row x is scale * code + e with |e| <= error.
namespace ragstone::segment {

/// As it is stored.
struct CodeScale {
  float scale = 0;
  float error = 0;
};

static_assert(sizeof(CodeScale) == 8);

/// `codes` is as long as `row`. A row with an element that is not finite gets an infinite error.
CodeScale encode(std::span<const float> row, std::span<std::int8_t> codes) noexcept;

/// Bounds the scores of one query.
class CodeBound {
 public:
  /// The elements of `query` are finite.
  CodeBound(std::span<const float> query, Metric metric);

  /// At least what VectorScorer::score() gives for the row that was encoded; not a number where there is no bound.
  /// Whatever the bytes are, the call is safe.
  double best_score(std::span<const std::int8_t> codes, CodeScale scale, double row_norm) const noexcept;

 private:
  Metric metric_;
  std::vector<std::int16_t> query_;  ///< Empty: too many dimensions for the sums.
  double scale_ = 0;
  double error_ = 0;
  double norm_ = 0;
  double rounding_ = 0;   ///< Relative error of VectorScorer's sums, and more.
  double underflow_ = 0;  ///< Likewise, absolute.
};

}  // namespace ragstone::segment
