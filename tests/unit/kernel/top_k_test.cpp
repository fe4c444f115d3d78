#include "kernel/top_k.hpp"

#include <ragstone/index/index.hpp>

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

TEST(TopK, KeepsWhatAFullSortWouldPutFirst) {
  std::mt19937 random(9);
  for (std::size_t round = 0; round < 300; ++round) {
    const std::size_t k = 1 + random() % 12;
    kernel::TopK<ScoredNode, ranks_before> best(k);
    std::vector<ScoredNode> all;
    for (std::size_t i = random() % 40; i > 0; --i) {
      const ScoredNode node{random() % 1000, static_cast<double>(random() % 6)};
      all.push_back(node);
      best.add(node);
    }
    std::sort(all.begin(), all.end(), ranks_before);
    all.resize(std::min(k, all.size()));
    EXPECT_EQ(std::move(best).take(), all);
  }
}

}  // namespace
}  // namespace ragstone
