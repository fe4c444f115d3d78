#include "support/store/conformance.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace ragstone::test {

void expect_ranking(const std::vector<ScoredNode>& hits, const PlainModel::Scores& scores, std::size_t k,
                    double tolerance) {
  ASSERT_EQ(hits.size(), std::min(k, scores.size()));
  std::set<NodeId> taken;
  for (const ScoredNode& hit : hits) {
    const auto expected = scores.find(hit.id);
    ASSERT_NE(expected, scores.end()) << "node " << hit.id << " must not be a hit";
    EXPECT_TRUE(taken.insert(hit.id).second) << "node " << hit.id << " is a hit twice";
    EXPECT_NEAR(hit.score, expected->second, tolerance * (1 + std::abs(expected->second)));
  }
  EXPECT_TRUE(std::is_sorted(hits.begin(), hits.end(), ranks_before));
  if (hits.empty()) return;
  const double worst = hits.back().score + tolerance * (1 + std::abs(hits.back().score));
  for (const auto& [id, score] : scores) {
    if (taken.contains(id)) continue;
    EXPECT_LE(score, worst) << "node " << id << " should have been a hit";
  }
}

}  // namespace ragstone::test
