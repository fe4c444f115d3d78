#pragma once

#include <ragstone/index/index.hpp>

#include <span>
#include <vector>

namespace ragstone {

/// One ranking that is fused, best first, without repeated ids.
struct Ranking {
  std::span<const ScoredNode> hits;
  double weight = 1;
};

/// Weighted reciprocal rank fusion (Cormack, Clarke and Buettcher 2009): an id's score is the sum over the rankings
/// that have it of weight / (k + rank), rank from 1. In the order of ranks_before.
std::vector<ScoredNode> fuse_reciprocal_ranks(std::span<const Ranking> rankings, double k);

}  // namespace ragstone
