#include "support/rounds.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/index/linear_index.hpp>

#include <algorithm>
#include <map>
#include <random>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

Node node(NodeId id, std::string text) {
  Node made;
  made.id = id;
  made.text = std::move(text);
  return made;
}

std::vector<NodeId> look_up(const Index& index, const std::string& text) {
  IndexQuery query;
  query.text = text;
  query.top_k = 100;
  std::vector<NodeId> ids;
  for (const ScoredNode& hit : index.query(query, {})) ids.push_back(hit.id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

TEST(LinearIndex, FindsEveryNodeWithExactlyTheText) {
  const auto index = linear_index();
  IndexUpdate update;
  update.to = 7;
  update.upserts = {node(1, "key"), node(2, "密钥"), node(3, "key"), node(4, "keys")};
  index->update(update, {});
  EXPECT_EQ(look_up(*index, "key"), (std::vector<NodeId>{1, 3}));
  EXPECT_EQ(look_up(*index, "密钥"), (std::vector<NodeId>{2}));
  EXPECT_TRUE(look_up(*index, "密").empty());
  EXPECT_EQ(index->generation(), 7u);
}

TEST(LinearIndex, TakesABatchTwiceAndForgets) {
  const auto index = linear_index();
  IndexUpdate update;
  update.to = 1;
  update.upserts = {node(1, "a"), node(2, "b")};
  index->update(update, {});
  index->update(update, {});
  EXPECT_EQ(look_up(*index, "a").size(), 1u);
  IndexUpdate removal;
  removal.from = 1;
  removal.to = 2;
  removal.removed = {1, 99};
  index->update(removal, {});
  index->update(removal, {});
  EXPECT_TRUE(look_up(*index, "a").empty());
  EXPECT_EQ(look_up(*index, "b"), (std::vector<NodeId>{2}));
  index->clear();
  EXPECT_TRUE(look_up(*index, "b").empty());
  EXPECT_EQ(index->generation(), 0u);
}

TEST(LinearIndex, RefusesAQueryForNothingAndHonoursAllowed) {
  const auto index = linear_index();
  IndexUpdate update;
  update.upserts = {node(1, "a"), node(2, "a")};
  index->update(update, {});
  IndexQuery query;
  query.text = "a";
  EXPECT_THROW(index->query(query, {}), Error);
  query.top_k = 5;
  query.allowed = [](NodeId id) { return id == 2; };
  ASSERT_EQ(index->query(query, {}).size(), 1u);
}

TEST(LinearIndex, AgreesWithAMapThroughRandomChanges) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto index = linear_index();
  std::map<NodeId, std::string> model;
  for (std::size_t round = 0; round < rounds(2000); ++round) {
    IndexUpdate update;
    const NodeId id = random() % 50 + 1;
    if (random() % 3 == 0) {
      update.removed.push_back(id);
      model.erase(id);
    } else {
      model[id] = "t" + std::to_string(random() % 10);
      update.upserts.push_back(node(id, model[id]));
    }
    index->update(update, {});
    const std::string text = "t" + std::to_string(random() % 10);
    std::vector<NodeId> expected;
    for (const auto& [known, value] : model)
      if (value == text) expected.push_back(known);
    ASSERT_EQ(look_up(*index, text), expected);
  }
}

}  // namespace
}  // namespace ragstone::test
