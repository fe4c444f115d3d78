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

}  // namespace
}  // namespace ragstone::test
