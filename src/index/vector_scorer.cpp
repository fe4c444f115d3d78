#include "index/vector_scorer.hpp"

#include "kernel/distance.hpp"

#include <cmath>

namespace ragstone {
namespace {

// The terms of a sum smaller than this may leave float's normal range, where they lose digits.
constexpr double kSmallestProduct = 1e-20;

}  // namespace

const char* name_of(Metric metric) noexcept {
  switch (metric) {
    case Metric::cosine:
      return "cosine";
    case Metric::inner_product:
      return "inner_product";
    case Metric::l2:
      return "l2";
  }
  return "unknown";
}

VectorScorer::VectorScorer(std::span<const float> query, Metric metric)
    : query_(query), metric_(metric), norm_(kernel::norm(query)) {}

double VectorScorer::score(std::span<const float> row, double row_norm) const noexcept {
  if (metric_ == Metric::l2) {
    const float distance = kernel::squared_l2(query_, row);
    const bool exact = std::isfinite(distance) && distance >= kSmallestProduct;
    return -(exact ? double{distance} : kernel::squared_l2_wide(query_, row));
  }
  const double norms = norm_ * row_norm;
  if (norms == 0) return 0;
  const float fast = kernel::dot(query_, row);
  const double dot = std::isfinite(fast) && norms >= kSmallestProduct ? double{fast} : kernel::dot_wide(query_, row);
  return metric_ == Metric::cosine ? dot / norms : dot;
}

}  // namespace ragstone
