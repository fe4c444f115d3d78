#include "support/store/plain_model.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

void expect_same(const SourceRecord& is, const SourceRecord& expected) {
  SCOPED_TRACE("source " + expected.id);
  EXPECT_EQ(is.id, expected.id);
  EXPECT_EQ(is.metadata, expected.metadata);
  EXPECT_EQ(is.content, expected.content);
  EXPECT_EQ(is.stamp, expected.stamp);
  EXPECT_EQ(is.reader, expected.reader);
  EXPECT_EQ(is.offset_map, expected.offset_map);
  EXPECT_EQ(is.text_bytes, expected.text_bytes);
  EXPECT_EQ(is.state, expected.state);
  EXPECT_EQ(is.stage, expected.stage);
  EXPECT_EQ(is.reason, expected.reason);
  EXPECT_EQ(is.attempts, expected.attempts);
  EXPECT_EQ(is.generation, expected.generation);
}

std::map<std::string, std::map<std::string, std::size_t>> parents_of_groups(const PlainModel& model) {
  std::map<std::string, std::map<std::string, std::size_t>> parents;
  for (const auto& [id, source] : model.sources)
    for (const auto& [name, group] : source.groups) ++parents[name][group.parent];
  return parents;
}

}  // namespace

void PlainModel::bind(const StoreSnapshot& snapshot) {
  EXPECT_EQ(snapshot.generation(), generation);

  const std::vector<SourceRecord> records = snapshot.sources({});
  ASSERT_EQ(records.size(), sources.size());
  std::size_t at = 0;
  for (const auto& [id, source] : sources) {
    expect_same(records[at++], source.record);
    EXPECT_EQ(snapshot.text(id), source.text);
  }

  const auto parents = parents_of_groups(*this);
  const std::vector<GroupInfo> groups = snapshot.groups();
  ASSERT_EQ(groups.size(), parents.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    ASSERT_TRUE(parents.contains(groups[i].group)) << groups[i].group;
    EXPECT_TRUE(parents.at(groups[i].group).contains(groups[i].parent)) << groups[i].group;
  }

  const NodeId last_before = last_id;
  std::map<std::string, std::vector<Node>> stored;
  for (const auto& [name, of] : parents) {
    NodeQuery query;
    query.group = name;
    stored[name] = snapshot.nodes(query);
    EXPECT_TRUE(std::is_sorted(stored[name].begin(), stored[name].end(),
                               [](const Node& a, const Node& b) { return a.id < b.id; }));
    std::size_t expected = 0;
    for (const auto& [id, source] : sources)
      if (source.groups.contains(name)) expected += source.groups.at(name).nodes.size();
    ASSERT_EQ(stored[name].size(), expected) << name;
    for (const Node& node : stored[name]) {
      ASSERT_TRUE(sources.contains(node.source) && sources[node.source].groups.contains(name));
      PlainGroup& group = sources[node.source].groups[name];
      ASSERT_LT(node.number, group.nodes.size());
      PlainNode& plain = group.nodes[node.number];
      if (plain.id == 0) {
        EXPECT_GT(node.id, last_before) << "a new node must get an id that was never used";
        plain.id = node.id;
        last_id = std::max(last_id, node.id);
      }
      EXPECT_EQ(node.id, plain.id) << "node " << node.number << " of " << node.source << " in " << name;
      EXPECT_EQ(node.uid, plain.uid);
      EXPECT_EQ(node.group, name);
      EXPECT_EQ(node.span, plain.span);
      EXPECT_EQ(node.is_span, plain.is_span);
      EXPECT_EQ(node.text, plain.text);
      EXPECT_EQ(node.metadata, plain.visible);
    }
  }

  for (const auto& [name, nodes] : stored)
    for (const Node& node : nodes) {
      const PlainSource& source = sources[node.source];
      const PlainGroup& group = source.groups.at(name);
      const PlainNode& plain = group.nodes[node.number];
      NodeId parent = 0;
      if (plain.parent)
        for (const PlainNode& candidate : source.groups.at(group.parent).nodes)
          if (candidate.uid == *plain.parent) parent = candidate.id;
      EXPECT_EQ(node.parent, parent) << "node " << node.number << " of " << node.source << " in " << name;
    }
}

}  // namespace ragstone::test
