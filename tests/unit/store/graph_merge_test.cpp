#include "store/graph_merge.hpp"

#include "store/vector_form.hpp"

#include <algorithm>
#include <cstddef>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

segment::DenseForm graph_form() {
  segment::DenseForm form;
  form.graph.emplace();
  return form;
}

std::vector<bool> chosen(const std::vector<PartShape>& parts, Upkeep upkeep = Upkeep::due) {
  return choose_for_graph(parts, graph_form(), upkeep);
}

const std::vector<bool> kNoneOfTwo = {false, false};
const std::vector<bool> kBoth = {true, true};

TEST(ChooseForGraph, RowsWithoutAGraphGetOneOnceTheyAreEnoughHoweverManyPartsHoldThem) {
  EXPECT_EQ(chosen({{25'000, false}, {24'999, false}}), kNoneOfTwo);
  EXPECT_EQ(chosen({{25'000, false}, {25'000, false}}), kBoth);
  EXPECT_EQ(chosen({{400'000, true}, {26'000, false}, {26'000, false}}), (std::vector<bool>{false, true, true}));
}

TEST(ChooseForGraph, AQuarterBesideAGraphJoinsItAndASixteenthWhereTheStoreIsIdle) {
  EXPECT_EQ(chosen({{160'000, true}, {39'999, false}}), kNoneOfTwo);
  EXPECT_EQ(chosen({{160'000, true}, {40'000, false}}), kBoth);
  EXPECT_EQ(chosen({{160'000, true}, {10'000, false}}, Upkeep::idle), kBoth);
  EXPECT_EQ(chosen({{160'000, true}, {9'999, false}}, Upkeep::idle), kNoneOfTwo);
  EXPECT_EQ(chosen({{60'000, true}, {60'000, true}}), kBoth);
}

TEST(ChooseForGraph, AFewRowsAreScannedRatherThanMerged) {
  EXPECT_EQ(chosen({{6'000, true}, {2'047, false}}, Upkeep::idle), kNoneOfTwo);
  EXPECT_EQ(chosen({{6'000, true}, {2'048, false}}, Upkeep::idle), kBoth);
}

TEST(ChooseForGraph, NothingIsChosenWhereNoGraphIsWanted) {
  EXPECT_EQ(choose_for_graph(std::vector<PartShape>{{400'000, false}, {400'000, false}}, {}, Upkeep::idle), kNoneOfTwo);
  EXPECT_TRUE(chosen({}).empty());
}

TEST(FormOf, VectorsOfMoreDimensionsThanCodesHaveAreOnlyScanned) {
  VectorIndexes indexes;
  indexes["graph"].index_type = IndexType::hnsw;
  indexes["flat"].index_type = IndexType::flat;
  EXPECT_TRUE(form_of(indexes, "graph", 65'536).graph);
  EXPECT_TRUE(form_of(indexes, "flat", 65'536).nibbles);
  EXPECT_FALSE(form_of(indexes, "graph", 65'537).graph);
  EXPECT_FALSE(form_of(indexes, "flat", 65'537).nibbles);
}

// Whatever comes in whatever pieces: the work ends, is done a few times a row, and leaves little to scan.
TEST(ChooseForGraph, WhatIsMergedIsAFewTimesWhatComes) {
  std::mt19937 random(1);
  std::vector<PartShape> parts;
  std::size_t rows = 0;
  std::size_t copied = 0;
  while (rows < 2'000'000) {
    const std::size_t more = 1'000 + random() % 60'000;
    rows += more;
    parts.push_back({more, false});
    for (int merges = 0;; ++merges) {
      ASSERT_LT(merges, 3);
      const std::vector<bool> which = chosen(parts);
      if (std::count(which.begin(), which.end(), true) == 0) break;
      PartShape merged{0, true};
      std::vector<PartShape> rest;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        if (which[i]) {
          merged.rows += parts[i].rows;
        } else {
          rest.push_back(parts[i]);
        }
      }
      copied += merged.rows;
      rest.push_back(merged);
      parts = rest;
    }
    std::size_t scanned = 0;
    for (const PartShape& part : parts) scanned += part.has_graph ? 0 : part.rows;
    ASSERT_LT(scanned, 50'000u);
    ASSERT_LE(std::count_if(parts.begin(), parts.end(), [](const PartShape& p) { return p.has_graph; }), 10);
  }
  EXPECT_LE(copied, 6 * rows);
}

}  // namespace
}  // namespace ragstone
