#pragma once

#include <ragstone/index/index.hpp>

#include <optional>
#include <span>
#include <vector>

namespace ragstone {

/// One ranking that is fused, best first, without repeated ids.
struct Ranking {
  std::span<const ScoredNode> hits;
  double weight = 1;
  /// The score of ids that it lacks, where that is known; at most that of its worst hit.
  std::optional<double> missing;
};

/// Weighted reciprocal rank fusion (Cormack, Clarke and Buettcher 2009): an id's score is the sum over the rankings
/// that have it of weight / (k + rank), rank from 1. In the order of ranks_before.
std::vector<ScoredNode> fuse_reciprocal_ranks(std::span<const Ranking> rankings, double k);

/// Weighted sum of scores, each ranking's scaled so that its best hit has 1 and what it lacks, or else its worst hit, 0
/// (all 1 where they are equal); an id that a ranking lacks has 0 in it. In the order of ranks_before.
std::vector<ScoredNode> fuse_relative_scores(std::span<const Ranking> rankings);

/// Puts rankings, each in the order of ranks_before, one after the other: an id keeps its first place, and the scores
/// of each ranking are raised by one number so that they are above all that follow.
std::vector<ScoredNode> append_rankings(std::span<const std::vector<ScoredNode>> rankings);

}  // namespace ragstone
