#pragma once

#include <ragstone/base/stop.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ragstone {

/// The terms of a query's best texts, to tell which texts are alike.
class NeighbourScores {
 public:
  /// Begins a text.
  void begin() { texts_.emplace_back(); }
  /// A term of the text begun last.
  void add(std::string_view term);
  /// `share` of each score, one for each text, is replaced by the mean score of the texts most like it, weighted by how
  /// alike they are; a text that is like none keeps what is left. Polls `stop` for each text.
  void spread(std::span<double> scores, double share, const StopToken& stop = {});

 private:
  using Weights = std::vector<std::pair<std::size_t, float>>;  ///< By number of the term, ascending.

  void finish_counts();

  std::unordered_map<std::string, std::size_t> numbers_;
  std::vector<std::size_t> frequencies_;  ///< In how many of the texts each term is.
  std::vector<Weights> texts_;
  std::string key_;
};

}  // namespace ragstone
