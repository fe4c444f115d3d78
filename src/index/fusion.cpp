#include "index/fusion.hpp"

#include <algorithm>
#include <cstddef>
#include <unordered_map>

namespace ragstone {

std::vector<ScoredNode> fuse_reciprocal_ranks(std::span<const Ranking> rankings, double k) {
  std::unordered_map<NodeId, double> scores;
  for (const Ranking& ranking : rankings)
    for (std::size_t i = 0; i < ranking.hits.size(); ++i)
      scores[ranking.hits[i].id] += ranking.weight / (k + static_cast<double>(i + 1));

  std::vector<ScoredNode> fused;
  fused.reserve(scores.size());
  for (const auto& [id, score] : scores) fused.push_back({id, score});
  std::sort(fused.begin(), fused.end(), ranks_before);
  return fused;
}

}  // namespace ragstone
