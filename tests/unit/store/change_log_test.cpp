#include "store/change_log.hpp"

#include <gtest/gtest.h>

namespace ragstone {
namespace {

ChangeLog::Changes change(std::vector<NodeId> upserts, std::vector<NodeId> removed) {
  GroupChange change;
  change.group = "line";
  change.upserts = std::move(upserts);
  change.removed = std::move(removed);
  return {change};
}

TEST(ChangeLog, ForgetsTheOldestCommitsFirst) {
  ChangeLog log(3, 1000);
  for (Generation at = 1; at <= 5; ++at) log.append(at, change({at}, {}));
  EXPECT_FALSE(log.fold("line", 0, 5));
  EXPECT_FALSE(log.fold("line", 1, 5));
  ASSERT_TRUE(log.fold("line", 2, 5));
  EXPECT_EQ(log.fold("line", 2, 5)->upserts, (std::vector<NodeId>{3, 4, 5}));
  EXPECT_EQ(log.fold("line", 2, 3)->upserts, (std::vector<NodeId>{3}));
  EXPECT_TRUE(log.fold("line", 5, 5)->upserts.empty());
  EXPECT_TRUE(log.fold("word", 2, 5)->upserts.empty());
}

TEST(ChangeLog, BoundsTheNumberOfIds) {
  ChangeLog log(1000, 10);
  log.append(1, change({1, 2, 3}, {}));
  log.append(2, change({4, 5, 6}, {1, 2, 3}));
  EXPECT_TRUE(log.fold("line", 0, 2));
  log.append(3, change({7, 8}, {}));
  EXPECT_FALSE(log.fold("line", 0, 3));
  EXPECT_TRUE(log.fold("line", 1, 3));
  log.append(4, change(std::vector<NodeId>(100, 9), {}));
  EXPECT_TRUE(log.fold("line", 3, 4)) << "the last commit is kept however large it is";
  EXPECT_FALSE(log.fold("line", 2, 4));
}

TEST(ChangeLog, ListsWhatCameAndWentAsRemoved) {
  ChangeLog log(10, 1000);
  log.append(1, change({1, 2}, {}));
  log.append(2, change({2, 3}, {1}));
  log.append(3, change({}, {3}));
  const auto all = log.fold("line", 0, 3);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->upserts, (std::vector<NodeId>{2}));
  EXPECT_EQ(all->removed, (std::vector<NodeId>{1, 3}));
}

}  // namespace
}  // namespace ragstone
