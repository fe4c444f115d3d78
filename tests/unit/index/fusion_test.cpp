#include "index/fusion.hpp"

#include <gtest/gtest.h>

namespace ragstone {
namespace {

TEST(Fusion, AddsWeightOverRankPlusK) {
  const std::vector<ScoredNode> words = {{7, 9.5}, {3, 1.0}};
  const std::vector<ScoredNode> vectors = {{3, 0.9}, {8, 0.8}, {7, 0.1}};
  const std::vector<Ranking> rankings = {{words, 1}, {vectors, 2}};
  const std::vector<ScoredNode> fused = fuse_reciprocal_ranks(rankings, 60);
  ASSERT_EQ(fused.size(), 3u);
  EXPECT_EQ(fused[0].id, 3u);
  EXPECT_DOUBLE_EQ(fused[0].score, 1 / 62.0 + 2 / 61.0);
  EXPECT_EQ(fused[1].id, 7u);
  EXPECT_DOUBLE_EQ(fused[1].score, 1 / 61.0 + 2 / 63.0);
  EXPECT_DOUBLE_EQ(fused[2].score, 2 / 62.0);
}

TEST(Fusion, OrdersEqualScoresById) {
  const std::vector<ScoredNode> first = {{9, 1}};
  const std::vector<ScoredNode> second = {{4, 1}};
  const std::vector<Ranking> rankings = {{first, 1}, {second, 1}};
  const std::vector<ScoredNode> fused = fuse_reciprocal_ranks(rankings, 60);
  EXPECT_EQ(fused[0].id, 4u);
  EXPECT_EQ(fused[0].score, fused[1].score);
}

TEST(Fusion, OfNothingIsNothing) {
  EXPECT_TRUE(fuse_reciprocal_ranks({}, 60).empty());
  const std::vector<Ranking> rankings(2);
  EXPECT_TRUE(fuse_reciprocal_ranks(rankings, 60).empty());
}

}  // namespace
}  // namespace ragstone
