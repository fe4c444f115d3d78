#include "index/sparse_index.hpp"

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

using Row = std::vector<TermWeight>;
using Plain = std::map<std::string, std::map<std::uint32_t, float>>;

SparseIndex build(const std::vector<Row>& rows) {
  std::vector<SparseIndex::Row> views;
  for (const Row& row : rows) views.push_back({row, static_cast<std::uint32_t>(row.size() + 10)});
  return SparseIndex::build(views);
}

Plain plain_of(const std::vector<Row>& rows) {
  Plain plain;
  for (std::uint32_t row = 0; row < rows.size(); ++row)
    for (const TermWeight& term : rows[row]) plain[term.term][row] = term.weight;
  return plain;
}

void expect_equal(const SparseIndex& index, const std::vector<Row>& rows) {
  ASSERT_EQ(index.rows(), rows.size());
  for (std::uint32_t row = 0; row < rows.size(); ++row) EXPECT_EQ(index.length(row), rows[row].size() + 10);
  const Plain plain = plain_of(rows);
  ASSERT_EQ(index.terms(), plain.size());
  std::size_t number = 0;
  for (const auto& [term, postings] : plain) {
    EXPECT_EQ(index.term(number), term);
    const auto found = index.find(term);
    ASSERT_EQ(found.size(), postings.size());
    EXPECT_EQ(found.data(), index.postings(number).data());
    std::size_t i = 0;
    for (const auto& [row, weight] : postings) {
      EXPECT_EQ(found[i].row, row);
      EXPECT_EQ(found[i++].weight, weight);
    }
    ++number;
  }
}

std::vector<Row> random_rows(std::mt19937& random, std::size_t count) {
  std::vector<Row> rows(count);
  for (Row& row : rows) {
    std::map<std::string, float> terms;
    for (std::size_t i = random() % 8; i > 0; --i)
      terms[(random() % 2 ? "词" : "term") + std::to_string(random() % 30)] = static_cast<float>(1 + random() % 5);
    for (const auto& [term, weight] : terms) row.push_back({term, weight});
  }
  return rows;
}

TEST(SparseIndex, HoldsWhatItWasBuiltFrom) {
  expect_equal(build({}), {});
  expect_equal(build({{}, {}}), {{}, {}});
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    const std::vector<Row> rows = random_rows(random, random() % 40);
    const SparseIndex index = build(rows);
    expect_equal(index, rows);
    EXPECT_TRUE(index.find("").empty());
    EXPECT_TRUE(index.find("zzz").empty());
    EXPECT_TRUE(index.find("te").empty());
  }
}

TEST(SparseIndex, AMergeEqualsAnIndexBuiltFromTheLivingRows) {
  std::mt19937 random(4);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::vector<Row>> parts;
    std::vector<SparseIndex> indexes;
    for (std::size_t i = 1 + random() % 5; i > 0; --i) {
      parts.push_back(random_rows(random, random() % 20));
      indexes.push_back(build(parts.back()));
    }
    // Rows of the parts alternate in the merged index, as sources of several segments do.
    std::vector<SparseIndex::Input> inputs(parts.size());
    std::vector<Row> merged;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      inputs[i].index = &indexes[i];
      inputs[i].new_rows.assign(parts[i].size(), SparseIndex::kDropped);
    }
    for (std::size_t row = 0; row < 20; ++row)
      for (std::size_t i = 0; i < parts.size(); ++i) {
        if (row >= parts[i].size() || random() % 3 == 0) continue;
        inputs[i].new_rows[row] = static_cast<std::uint32_t>(merged.size());
        merged.push_back(parts[i][row]);
      }
    expect_equal(SparseIndex::merge(inputs, merged.size()), merged);
  }
}

}  // namespace
}  // namespace ragstone
