#include "store/segment/codes.hpp"

#include "kernel/distance.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

namespace ragstone::segment {
namespace {

constexpr float kLargestCode = 127;
// 127 * 128 + 64 would be the largest; rounding leaves the upper byte at 127.
constexpr double kLargestQueryCode = 127 * 128 + 63;
// Squares of lengths stay far below float's largest number, see Simd::select.
constexpr double kLongestQuery = 1e15;
// Products with this and longer queries stay above float's subnormal numbers.
constexpr double kShortestQuery = 1e-10;
// Sixteen roundings of floats: what Simd::select may lose, relative to its terms.
constexpr double kSelectRounding = 0x1p-20;
constexpr double kSelectUnderflow = 1e-25;

/// The nearest whole number, of numbers far below 2^51: adding leaves no room for a fraction. A compiler makes loops
/// of this faster than of std::nearbyint().
double rounded(double x) noexcept {
  constexpr double kNoFraction = 0x1.8p52;
  return (x + kNoFraction) - kNoFraction;
}

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

namespace {

// Shares of the largest element that the largest nibble may stand for. Elements beyond it lose more, and all others
// less: where few elements are large, the sum is smaller.
constexpr float kNibbleShares[] = {1, 0.75F, 0.5F, 0.33F};
constexpr float kLargestNibble = 7;

double nibble_of(float element, double inverse) noexcept {
  return rounded(std::clamp(double{element} * inverse, -8.0, double{kLargestNibble}));
}

/// The sum of squares of what the nibbles of this scale lose.
double lost_by_nibbles(std::span<const float> row, float scale) noexcept {
  const double inverse = 1 / double{scale};
  double squares = 0;
  for (const float element : row) {
    const double lost = double{element} - double{scale} * nibble_of(element, inverse);
    squares += lost * lost;
  }
  return squares;
}

/// Where the element is: its byte, and by how many bits that is shifted.
std::pair<std::size_t, int> nibble_place(std::size_t dimension, std::size_t i) noexcept {
  const std::size_t block = i - i % kernel::kNibbleBlock;
  const std::size_t half = kernel::nibble_bytes(std::min(kernel::kNibbleBlock, dimension - block));
  const std::size_t at = i - block;
  return at < half ? std::pair(block / 2 + at, 0) : std::pair(block / 2 + at - half, 4);
}

}  // namespace

CodeScale encode_nibbles(std::span<const float> row, std::span<std::uint8_t> nibbles) noexcept {
  std::ranges::fill(nibbles, std::uint8_t{0x88});
  CodeScale result;
  const bool finite = all_finite(row);
  const float most = finite ? largest(row) / kLargestNibble : 0;
  double squares = 0;
  for (const float element : row) squares += double{element} * double{element};
  for (const float share : kNibbleShares) {
    // A subnormal scale is too coarse to be worth anything.
    if (!std::isnormal(share * most)) continue;
    const double lost = lost_by_nibbles(row, share * most);
    if (lost >= squares) continue;
    squares = lost;
    result.scale = share * most;
  }
  result.error = finite ? rounded_up(std::sqrt(squares) * (1 + 1e-9)) : std::numeric_limits<float>::infinity();
  if (result.scale == 0) return result;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto [byte, shift] = nibble_place(row.size(), i);
    const int stored = static_cast<int>(nibble_of(row[i], 1 / double{result.scale})) + 8;
    nibbles[byte] = static_cast<std::uint8_t>((nibbles[byte] & ~(15 << shift)) | (stored << shift));
  }
  return result;
}

int nibble_at(std::span<const std::uint8_t> nibbles, std::size_t dimension, std::size_t i) noexcept {
  const auto [byte, shift] = nibble_place(dimension, i);
  return ((nibbles[byte] >> shift) & 15) - 8;
}

CodeQuery::CodeQuery(std::span<const float> query, Metric metric)
    : simd_(kernel::simd()), metric_(metric), high_(query.size()), low_(query.size()), norm_(kernel::norm(query)) {
  const bool known = metric == Metric::cosine || metric == Metric::inner_product || metric == Metric::l2;
  usable_ = known && !query.empty() && query.size() <= kMostDimensions && norm_ <= kLongestQuery &&
            (norm_ >= kShortestQuery || norm_ == 0);
  if (!usable_) return;
  scale_ = double{largest(query)} / kLargestQueryCode;
  double lost = 0;
  double high = 0;
  double low = 0;
  const double inverse = scale_ > 0 ? 1 / scale_ : 0;
  for (std::size_t i = 0; i < query.size(); ++i) {
    const double code = rounded(std::clamp(double{query[i]} * inverse, -kLargestQueryCode, kLargestQueryCode));
    const double upper = std::min(rounded(code * (1.0 / 128)), 127.0);
    const double lower = code - 128 * upper;
    high_[i] = static_cast<std::int8_t>(static_cast<int>(upper));
    low_[i] = static_cast<std::int8_t>(static_cast<int>(lower));
    const double rest = double{query[i]} - scale_ * code;
    lost += rest * rest;
    high += upper * upper;
    low += lower * lower;
  }
  const double error = std::sqrt(lost) * (1 + 1e-9);
  magnitude_ = scale_ * (128 * std::sqrt(high) + std::sqrt(low));
  // A sum in sixteen lanes rounds about n / 16 + 5 times, an l2 term three times; twice that leaves room for the
  // double arithmetic here (Higham, Accuracy and Stability of Numerical Algorithms, 3.1).
  const auto elements = static_cast<double>(query.size());
  rounding_ = (elements / 16 + 16) * std::numeric_limits<float>::epsilon();
  underflow_ = elements * std::numeric_limits<float>::denorm_min();
  // The sum over the two halves of the query is a float.
  const double joined = 4 * std::numeric_limits<float>::epsilon() * magnitude_;
  norm_share_ = error + rounding_ * norm_ + joined;
  error_share_ = norm_ + norm_share_;
  coarse_share_ = norm_share_ + scale_ * std::sqrt(low) * (1 + 1e-9);
}

kernel::SelectTerms CodeQuery::terms(double least) const noexcept {
  double factor = 1;
  double norm = coarse_share_;
  double square = 0;
  double constant = underflow_;
  if (metric_ == Metric::cosine) {
    norm -= least * norm_;
  } else if (metric_ == Metric::inner_product) {
    constant -= least;
  } else {
    factor = 2;
    norm *= 2;
    square = -1;
    constant = 2 * underflow_ - norm_ * norm_ + (underflow_ - least) * (1 + 4 * rounding_);
  }
  const double slack = kSelectRounding * factor * magnitude_;
  kernel::SelectTerms terms;
  terms.dot = static_cast<float>(factor * scale_ * 128);
  terms.error = static_cast<float>(factor * (norm_ + coarse_share_) * (1 + kSelectRounding) + slack);
  terms.norm = static_cast<float>(norm + std::abs(norm) * kSelectRounding + slack);
  terms.square = static_cast<float>(square * (1 - kSelectRounding));
  terms.constant = static_cast<float>(
      constant + kSelectRounding * (std::abs(constant) + (factor > 1 ? norm_ * norm_ : 0)) + kSelectUnderflow);
  return terms;
}

ScoreBounds CodeQuery::bounds(float dot, CodeScale scale, double row_norm) const noexcept {
  const double norms = norm_ * row_norm;
  if (norms == 0 && metric_ != Metric::l2) return {0, 0};
  const double product = double{scale.scale} * scale_ * double{dot};
  const double slack = double{scale.error} * error_share_ + row_norm * norm_share_ + underflow_;
  ScoreBounds bounds{product - slack, product + slack};
  if (metric_ == Metric::cosine) {
    bounds = {bounds.worst / norms, bounds.best / norms};
  } else if (metric_ == Metric::l2) {
    const double squares = norm_ * norm_ + row_norm * row_norm;
    const double near = (squares * (1 - 1e-12) - 2 * bounds.best) * (1 - rounding_) - underflow_;
    const double far = (squares * (1 + 1e-12) - 2 * bounds.worst) * (1 + rounding_) + underflow_;
    bounds = {-far, near < 0 ? 0 : -near};
  }
  // Only damaged bytes, or vectors that are not finite, give something else.
  if (!std::isfinite(bounds.worst) || !std::isfinite(bounds.best))
    return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  return bounds;
}

}  // namespace ragstone::segment
