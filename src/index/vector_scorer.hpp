#pragma once

#include <ragstone/index/metric.hpp>

#include <span>

namespace ragstone {

/// Compares one query with many rows, exactly.
///
/// For finite vectors the score is finite: what float cannot hold is computed in double.
class VectorScorer {
 public:
  /// The elements of `query` are finite and outlive the scorer.
  VectorScorer(std::span<const float> query, Metric metric);

  /// `row` is as long as the query; `row_norm` is kernel::norm(row).
  double score(std::span<const float> row, double row_norm) const noexcept;

  /// The same for a row whose float sum is known: kernel::squared_l2() for l2, kernel::dot() otherwise; not for
  /// hamming.
  double score(float sum, std::span<const float> row, double row_norm) const noexcept;

  double query_norm() const noexcept { return norm_; }

 private:
  std::span<const float> query_;
  Metric metric_;
  double norm_;
};

}  // namespace ragstone
