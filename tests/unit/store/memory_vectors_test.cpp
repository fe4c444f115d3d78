#include "store/memory/dense_merge.hpp"
#include "store/memory/memory_snapshot.hpp"
#include "store/own_threads.hpp"
#include "support/rounds.hpp"
#include "support/store/samples.hpp"
#include <ragstone/store/memory_engine.hpp>

#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

constexpr std::uint32_t kDimension = 3;

const memory::State& state_of(const StoreSnapshot& snapshot) {
  return dynamic_cast<const memory::MemorySnapshot&>(snapshot).state();
}

const memory::DenseColumn& column_of(const memory::State& state) {
  return state.groups.find("line")->second->dense.begin()->second;
}

/// A source of so many lines with vectors.
SourceWrite source(const std::string& id, std::size_t lines, std::mt19937& random) {
  std::string text;
  std::vector<std::vector<float>> rows;
  for (std::size_t i = 0; i < lines; ++i) {
    text += id + " " + std::to_string(i) + "\n";
    rows.push_back({});
    for (std::uint32_t d = 0; d < kDimension; ++d) rows.back().push_back(static_cast<float>(random() % 2001) - 1000);
  }
  SourceWrite write = sample_lines(id, text);
  write.groups[1].dense.push_back(sample_vectors("e", "three", rows, kDimension));
  return write;
}

void commit(StoreEngine& engine, SourceWrite write) {
  Commit commit;
  commit.sources.push_back(std::move(write));
  engine.commit(std::move(commit));
}

std::vector<ScoredNode> nearest(const StoreEngine& engine, std::mt19937& random, std::size_t k = 20) {
  std::vector<float> query;
  for (std::uint32_t d = 0; d < kDimension; ++d) query.push_back(static_cast<float>(random() % 2001) - 1000);
  return engine.snapshot()->search_vectors("line", "e", query, Metric::l2, {}, k);
}

VectorIndexes small_graphs() {
  VectorIndexOptions options;
  options.index_type = IndexType::hnsw;
  options.m = 4;
  options.ef_construction = 20;
  return {{"e", options}};
}

TEST(MemoryVectors, AreMergedToOneSegmentWithAGraphByMaintain) {
  std::mt19937 random(1);
  const auto engine = memory_engine();
  engine->declare_vector_indexes(small_graphs());
  for (int i = 0; i < 8; ++i) commit(*engine, source("s" + std::to_string(i), 4100, random));
  const auto before = engine->snapshot();
  EXPECT_EQ(column_of(state_of(*before)).tiers.tiers().size(), 8u);
  std::mt19937 questions(2);
  const std::vector<ScoredNode> expected = nearest(*engine, questions);
  while (engine->maintain()) {
  }
  const auto after = engine->snapshot();
  const memory::DenseColumn& column = column_of(state_of(*after));
  ASSERT_EQ(column.tiers.tiers().size(), 1u);
  EXPECT_NE(column.tiers.tiers().front().segment->part()->graph(), nullptr);
  EXPECT_EQ(after->generation(), before->generation());
  questions.seed(2);
  EXPECT_EQ(nearest(*engine, questions), expected);
}

/// One source of so many rows of that form.
memory::Tier<memory::DenseSegment> tier(NodeId first, std::size_t rows, const segment::DenseForm& form) {
  auto body = std::make_shared<memory::SourceBody>();
  body->id = std::to_string(first);
  auto nodes = std::make_shared<memory::StoredRows>();
  nodes->source = body;
  nodes->rows.resize(rows);
  for (std::size_t row = 0; row < rows; ++row) nodes->rows[row].id = first + row;
  std::vector<memory::DenseSegment::Input> inputs;
  inputs.push_back({nodes, std::vector<float>(rows * kDimension, 1)});
  return {std::make_shared<const memory::DenseSegment>(kDimension, std::move(inputs), form), nullptr, rows + 1,
          rows + 1};
}

TEST(MemoryVectors, ACommitsMergeHasTheFormThatItsPartsWereMadeWith) {
  segment::DenseForm form;
  form.nibbles = form.bits = true;
  form.nibble_elements = 20 * kDimension;
  const std::vector<memory::Tier<memory::DenseSegment>> small = {tier(1, 10, form), tier(100, 10, form)};
  EXPECT_FALSE(small[0].segment->part()->has_nibbles());
  const auto merged = memory::DenseSegment::merge(small, {});
  EXPECT_TRUE(merged->part()->has_nibbles());
  EXPECT_TRUE(merged->part()->has_bits());
  EXPECT_TRUE(form.fits(*merged->part()));
  const std::vector<memory::Tier<memory::DenseSegment>> again = {{merged, nullptr, 21, 21}};
  EXPECT_TRUE(form.fits(*memory::DenseSegment::merge(again, {})->part()));
}

TEST(MemoryVectors, AMergeKeepsWhatDiedOrWasWrittenMeanwhile) {
  std::mt19937 random(3);
  const auto engine = memory_engine();
  engine->declare_vector_indexes(small_graphs());
  for (const char* id : {"keeps", "goes", "changes", "d", "e", "f", "g", "h"})
    commit(*engine, source(id, 4100, random));
  const auto before = engine->snapshot();
  const auto merge = memory::choose_merge(state_of(*before), Upkeep::due);
  ASSERT_TRUE(merge);
  EXPECT_EQ(merge->inputs.size(), 8u);
  const auto merged = merge->carry_out(OwnThreads(1), {});

  Commit meanwhile;
  meanwhile.removals.push_back("goes");
  meanwhile.sources.push_back(source("changes", 10, random));
  meanwhile.sources.push_back(source("new", 10, random));
  engine->commit(std::move(meanwhile));
  const auto now = engine->snapshot();
  const auto next = memory::put_merged(state_of(*now), *merge, merged);
  ASSERT_TRUE(next);
  std::size_t rows = 0;
  std::size_t dead = 0;
  const memory::DenseColumn& column = column_of(*next);
  for (std::size_t t = 0; t < column.tiers.tiers().size(); ++t) {
    rows += column.tiers.tiers()[t].segment->part()->rows();
    dead += column.dead(t).count();
  }
  EXPECT_EQ(rows - dead, 6 * 4100u + 10 + 10);
  EXPECT_EQ(dead, 2 * 4100u);
}

TEST(MemoryVectors, AMergeWhoseRowsHaveMovedMeanwhileIsGivenUp) {
  std::mt19937 random(4);
  const auto engine = memory_engine();
  engine->declare_vector_indexes(small_graphs());
  commit(*engine, source("a", 5200, random));
  const auto before = engine->snapshot();
  const auto merge = memory::choose_merge(state_of(*before), Upkeep::due);
  ASSERT_TRUE(merge);
  const auto merged = merge->carry_out(OwnThreads(1), {});
  ASSERT_TRUE(engine->maintain());
  const auto now = engine->snapshot();
  EXPECT_FALSE(memory::put_merged(state_of(*now), *merge, merged));
}

TEST(MemoryVectors, AnswerTheSameWhateverIsMergedWhen) {
  for (unsigned seed = 1; seed <= rounds(6) && !testing::Test::HasFailure(); ++seed) {
    std::mt19937 random(seed);
    const auto maintained = memory_engine();
    const auto left_alone = memory_engine();
    std::set<std::string> there;
    for (int step = 0; step < 40; ++step) {
      const std::string id = "s" + std::to_string(random() % 15);
      if (random() % 4 == 0) {
        for (const auto& engine : {maintained, left_alone}) {
          Commit commit;
          commit.removals.push_back(id);
          engine->commit(std::move(commit));
        }
      } else {
        const std::size_t lines = random() % 3 == 0 ? random() % 600 : random() % 5;
        const unsigned content = static_cast<unsigned>(random());
        for (const auto& engine : {maintained, left_alone}) {
          std::mt19937 same(content);
          commit(*engine, source(id, lines, same));
        }
      }
      if (random() % 3 == 0) {
        VectorIndexOptions options;
        options.index_type = random() % 2 == 0 ? IndexType::bin_flat : IndexType::automatic;
        maintained->declare_vector_indexes({{"e", options}});
      }
      if (random() % 2 == 0) maintained->maintain();
      const unsigned question = static_cast<unsigned>(random());
      std::mt19937 one(question);
      std::mt19937 other(question);
      EXPECT_EQ(nearest(*maintained, one), nearest(*left_alone, other)) << "seed " << seed << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace ragstone::test
