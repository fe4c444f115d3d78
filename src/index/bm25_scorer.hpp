#pragma once

#include <ragstone/index/bm25.hpp>

#include <cmath>
#include <cstdint>

namespace ragstone {

/// BM25's formula for one collection state: see Bm25Parameters.
class Bm25Scorer {
 public:
  Bm25Scorer() = default;
  /// `nodes` and `tokens`: live nodes of the collection and the sum of their lengths.
  Bm25Scorer(const Bm25Parameters& parameters, std::uint64_t nodes, std::uint64_t tokens)
      : nodes_(static_cast<double>(nodes)), idf_power_(parameters.idf_power), limit_(parameters.k1 + 1) {
    const double k1 = parameters.k1;
    const double mean_length = nodes > 0 ? static_cast<double>(tokens) / static_cast<double>(nodes) : 0;
    base_ = k1 * (1 - parameters.b);
    per_token_ = mean_length > 0 ? k1 * parameters.b / mean_length : 0;
  }

  double idf(std::uint64_t document_frequency) const noexcept {
    const auto df = static_cast<double>(document_frequency);
    return std::pow(std::log(1 + (nodes_ - df + 0.5) / (df + 0.5)), idf_power_);
  }

  /// What a node of `length` tokens gets for a term that it holds `frequency` > 0 times, before idf.
  double saturation(double frequency, std::uint32_t length) const noexcept {
    return frequency * limit_ / (frequency + (base_ + per_token_ * length));
  }
  /// No saturation() is above it.
  double limit() const noexcept { return limit_; }

 private:
  double nodes_ = 0;
  double idf_power_ = 1;
  double limit_ = 0;
  double base_ = 0;
  double per_token_ = 0;
};

}  // namespace ragstone
