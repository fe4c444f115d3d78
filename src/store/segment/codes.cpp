#include "store/segment/codes.hpp"

#include "kernel/distance.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace ragstone::segment {
namespace {

constexpr float kLargestCode = 127;
// Also of bytes that no encoder wrote.
constexpr std::size_t kLargestByte = 128;

float largest(std::span<const float> values) noexcept {
  float most = 0;
  for (const float value : values) most = std::max(most, std::abs(value));
  return most;
}

bool all_finite(std::span<const float> values) noexcept {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

float rounded_up(double value) noexcept {
  const auto nearest = static_cast<float>(value);
  return double{nearest} >= value ? nearest : std::nextafter(nearest, std::numeric_limits<float>::infinity());
}

/// The sum fits: the constructor of CodeBound chose the query's range for that.
std::int32_t dot(std::span<const std::int8_t> codes, std::span<const std::int16_t> query) noexcept {
  std::int32_t sum = 0;
  const std::size_t size = codes.size();
  for (std::size_t i = 0; i < size; ++i) sum += std::int32_t{codes[i]} * std::int32_t{query[i]};
  return sum;
}

}  // namespace

CodeScale encode(std::span<const float> row, std::span<std::int8_t> codes) noexcept {
  CodeScale result;
  const bool finite = all_finite(row);
  const float scale = finite ? largest(row) / kLargestCode : 0;
  // A subnormal scale is too coarse to be worth anything.
  result.scale = std::isnormal(scale) ? scale : 0;
  double squares = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const float code =
        result.scale > 0 ? std::clamp(std::nearbyint(row[i] / result.scale), -kLargestCode, kLargestCode) : 0;
    codes[i] = static_cast<std::int8_t>(code);
    const double lost = double{row[i]} - double{result.scale} * double{code};
    squares += lost * lost;
  }
  result.error = finite ? rounded_up(std::sqrt(squares) * (1 + 1e-9)) : std::numeric_limits<float>::infinity();
  return result;
}

CodeBound::CodeBound(std::span<const float> query, Metric metric) : metric_(metric), norm_(kernel::norm(query)) {
  if (query.empty()) return;
  const std::size_t range = std::min<std::size_t>(
      std::numeric_limits<std::int16_t>::max(), std::numeric_limits<std::int32_t>::max() / kLargestByte / query.size());
  if (range == 0) return;
  query_.resize(query.size());
  scale_ = double{largest(query)} / static_cast<double>(range);
  const double most = static_cast<double>(range);
  double squares = 0;
  for (std::size_t i = 0; i < query.size(); ++i) {
    const double code = scale_ > 0 ? std::clamp(std::nearbyint(double{query[i]} / scale_), -most, most) : 0;
    query_[i] = static_cast<std::int16_t>(code);
    const double lost = double{query[i]} - scale_ * code;
    squares += lost * lost;
  }
  error_ = std::sqrt(squares) * (1 + 1e-9);
  // A sum in sixteen lanes rounds about n / 16 + 5 times, an l2 term three times; twice that leaves room for the
  // double arithmetic here (Higham, Accuracy and Stability of Numerical Algorithms, 3.1).
  const auto elements = static_cast<double>(query.size());
  rounding_ = (elements / 16 + 16) * std::numeric_limits<float>::epsilon();
  underflow_ = elements * std::numeric_limits<float>::denorm_min();
}

double CodeBound::best_score(std::span<const std::int8_t> codes, CodeScale scale, double row_norm) const noexcept {
  if (query_.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double norms = norm_ * row_norm;
  if (norms == 0 && metric_ != Metric::l2) return 0;
  const double error = scale.error;
  const double length = row_norm + error;
  const double slack = error * norm_ + (error_ + rounding_ * norm_) * length + underflow_;
  const double product = double{scale.scale} * scale_ * dot(codes, query_) + slack;
  if (metric_ == Metric::cosine) return product / norms;
  if (metric_ == Metric::inner_product) return product;
  const double squares = norm_ * norm_ + row_norm * row_norm;
  const double distance = (squares * (1 - 1e-12) - 2 * product) * (1 - rounding_) - underflow_;
  return distance < 0 ? 0 : -distance;
}

}  // namespace ragstone::segment
