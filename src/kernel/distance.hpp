#pragma once

#include <span>

/// Sums over two vectors of equal length.
///
/// The float functions are those of the best instruction set, see Simd: their result has the same bits on every
/// machine. The double functions neither overflow nor lose small values, whatever finite floats they are given.
namespace ragstone::kernel {

float dot(std::span<const float> a, std::span<const float> b) noexcept;
float squared_l2(std::span<const float> a, std::span<const float> b) noexcept;

double dot_wide(std::span<const float> a, std::span<const float> b) noexcept;
double squared_l2_wide(std::span<const float> a, std::span<const float> b) noexcept;

/// Euclidean length.
double norm(std::span<const float> a) noexcept;

}  // namespace ragstone::kernel
