#pragma once

namespace ragstone {

/// How two vectors are compared. A score is higher for a better match, always.
enum class Metric {
  cosine,         ///< Cosine of the angle; 0 if either vector is zero.
  inner_product,  ///< Dot product.
  l2,             ///< Minus the squared Euclidean distance.
  hamming,        ///< Minus the number of elements that are above 0 in one vector only.
};

const char* name_of(Metric metric) noexcept;

}  // namespace ragstone
