#include "index/graph/hnsw.hpp"

#include <cstddef>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::graph {
namespace {

constexpr std::size_t kRows = 3000;
constexpr std::size_t kDimension = 16;
constexpr std::size_t kM = 8;
constexpr std::size_t kEfConstruction = 40;

using Theirs = hnswlib::HierarchicalNSW<float>;

std::vector<Hnsw::Element> links_of(const Theirs& graph, Hnsw::Element element, int level) {
  auto* list = graph.get_linklist_at_level(element, level);
  const std::size_t count = *reinterpret_cast<const unsigned short*>(list);
  return {list + 1, list + 1 + count};
}

class HnswInsert : public testing::TestWithParam<bool> {};

TEST_P(HnswInsert, GivesEachElementTheLinksThatHnswlibGivesIt) {
  std::mt19937 random(31);
  std::normal_distribution<float> element;
  std::vector<float> rows(kRows * kDimension);
  for (float& value : rows) value = element(random);
  hnswlib::L2Space space(kDimension);
  Theirs theirs(&space, kRows, kM, kEfConstruction);
  Hnsw ours(space, kRows, kM, kEfConstruction, GetParam());
  for (std::size_t row = 0; row < kRows; ++row) {
    theirs.addPoint(&rows[row * kDimension], row);
    ours.insert(&rows[row * kDimension], row);
  }
  ASSERT_GE(ours.maxlevel_, 2);
  ASSERT_EQ(ours.maxlevel_, theirs.maxlevel_);
  EXPECT_EQ(ours.enterpoint_node_, theirs.enterpoint_node_);
  for (Hnsw::Element number = 0; number < kRows; ++number) {
    ASSERT_EQ(ours.getExternalLabel(number), number);
    ASSERT_EQ(ours.element_levels_[number], theirs.element_levels_[number]);
    for (int level = 0; level <= ours.element_levels_[number]; ++level)
      ASSERT_EQ(links_of(ours, number, level), links_of(theirs, number, level))
          << "element " << number << ", level " << level;
  }
}

INSTANTIATE_TEST_SUITE_P(, HnswInsert, testing::Bool(),
                         [](const auto& locks) { return locks.param ? "Shared" : "Alone"; });

}  // namespace
}  // namespace ragstone::graph
