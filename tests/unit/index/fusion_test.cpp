#include "index/fusion.hpp"

#include "index/diversity.hpp"

#include <gtest/gtest.h>

namespace ragstone {
namespace {

TEST(Fusion, AddsWeightOverRankPlusK) {
  const std::vector<ScoredNode> words = {{7, 9.5}, {3, 1.0}};
  const std::vector<ScoredNode> vectors = {{3, 0.9}, {8, 0.8}, {7, 0.1}};
  const std::vector<Ranking> rankings = {{words, 1, {}}, {vectors, 2, {}}};
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
  const std::vector<Ranking> rankings = {{first, 1, {}}, {second, 1, {}}};
  const std::vector<ScoredNode> fused = fuse_reciprocal_ranks(rankings, 60);
  EXPECT_EQ(fused[0].id, 4u);
  EXPECT_EQ(fused[0].score, fused[1].score);
}

TEST(Fusion, OfNothingIsNothing) {
  EXPECT_TRUE(fuse_reciprocal_ranks({}, 60).empty());
  const std::vector<Ranking> rankings(2);
  EXPECT_TRUE(fuse_reciprocal_ranks(rankings, 60).empty());
}

TEST(Fusion, ScalesTheScoresOfEachRanking) {
  const std::vector<ScoredNode> words = {{7, 9}, {3, 5}, {4, 1}};
  const std::vector<ScoredNode> vectors = {{3, -2}};
  const std::vector<Ranking> rankings = {{words, 1, {}}, {vectors, 0.25, {}}};
  const std::vector<ScoredNode> fused = fuse_relative_scores(rankings);
  EXPECT_EQ(fused, (std::vector<ScoredNode>{{7, 1}, {3, 0.75}, {4, 0}}));
}

TEST(Fusion, TheWorstHitIsAboveWhatIsKnownToHaveNothing) {
  const std::vector<ScoredNode> words = {{7, 8}, {3, 6}};
  const std::vector<ScoredNode> vectors = {{5, 0.9}, {3, 0.5}};
  const std::vector<Ranking> rankings = {{words, 1, 0}, {vectors, 0.5, {}}};
  EXPECT_EQ(fuse_relative_scores(rankings), (std::vector<ScoredNode>{{7, 1}, {3, 0.75}, {5, 0.5}}));
}

TEST(Fusion, RaisesTheScoresOfARankingAboveThoseOfTheNext) {
  const std::vector<std::vector<ScoredNode>> rankings = {{{1, 0.5}, {2, 0.25}}, {{2, 9}, {3, 7}}, {}, {{4, 3}}};
  const std::vector<ScoredNode> all = append_rankings(rankings);
  EXPECT_EQ(all, (std::vector<ScoredNode>{{1, 8.25}, {2, 8}, {3, 7}, {4, 3}}));
  EXPECT_TRUE(append_rankings({}).empty());
}

TEST(Diversity, WeighsRelevanceAgainstLikeness) {
  const std::vector<double> relevance = {1, 0.9, 0.5};
  const auto alike = [](std::size_t a, std::size_t b) { return a + b == 1 ? 1.0 : 0.0; };
  using Order = std::vector<std::size_t>;
  EXPECT_EQ(choose_diverse(relevance, 2, 0.5, alike), (Order{0, 2}));
  EXPECT_EQ(choose_diverse(relevance, 9, 0.5, alike), (Order{0, 2, 1}));
  EXPECT_EQ(choose_diverse(relevance, 2, 1, alike), (Order{0, 1}));
  EXPECT_TRUE(choose_diverse({}, 2, 1, alike).empty());
}

TEST(Diversity, ComparesEachItemWithEachChoiceOnce) {
  const std::vector<double> relevance(50, 1);
  std::size_t compared = 0;
  choose_diverse(relevance, 10, 0.5, [&](std::size_t, std::size_t) {
    ++compared;
    return 0.0;
  });
  EXPECT_LE(compared, 500u);
}

}  // namespace
}  // namespace ragstone
