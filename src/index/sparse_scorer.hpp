#pragma once

#include "index/bm25_scorer.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace ragstone {

/// What the postings of one query add to scores: BM25's terms, or the products of weights.
///
/// Each addend is rounded up to a multiple of one small power of two, which is chosen so that no sum of them is rounded
/// again: a score is the same, bit for bit, in whatever order and from whatever parts it is put together.
class SparseScorer {
 public:
  explicit SparseScorer(const Bm25Scorer& bm25) : is_bm25_(true), bm25_(bm25) { set_largest_sum(1); }
  /// Inner product.
  SparseScorer() { set_largest_sum(1); }

  bool is_bm25() const noexcept { return is_bm25_; }

  /// A query's term: its weight, times idf for BM25.
  double factor(float query_weight, std::uint64_t document_frequency) const noexcept {
    return is_bm25_ ? double{query_weight} * bm25_.idf(document_frequency) : double{query_weight};
  }

  /// The most that one term can add, where no posting has more than `weight`.
  double limit(double factor, float weight) const noexcept {
    return factor * (is_bm25_ ? bm25_.limit() : double{weight});
  }

  /// `sum`: of limit() over the terms. To be called before addend().
  void set_largest_sum(double sum) {
    int exponent = 0;
    std::frexp(sum, &exponent);
    exponent = std::max(exponent, kLeastExponent);
    step_ = std::ldexp(1.0, exponent - 50);
    rounder_ = std::ldexp(1.5, exponent + 2);
  }

  double addend(double factor, float weight, std::uint32_t length) const noexcept {
    const double exact = factor * (is_bm25_ ? bm25_.saturation(weight, length) : double{weight});
    // Adding a number of that size drops all bits below a step.
    return (exact + step_ + rounder_) - rounder_;
  }

  /// What no addend of a row with at most that weight and at least that length exceeds. Rounding may put the addends of
  /// almost equal rows in another order than the rows, hence the steps.
  double bound(double factor, float weight, std::uint32_t length) const noexcept {
    return addend(factor, weight, length) + 4 * step_;
  }

 private:
  static constexpr int kLeastExponent = -900;

  bool is_bm25_ = false;
  Bm25Scorer bm25_;
  double step_ = 0;
  double rounder_ = 0;
};

}  // namespace ragstone
