#pragma once

#include <ragstone/base/stop.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace ragstone {

/// The terms of a query's best texts, to tell which texts are alike.
class NeighbourScores {
 public:
  /// Begins a text.
  void begin() { texts_.emplace_back(); }
  /// A term of the text begun last. Terms are numbered from 0.
  void add(std::uint32_t term);
  /// `share` of each score, one for each text, is replaced by the mean score of the texts most like it, weighted by how
  /// alike they are; a text that is like none keeps what is left. Polls `stop` for each text.
  void spread(std::span<double> scores, double share, const StopToken& stop = {});

 private:
  using Weights = std::vector<std::pair<std::uint32_t, float>>;  ///< By term, in the order in which they first came.

  /// Where the text begun last has a term, if `text` is that text.
  class Entry {
   public:
    std::uint32_t text = 0;  ///< Its number + 1.
    std::uint32_t at = 0;
  };

  void weigh();

  std::vector<Entry> entries_;              ///< By term.
  std::vector<std::uint32_t> frequencies_;  ///< In how many of the texts each term is.
  std::vector<Weights> texts_;
};

}  // namespace ragstone
