#include "index/word_delta.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::words {
namespace {

using Contents = std::map<std::string, std::vector<std::pair<NodeId, float>>>;

Contents contents(const WordDelta& delta) {
  Contents all;
  for (const auto& [word, postings] : delta.words()) {
    for (const WordDelta::Posting& posting : postings) all[word].emplace_back(posting.node, posting.weight);
    std::sort(all[word].begin(), all[word].end());
  }
  return all;
}

TEST(WordDelta, HoldsTheLatestWordOfEachNode) {
  WordDelta delta;
  for (NodeId id = 1; id <= 4; ++id) delta.put(id, "密钥", 1, 1);
  delta.put(2, "key", 3, 2);
  delta.put(4, "密钥", 5, 2);
  delta.remove(1, 2);
  delta.remove(9, 2);
  EXPECT_EQ(contents(delta), (Contents{{"key", {{2, 3}}}, {"密钥", {{3, 1}, {4, 5}}}}));
  EXPECT_TRUE(delta.knows(1) && delta.knows(9) && !delta.knows(10));
  delta.forget(1);
  EXPECT_EQ(contents(delta), (Contents{{"key", {{2, 3}}}, {"密钥", {{4, 5}}}}));
  EXPECT_FALSE(delta.knows(3));
  delta.forget(2);
  EXPECT_TRUE(contents(delta).empty());
  EXPECT_EQ(delta.size(), 0u);
}

TEST(WordDelta, AgreesWithAMapThroughRandomChanges) {
  std::mt19937 random(5);
  WordDelta delta;
  std::map<NodeId, std::pair<std::string, Generation>> model;
  for (Generation generation = 1; generation <= 3000; ++generation) {
    const NodeId id = random() % 60 + 1;
    const std::string word = random() % 3 == 0 ? "" : "词" + std::to_string(random() % 4);
    if (word.empty()) {
      delta.remove(id, generation);
    } else {
      delta.put(id, word, static_cast<float>(id), generation);
    }
    model[id] = {word, generation};
    if (random() % 40 == 0) {
      const Generation until = generation - random() % 30;
      delta.forget(until);
      std::erase_if(model, [&](const auto& entry) { return entry.second.second <= until; });
    }
    Contents expected;
    for (const auto& [node, state] : model)
      if (!state.first.empty()) expected[state.first].emplace_back(node, static_cast<float>(node));
    ASSERT_EQ(contents(delta), expected) << generation;
    ASSERT_EQ(delta.size(), model.size());
  }
}

// A word may have every node of a group. The work is counted, not timed.
TEST(WordDelta, TakesANodeOutWithoutGoingThroughTheOthersOfItsWord) {
  for (const std::size_t nodes : {std::size_t{1000}, std::size_t{20'000}}) {
    WordDelta delta;
    for (NodeId id = 1; id <= nodes; ++id) delta.put(id, "same", 1, 1);
    for (NodeId id = 1; id <= nodes; ++id) delta.put(id, "same", 2, 2);
    EXPECT_LE(delta.moves(), nodes);
    for (NodeId id = 1; id <= nodes; id += 2) delta.put(id, "other", 2, 3);
    delta.forget(2);
    EXPECT_LE(delta.moves(), nodes * 2);
    EXPECT_EQ(delta.size(), nodes / 2);
    delta.forget(3);
    EXPECT_LE(delta.moves(), nodes * 2) << "what is all forgotten needs no moves";
    EXPECT_EQ(delta.size(), 0u);
  }
}

}  // namespace
}  // namespace ragstone::words
