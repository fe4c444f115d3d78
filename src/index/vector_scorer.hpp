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

 private:
  std::span<const float> query_;
  Metric metric_;
  double norm_;
};

}  // namespace ragstone
