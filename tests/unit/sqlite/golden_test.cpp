// Stores as earlier versions left them, in golden/schema-N.gz: what export_store() wrote, packed by gzip. Each holds
// what fill() commits, sealed in part and staged in part. A version that changes the schema adds one, before it does:
//
//     RAGSTONE_GOLDEN=FOLDER ragstone_sqlite_test --gtest_also_run_disabled_tests
//     --gtest_filter='*ThePresentSchemaIsKept' gzip -9n FOLDER/schema-N
//
// and from then on none changes any more.

#include "store/sqlite/schema.hpp"
#include "support/data.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

constexpr char kRiver[] = "The river is wide.\nA bridge crosses it.\n";
constexpr char kLake[] = "湖水很深。\nThe lake is deep, 河流汇入湖泊。\n";
constexpr char kHill[] = "A hill above the river.\n";

SqliteOptions options() {
  SqliteOptions options;
  options.durability = Durability::fast;
  options.seal_rows = 4;
  return options;
}

VectorIndexes indexes() {
  VectorIndexOptions index;
  index.index_type = IndexType::bin_flat;
  index.recall = 0.5;
  return {{"e", index}};
}

/// Root and lines with BM25, a vector and learned terms for each line.
SourceWrite source(const std::string& id, const std::string& text, std::int64_t year) {
  SourceWrite write =
      sample_lines(id, text, {{"year", Scalar(year)}, {"lang", Scalar(std::string("中文 and English"))}});
  write.record.reader = "markdown/1";
  write.record.stamp = {static_cast<std::uint64_t>(text.size()), 1'000'000'007};
  GroupRows& lines = write.groups[1];
  std::vector<std::vector<float>> vectors;
  SparseRows learned;
  learned.key = "splade";
  learned.signature = "splade/1";
  for (std::size_t i = 0; i < lines.rows.size(); ++i) {
    vectors.push_back({static_cast<float>(year - 2000), static_cast<float>(i + 1)});
    learned.rows.append(std::vector<TermWeight>{{"水", 0.5F}, {id, static_cast<float>(i + 1)}});
    learned.lengths.push_back(2);
  }
  lines.dense.push_back(sample_vectors("e", "two", vectors, 2));
  lines.sparse.push_back(std::move(learned));
  return write;
}

void put(StoreEngine& engine, SourceWrite write) {
  Commit commit;
  commit.sources.push_back(std::move(write));
  engine.commit(std::move(commit));
}

void fill(StoreEngine& engine) {
  engine.declare_fields({{"year", FieldKind::integer}});
  engine.declare_vector_indexes(indexes());
  put(engine, source("river", "An older text.\n", 2001));
  put(engine, source("gone", "It will be removed.\n", 2002));
  put(engine, source("lake", kLake, 2003));
  while (engine.maintain()) {
  }
  put(engine, source("river", kRiver, 2001));
  Commit commit;
  commit.removals = {"gone"};
  SourceFailure failure;
  failure.source = "bad";
  failure.stage = Stage::load;
  failure.reason = "坏文件 is damaged";
  commit.failures.push_back(failure);
  engine.commit(std::move(commit));
  put(engine, source("hill", kHill, 2004));
}

std::vector<std::string> texts_of(const StoreSnapshot& snapshot, const std::vector<ScoredNode>& hits) {
  NodeQuery query;
  query.ids.emplace();
  for (const ScoredNode& hit : hits) query.ids->push_back(hit.id);
  std::vector<std::string> texts;
  for (const Node& node : snapshot.nodes(query)) texts.push_back(node.text);
  return texts;
}

void expect_filled(const StoreEngine& engine) {
  const auto snapshot = engine.snapshot();
  EXPECT_TRUE(engine.verify().ok());
  EXPECT_EQ(engine.vector_indexes(), indexes());
  const std::vector<SourceRecord> records = snapshot->sources({});
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[0].id, "bad");
  EXPECT_EQ(records[0].state, SourceState::failed);
  EXPECT_EQ(records[0].reason, "坏文件 is damaged");
  EXPECT_EQ(records[1].id, "hill");
  EXPECT_EQ(records[1].metadata.find("year")->index(), Scalar(std::int64_t{2004}).index());
  EXPECT_EQ(records[2].id, "lake");
  EXPECT_EQ(records[2].content, hash128(kLake));
  EXPECT_EQ(records[2].metadata.text("lang"), "中文 and English");
  EXPECT_EQ(records[3].id, "river");
  EXPECT_EQ(records[3].reader, "markdown/1");
  EXPECT_EQ(records[3].stamp, (FileStamp{sizeof kRiver - 1, 1'000'000'007}));
  EXPECT_EQ(snapshot->text("river"), kRiver);
  EXPECT_EQ(snapshot->text("lake"), kLake);
  EXPECT_EQ(snapshot->text("hill"), kHill);
  EXPECT_EQ(snapshot->text("gone"), std::nullopt);

  NodeQuery lines;
  lines.group = "line";
  std::vector<std::string> all;
  for (const Node& node : snapshot->nodes(lines)) all.push_back(node.source + ": " + node.text);
  EXPECT_EQ(all, (std::vector<std::string>{"lake: 湖水很深。", "lake: The lake is deep, 河流汇入湖泊。",
                                           "river: The river is wide.", "river: A bridge crosses it.",
                                           "hill: A hill above the river."}));
  const std::vector<TermWeight> river = {{"river", 1}};
  EXPECT_EQ(texts_of(*snapshot, snapshot->search_terms("line", kBm25Key, river, {}, {}, 9)),
            (std::vector<std::string>{"The river is wide.", "A hill above the river."}));
  EXPECT_EQ(texts_of(*snapshot, snapshot->search_terms("line", kBm25Key, river, {}, Filter::parse("year > 2001"), 9)),
            std::vector<std::string>{"A hill above the river."});
  const std::vector<float> query = {3, 2};
  const std::vector<std::string> nearest =
      texts_of(*snapshot, snapshot->search_vectors("line", "e", query, Metric::l2, {}, 2));
  EXPECT_EQ(nearest.at(0), "The lake is deep, 河流汇入湖泊。");
  const std::vector<TermWeight> learned = {{"lake", 1}};
  EXPECT_EQ(texts_of(*snapshot, snapshot->search_sparse("line", "splade", learned, {}, 1)),
            std::vector<std::string>{"The lake is deep, 河流汇入湖泊。"});
  const std::vector<Hash128> contents = {hash128("A bridge crosses it.")};
  EXPECT_EQ(snapshot->vectors("e", "two", contents), (std::vector<std::vector<float>>{{1, 2}}));
  const std::vector<TermWeight> bridge = {{"river", 2}, {"水", 0.5F}};
  EXPECT_EQ(snapshot->sparse_vectors("splade", "splade/1", contents).at(0), bridge);
}

/// By the version of their schema.
fs::path golden(std::int64_t version) {
  return fs::path(RAGSTONE_GOLDEN_STORES) / ("schema-" + std::to_string(version) + ".gz");
}

// F8
TEST(GoldenStore, OfEveryKnownSchemaOpensAndHoldsWhatWasCommitted) {
  for (std::int64_t version = sqlite::kOldestSchemaVersion; version <= sqlite::kSchemaVersion; ++version) {
    SCOPED_TRACE(golden(version));
    const TemporaryFolder folder;
    const fs::path kb = folder.path() / "kb";
    import_store(folder.write("archive", read_gz(golden(version))), kb);
    {
      const auto engine = sqlite_engine(kb, options());
      expect_filled(*engine);
      put(*engine, source("new", "A new text.\n", 2005));
      while (engine->maintain()) {
      }
      Commit commit;
      commit.removals = {"new"};
      engine->commit(std::move(commit));
      engine->close();
    }
    expect_filled(*sqlite_engine(kb, options()));
  }
}

// F8
TEST(GoldenStore, IsWhatFillMakesToday) {
  const TemporaryFolder folder;
  const auto engine = sqlite_engine(folder.path() / "kb", options());
  fill(*engine);
  expect_filled(*engine);
}

TEST(GoldenStore, DISABLED_ThePresentSchemaIsKept) {
  const char* to = std::getenv("RAGSTONE_GOLDEN");
  ASSERT_NE(to, nullptr) << "RAGSTONE_GOLDEN is to name a folder";
  const TemporaryFolder folder;
  const auto engine = sqlite_engine(folder.path() / "kb", options());
  fill(*engine);
  export_store(folder.path() / "kb", fs::path(to) / ("schema-" + std::to_string(sqlite::kSchemaVersion)));
}

}  // namespace
}  // namespace ragstone::test
