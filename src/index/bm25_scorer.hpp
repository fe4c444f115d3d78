#pragma once

#include <ragstone/index/bm25.hpp>

#include <cmath>
#include <cstdint>

namespace ragstone {

/// BM25's formula for one collection state: see Bm25Parameters.
class Bm25Scorer {
 public:
  /// `nodes` and `tokens`: live nodes of the collection and the sum of their lengths.
  Bm25Scorer(const Bm25Parameters& parameters, std::uint64_t nodes, std::uint64_t tokens)
      : parameters_(parameters),
        nodes_(static_cast<double>(nodes)),
        mean_length_(nodes > 0 ? static_cast<double>(tokens) / static_cast<double>(nodes) : 0) {}

  double idf(std::uint64_t document_frequency) const noexcept {
    const auto df = static_cast<double>(document_frequency);
    return std::log(1 + (nodes_ - df + 0.5) / (df + 0.5));
  }

  /// What a node of `length` tokens gets for a term that it holds `frequency` > 0 times, before idf.
  double saturation(double frequency, std::uint32_t length) const noexcept {
    const double relative = mean_length_ > 0 ? length / mean_length_ : 0;
    const double k1 = parameters_.k1;
    const double b = parameters_.b;
    return frequency * (k1 + 1) / (frequency + k1 * (1 - b + b * relative));
  }

 private:
  Bm25Parameters parameters_;
  double nodes_;
  double mean_length_;
};

}  // namespace ragstone
