#include "index/vector_scorer.hpp"

#include "kernel/distance.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

double score(const std::vector<float>& query, const std::vector<float>& row, Metric metric) {
  return VectorScorer(query, metric).score(row, kernel::norm(row));
}

TEST(VectorScorer, ScoresAreHigherForBetterMatches) {
  EXPECT_EQ(score({1, 2}, {3, 4}, Metric::inner_product), 11);
  EXPECT_EQ(score({1, 2}, {3, 4}, Metric::l2), -8);
  EXPECT_EQ(score({3, 4}, {3, 4}, Metric::l2), 0);
  EXPECT_NEAR(score({1, 0}, {5, 5}, Metric::cosine), std::sqrt(0.5), 1e-7);
}

TEST(VectorScorer, AZeroVectorHasCosineZero) {
  EXPECT_EQ(score({0, 0}, {1, 2}, Metric::cosine), 0);
  EXPECT_EQ(score({1, 2}, {0, 0}, Metric::cosine), 0);
  EXPECT_EQ(score({0, 0}, {0, 0}, Metric::cosine), 0);
}

TEST(VectorScorer, SurvivesWhatFloatCannotHold) {
  const float huge = std::numeric_limits<float>::max();
  EXPECT_NEAR(score({huge, huge}, {huge, huge}, Metric::cosine), 1, 1e-12);
  EXPECT_NEAR(score({huge, -huge}, {huge, huge}, Metric::cosine), 0, 1e-12);
  EXPECT_EQ(score({huge}, {-huge}, Metric::l2), -4 * double{huge} * huge);
  const float tiny = 1e-30F;
  EXPECT_NEAR(score({tiny, 0}, {tiny, tiny}, Metric::cosine), std::sqrt(0.5), 1e-7);
  EXPECT_LT(score({tiny}, {3 * tiny}, Metric::l2), score({tiny}, {2 * tiny}, Metric::l2));
  EXPECT_GT(score({tiny}, {2 * tiny}, Metric::inner_product), score({tiny}, {tiny}, Metric::inner_product));
}

}  // namespace
}  // namespace ragstone
