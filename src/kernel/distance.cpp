#include "kernel/distance.hpp"

#include "kernel/simd.hpp"

#include <array>
#include <cmath>
#include <cstddef>

namespace ragstone::kernel {
namespace {

constexpr std::size_t kLanes = 16;

template <class Term>
double sum_lanes(std::span<const float> a, std::span<const float> b, Term term) noexcept {
  std::array<double, kLanes> lanes{};
  const std::size_t whole = a.size() - a.size() % kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += term(a[i + lane], b[i + lane]);
  for (std::size_t i = whole; i < a.size(); ++i) lanes[i - whole] += term(a[i], b[i]);
  for (std::size_t width = kLanes / 2; width > 0; width /= 2)
    for (std::size_t lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  return lanes[0];
}

}  // namespace

float dot(std::span<const float> a, std::span<const float> b) noexcept {
  return simd().dot(a.data(), b.data(), a.size());
}

float squared_l2(std::span<const float> a, std::span<const float> b) noexcept {
  return simd().squared_l2(a.data(), b.data(), a.size());
}

double dot_wide(std::span<const float> a, std::span<const float> b) noexcept {
  return sum_lanes(a, b, [](double x, double y) { return x * y; });
}

double squared_l2_wide(std::span<const float> a, std::span<const float> b) noexcept {
  return sum_lanes(a, b, [](double x, double y) { return (x - y) * (x - y); });
}

double norm(std::span<const float> a) noexcept { return std::sqrt(dot_wide(a, a)); }

}  // namespace ragstone::kernel
