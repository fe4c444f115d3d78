#include "index/vector_scorer.hpp"

#include "kernel/distance.hpp"

#include <cmath>
#include <cstddef>

namespace ragstone {
namespace {

// The terms of a sum smaller than this may leave float's normal range, where they lose digits.
constexpr double kSmallestProduct = 1e-20;

std::size_t differing_signs(std::span<const float> a, std::span<const float> b) noexcept {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += (a[i] > 0) != (b[i] > 0) ? 1 : 0;
  return count;
}

}  // namespace

const char* name_of(Metric metric) noexcept {
  switch (metric) {
    case Metric::cosine:
      return "cosine";
    case Metric::inner_product:
      return "inner_product";
    case Metric::l2:
      return "l2";
    case Metric::hamming:
      return "hamming";
  }
  return "unknown";
}

VectorScorer::VectorScorer(std::span<const float> query, Metric metric)
    : query_(query), metric_(metric), norm_(kernel::norm(query)) {}

double VectorScorer::score(std::span<const float> row, double row_norm) const noexcept {
  if (metric_ == Metric::hamming) return -static_cast<double>(differing_signs(query_, row));
  return score(metric_ == Metric::l2 ? kernel::squared_l2(query_, row) : kernel::dot(query_, row), row, row_norm);
}

double VectorScorer::score(float sum, std::span<const float> row, double row_norm) const noexcept {
  if (metric_ == Metric::l2) {
    const bool exact = std::isfinite(sum) && sum >= kSmallestProduct;
    return -(exact ? double{sum} : kernel::squared_l2_wide(query_, row));
  }
  const double norms = norm_ * row_norm;
  if (norms == 0) return 0;
  const double dot = std::isfinite(sum) && norms >= kSmallestProduct ? double{sum} : kernel::dot_wide(query_, row);
  return metric_ == Metric::cosine ? dot / norms : dot;
}

}  // namespace ragstone
