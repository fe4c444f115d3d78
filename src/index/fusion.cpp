#include "index/fusion.hpp"

#include <algorithm>
#include <cstddef>
#include <unordered_map>
#include <unordered_set>

namespace ragstone {
namespace {

std::vector<ScoredNode> ranked(const std::unordered_map<NodeId, double>& scores) {
  std::vector<ScoredNode> fused;
  fused.reserve(scores.size());
  for (const auto& [id, score] : scores) fused.push_back({id, score});
  std::sort(fused.begin(), fused.end(), ranks_before);
  return fused;
}

}  // namespace

std::vector<ScoredNode> fuse_reciprocal_ranks(std::span<const Ranking> rankings, double k) {
  std::unordered_map<NodeId, double> scores;
  for (const Ranking& ranking : rankings)
    for (std::size_t i = 0; i < ranking.hits.size(); ++i)
      scores[ranking.hits[i].id] += ranking.weight / (k + static_cast<double>(i + 1));
  return ranked(scores);
}

std::vector<ScoredNode> fuse_relative_scores(std::span<const Ranking> rankings) {
  std::unordered_map<NodeId, double> scores;
  for (const Ranking& ranking : rankings) {
    if (ranking.hits.empty()) continue;
    const double worst = ranking.missing.value_or(ranking.hits.back().score);
    const double range = ranking.hits.front().score - worst;
    for (const ScoredNode& hit : ranking.hits)
      scores[hit.id] += ranking.weight * (range > 0 ? (hit.score - worst) / range : 1);
  }
  return ranked(scores);
}

std::vector<ScoredNode> append_rankings(std::span<const std::vector<ScoredNode>> rankings) {
  std::vector<ScoredNode> all;
  std::unordered_set<NodeId> seen;
  std::vector<std::size_t> begins;
  for (const std::vector<ScoredNode>& ranking : rankings) {
    begins.push_back(all.size());
    for (const ScoredNode& hit : ranking)
      if (seen.insert(hit.id).second) all.push_back(hit);
  }
  std::size_t end = all.size();
  for (std::size_t i = begins.size(); i-- > 0; end = begins[i]) {
    if (begins[i] == end || end == all.size()) continue;
    // By 1 above the best of what follows, at the least.
    const double raise = std::max(0.0, all[end].score + 1 - all[end - 1].score);
    for (std::size_t at = begins[i]; at < end; ++at) all[at].score += raise;
  }
  return all;
}

}  // namespace ragstone
