#include "store/coding.hpp"
#include "store/sqlite/blobs.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/node_coding.hpp"
#include "support/errors.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

/// A closed store whose numbers are damaged behind its back, so that pages and blobs keep their form.
class DamagedNumbers : public testing::Test {
 protected:
  DamagedNumbers() {
    const auto engine = sqlite_engine(folder_);
    for (const char* id : {"bad", "good"}) {
      Commit commit;
      commit.sources.push_back(sample_lines(id, text_of(id)));
      engine->commit(std::move(commit));
      // So that each has blocks of its own.
      Commit touch;
      touch.touches.emplace_back().source = id;
      engine->commit(std::move(touch));
    }
    engine->close();
  }

  static std::string text_of(const std::string& id) { return id + " 无花果\n" + std::string(2000, 'x') + "\n"; }

  void run(const std::string& sql, std::string_view blob = {}) const {
    sqlite::Database database(folder_ / "store.db", sqlite::OpenMode::write);
    sqlite::Statement& statement = database.statement(sql);
    if (!blob.empty()) statement.bind_blob(1, blob);
    statement.run();
    ASSERT_GT(database.changes(), 0) << sql;
  }

  /// verify() comes to its end and names the damaged source only.
  static void expect_found(const StoreEngine& engine) {
    const VerifyReport report = engine.verify();
    std::vector<std::string> sources;
    for (const StoreFinding& finding : report.findings)
      sources.insert(sources.end(), finding.sources.begin(), finding.sources.end());
    EXPECT_NE(std::count(sources.begin(), sources.end(), "bad"), 0);
    EXPECT_EQ(std::count(sources.begin(), sources.end(), "good"), 0);
  }

  static std::vector<Node> lines_of(const StoreEngine& engine, const std::string& id) {
    NodeQuery query;
    query.group = "line";
    query.source = id;
    return engine.snapshot()->nodes(query);
  }

  static bool finds(const StoreEngine& engine, const std::string& problem) {
    const VerifyReport report = engine.verify();
    return std::any_of(report.findings.begin(), report.findings.end(),
                       [&](const StoreFinding& finding) { return finding.problem == problem; });
  }

  std::string blob_of(const std::string& sql) const {
    sqlite::Database database(folder_ / "store.db", sqlite::OpenMode::read);
    sqlite::Statement& read = database.statement(sql);
    const sqlite::Rows guard(read);
    EXPECT_TRUE(read.step());
    return std::string(read.blob(0));
  }

  static std::string flipped(std::string bytes, std::size_t byte) {
    bytes.at(byte) ^= 1;
    return bytes;
  }

  static void remove(StoreEngine& engine, const std::string& id) {
    Commit commit;
    commit.removals.push_back(id);
    engine.commit(std::move(commit));
  }

  TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path() / "kb";
};

// F7
TEST_F(DamagedNumbers, OfATextsPlaceAreRefusedBeforeMemoryIsTaken) {
  for (const char* damage :
       {"text_bytes = 1 << 47", "text_bytes = (1 << 62) + (1 << 61)", "text_bytes = -1", "text_offset = 1 << 62",
        "text_block = (1 << 62) + (1 << 61), text_bytes = 1 << 62", "text_block = -5"}) {
    SCOPED_TRACE(damage);
    const TemporaryFolder copy;
    fs::copy(folder_, copy.path() / "kb", fs::copy_options::recursive);
    run(std::string("UPDATE source SET ") + damage + " WHERE id = 'bad'");
    const auto engine = sqlite_engine(folder_);
    EXPECT_EQ(error_of([&] { engine->snapshot()->text("bad"); }).errc(), Errc::corrupt_store);
    expect_found(*engine);
    remove(*engine, "bad");
    EXPECT_EQ(engine->snapshot()->text("good"), text_of("good"));
    engine->close();
    fs::remove_all(folder_);
    fs::copy(copy.path() / "kb", folder_, fs::copy_options::recursive);
  }
}

// F7
TEST_F(DamagedNumbers, OfOneTextTakeNoOtherTextAway) {
  // As if it went on through the block of the other text.
  run("UPDATE source SET text_bytes = 2 * 65536 WHERE id = 'bad'");
  const auto engine = sqlite_engine(folder_);
  remove(*engine, "bad");
  EXPECT_EQ(engine->snapshot()->text("good"), text_of("good"));
}

// F7
TEST_F(DamagedNumbers, OfANodesSpanAreRefusedBeforeMemoryIsTaken) {
  for (const Span span : {Span{0, std::uint64_t{1} << 61}, Span{5, 1 << 20}, Span{1 << 20, 1 << 21}}) {
    ByteWriter out;
    out.varint(0);
    sqlite::StoredNode node;
    node.span = span;
    sqlite::NodePosition position;
    sqlite::write_node(out, node, position);
    run("UPDATE node_run SET nodes = ?1 WHERE first = (SELECT max(first) FROM node_run WHERE source = 1)",
        std::move(out).take());
    const auto engine = sqlite_engine(folder_);
    EXPECT_EQ(error_of([&] { lines_of(*engine, "bad"); }).errc(), Errc::corrupt_store);
    EXPECT_EQ(lines_of(*engine, "good").size(), 2u);
    expect_found(*engine);
    engine->close();
  }
}

// F7
TEST_F(DamagedNumbers, OfNodesThatWereNeverStoredAreRefused) {
  ByteWriter ids;
  ids.zigzag(1);
  ids.varint(1 << 20);
  const std::string run_of_ids = std::move(ids).take();
  EXPECT_EQ(sqlite::read_ids(run_of_ids).size(), std::size_t{1} << 20);
  EXPECT_EQ(error_of([&] { sqlite::read_ids(run_of_ids, 1 << 20); }).errc(), Errc::corrupt_store);
  EXPECT_EQ(error_of([&] { sqlite::read_ids(std::string("\x02\x03\x05\x03", 4), 5); }).errc(), Errc::corrupt_store)
      << "the same ids twice";

  ByteWriter groups;
  groups.zigzag(1);
  groups.string(run_of_ids);
  groups.string({});
  groups.raw(std::int64_t{0});
  groups.raw(std::int64_t{0});
  run("UPDATE source SET groups = ?1 WHERE id = 'bad'", std::move(groups).take());
  {
    const auto engine = sqlite_engine(folder_);
    EXPECT_EQ(error_of([&] { lines_of(*engine, "bad"); }).errc(), Errc::corrupt_store);
    expect_found(*engine);
    EXPECT_EQ(error_of([&] { remove(*engine, "bad"); }).errc(), Errc::corrupt_store);
    engine->close();
  }
  const RecoveryReport report = recover_store(folder_, temporary_.path() / "saved");
  ASSERT_EQ(report.lost.size(), 1u);
  EXPECT_EQ(report.lost[0].sources, std::vector<std::string>{"bad"});
}

// F7
TEST_F(DamagedNumbers, OfAColumnThatDoesNotExistAreRefused) {
  ByteWriter groups;
  groups.zigzag(1);
  groups.string({});
  groups.string(sqlite::write_numbers(std::vector<std::int64_t>{77}));
  groups.raw(std::int64_t{0});
  groups.raw(std::int64_t{0});
  run("UPDATE source SET groups = ?1 WHERE id = 'bad'", std::move(groups).take());
  const auto engine = sqlite_engine(folder_);
  EXPECT_EQ(error_of([&] { remove(*engine, "bad"); }).errc(), Errc::corrupt_store);
  expect_found(*engine);
}

// F7
TEST_F(DamagedNumbers, OfARecordAreNotSealedAsSoundByTouchesAndFailures) {
  run("UPDATE source SET content = ?1 WHERE id = 'bad'",
      flipped(blob_of("SELECT content FROM source WHERE id = 'bad'"), 5));
  const auto engine = sqlite_engine(folder_);
  Commit commit;
  commit.touches.emplace_back().source = "bad";
  commit.touches.back().stamp.size = 7;
  commit.touches.emplace_back().source = "good";
  commit.touches.back().stamp.size = 8;
  engine->commit(std::move(commit));
  EXPECT_TRUE(finds(*engine, "its record is damaged"));
  Commit failing;
  failing.failures.emplace_back().source = "bad";
  failing.failures.back().reason = "不可读";
  engine->commit(std::move(failing));
  EXPECT_TRUE(finds(*engine, "its record is damaged"));
  expect_found(*engine);
  SourceQuery good;
  good.id = "good";
  EXPECT_EQ(engine->snapshot()->sources(good).at(0).stamp->size, 8u);
  Commit again;
  again.sources.push_back(sample_lines("bad", text_of("bad")));
  engine->commit(std::move(again));
  EXPECT_FALSE(finds(*engine, "its record is damaged")) << "written anew";
  EXPECT_EQ(engine->snapshot()->text("bad"), text_of("bad"));
}

TEST_F(DamagedNumbers, OfAGenerationKeepNoSourceFromBeingRemoved) {
  run("UPDATE source SET generation = 1000 WHERE id = 'bad'");
  const auto engine = sqlite_engine(folder_);
  Commit commit;
  commit.removals.push_back("bad");
  commit.removals_as_of = engine->snapshot()->generation();
  EXPECT_EQ(engine->commit(std::move(commit)).removed, std::vector<std::string>{"bad"});
  EXPECT_EQ(engine->snapshot()->text("bad"), std::nullopt);
  EXPECT_EQ(engine->snapshot()->text("good"), text_of("good"));
}

// F7
TEST_F(DamagedNumbers, OfAGroupAreNotSealedAsSoundWithAnotherGroup) {
  const std::string groups = blob_of("SELECT groups FROM source WHERE id = 'bad'");
  // At the end is the digest of the record of the group "line".
  run("UPDATE source SET groups = ?1 WHERE id = 'bad'", flipped(groups, groups.size() - 1));
  const auto engine = sqlite_engine(folder_);
  EXPECT_TRUE(finds(*engine, "the record of a group is damaged"));
  const SourceWrite write = sample_lines("bad", text_of("bad"));
  Commit commit;
  GroupWrite& more = commit.groups.emplace_back();
  more.source = "bad";
  more.content = write.record.content;
  more.groups.push_back(sample_group("bad", write.text, "word", write.groups[1], word_spans(write.text), "spaces/1"));
  EXPECT_TRUE(engine->commit(std::move(commit)).skipped.empty());
  EXPECT_TRUE(finds(*engine, "the record of a group is damaged"));
  expect_found(*engine);
}

// F7
TEST_F(DamagedNumbers, AtTheEndsOfTheirRangeEndNoRecovery) {
  for (const char* damage :
       {"source SET number = 9223372036854775807 WHERE id = 'bad'",
        "source SET number = -9223372036854775807 WHERE id = 'bad'", "source SET number = 0 WHERE id = 'bad'",
        "node_run SET source = 9223372036854775807 WHERE source = 1",
        "node_run SET first = 9223372036854775807 WHERE first = (SELECT min(first) FROM node_run WHERE source = 1)",
        "node_run SET first = -9223372036854775808 WHERE first = (SELECT min(first) FROM node_run WHERE source = 1)",
        "text_block SET number = 9223372036854775807 WHERE number = 1"}) {
    SCOPED_TRACE(damage);
    const TemporaryFolder copy;
    const fs::path saved = copy.path() / "saved";
    fs::copy(folder_, copy.path() / "kb", fs::copy_options::recursive);
    run(std::string("UPDATE ") + damage);
    const RecoveryReport report = recover_store(folder_, saved);
    for (const StoreFinding& finding : report.lost)
      EXPECT_EQ(finding.sources, std::vector<std::string>{"bad"}) << finding.object;
    const auto engine = sqlite_engine(saved);
    if (report.lost.empty()) {
      EXPECT_EQ(engine->snapshot()->text("bad"), text_of("bad"));
      EXPECT_EQ(lines_of(*engine, "bad").size(), 2u);
    }
    EXPECT_EQ(engine->snapshot()->text("good"), text_of("good"));
    EXPECT_EQ(lines_of(*engine, "good").size(), 2u);
    EXPECT_TRUE(engine->verify().ok());
    fs::remove_all(folder_);
    fs::copy(copy.path() / "kb", folder_, fs::copy_options::recursive);
  }
}

// F7
TEST_F(DamagedNumbers, OfPartsEndNoRecovery) {
  for (const char* damage :
       {"number = 9223372036854775807", "number = -9223372036854775807", "number = number + 9000000000000000000",
        "definition = 9223372036854775807", "rows = 9223372036854775807", "dead_tokens = -1"}) {
    SCOPED_TRACE(damage);
    const TemporaryFolder copy;
    fs::copy(folder_, copy.path() / "kb", fs::copy_options::recursive);
    sqlite::Database(copy.path() / "kb" / "store.db", sqlite::OpenMode::write)
        .execute((std::string("UPDATE part SET ") + damage).c_str());
    EXPECT_EQ(recover_store(copy.path() / "kb", copy.path() / "saved").sources, 2u);
    EXPECT_TRUE(sqlite_engine(copy.path() / "saved")->verify().ok());
  }
}

// F7
TEST_F(DamagedNumbers, OfCommitsHideNoNewSources) {
  {
    const auto engine = sqlite_engine(folder_);
    Commit commit;
    commit.sources.push_back(sample_lines("new", text_of("new")));
    engine->commit(std::move(commit));
    // Left unclosed: the source is in the log of commits alone.
  }
  for (const char* damage :
       {"WHERE generation = (SELECT min(generation) FROM commit_log)", "WHERE length(sources) > 0"})
    for (const char* number : {"9223372036854775807", "-9223372036854775807", "123456789012"}) {
      SCOPED_TRACE(std::string(number) + ' ' + damage);
      const TemporaryFolder copy;
      fs::copy(folder_, copy.path() / "kb", fs::copy_options::recursive);
      sqlite::Database(copy.path() / "kb" / "store.db", sqlite::OpenMode::write)
          .execute((std::string("UPDATE commit_log SET generation = ") + number + ' ' + damage).c_str());
      EXPECT_EQ(recover_store(copy.path() / "kb", copy.path() / "saved").sources, 3u);
      const auto engine = sqlite_engine(copy.path() / "saved");
      EXPECT_EQ(engine->snapshot()->text("new"), text_of("new"));
      EXPECT_EQ(lines_of(*engine, "new").size(), 2u);
      EXPECT_TRUE(engine->verify().ok());
    }
}

}  // namespace
}  // namespace ragstone::test
