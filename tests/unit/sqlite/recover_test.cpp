#include "store/sqlite/blobs.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/digest.hpp"
#include "store/sqlite/source_rows.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/base/node.hpp>
#include <ragstone/store/sqlite_engine.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;
using sqlite::SourceGroup;
using sqlite::SourceRow;

/// A closed store whose rows are damaged so that their checksums still match.
class SqliteRecovery : public testing::Test {
 protected:
  SqliteRecovery() {
    const auto engine = sqlite_engine(folder_);
    for (const char* id : {"fig-one", "fig-two", "fig-bad", "fig-end"}) {
      Commit commit;
      commit.sources.push_back(sample_lines(id, text_of(id)));
      engine->commit(std::move(commit));
    }
    engine->close();
  }

  static std::string text_of(const std::string& id) { return id.substr(4) + " 无花果\nthe second line\n"; }

  /// Changes a source's row, and makes its checksum match.
  void change(const std::string& id, const std::function<void(sqlite::Database&, SourceRow&)>& how) const {
    sqlite::Database database(folder_ / "store.db", sqlite::OpenMode::write);
    SourceRow row = *sqlite::find_source(database, id);
    how(database, row);
    sqlite::Statement& update = database.statement(
        "UPDATE source SET text_bytes = ?2, text_digest = ?3, digest = ?4, groups = ?5 WHERE number = ?1");
    update.bind_integer(1, row.number);
    update.bind_integer(2, static_cast<std::int64_t>(row.text.size));
    update.bind_integer(3, row.text_digest);
    update.bind_integer(4, sqlite::digest_of(row));
    update.bind_blob(5, row.groups);
    update.run();
    ASSERT_EQ(database.changes(), 1);
  }

  /// Puts other bytes of the same length in place of some, wherever they are in the database.
  void replace_everywhere(const std::string& from, const std::string& to) const {
    std::string bytes;
    {
      std::ifstream in(folder_ / "store.db", std::ios::binary);
      bytes.assign(std::istreambuf_iterator<char>(in), {});
    }
    std::size_t count = 0;
    for (auto at = bytes.find(from); at != std::string::npos; at = bytes.find(from, at + 1), ++count)
      bytes.replace(at, from.size(), to);
    ASSERT_GT(count, 0u);
    std::ofstream(folder_ / "store.db", std::ios::binary) << bytes;
  }

  /// Recovers; gives what was lost, by object.
  std::map<std::string, std::string> recover() {
    const RecoveryReport report = recover_store(folder_, copy_);
    saved_ = report.sources;
    std::map<std::string, std::string> lost;
    for (const StoreFinding& finding : report.lost) {
      lost.emplace(finding.object, finding.problem);
      EXPECT_EQ(finding.sources.size(), 1u) << finding.object;
    }
    const auto engine = sqlite_engine(copy_);
    EXPECT_TRUE(engine->verify().ok());
    for (const char* id : {"fig-one", "fig-end"}) {
      EXPECT_EQ(engine->snapshot()->text(id), text_of(id));
      EXPECT_EQ(lines_of(*engine, id), 2u);
    }
    return lost;
  }

  static std::size_t lines_of(const StoreEngine& engine, const std::string& id) {
    NodeQuery query;
    query.group = "line";
    query.source = id;
    return engine.snapshot()->nodes(query).size();
  }

  TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path() / "kb";
  fs::path copy_ = temporary_.path() / "copy";
  std::uint64_t saved_ = 0;
};

// F7
TEST_F(SqliteRecovery, GroupsBelowALostOneAreToldToo) {
  {
    sqlite::Database database(folder_ / "store.db", sqlite::OpenMode::write);
    database.execute(
        "DELETE FROM node_run WHERE first = (SELECT min(first) FROM node_run WHERE source = "
        "(SELECT number FROM source WHERE id = 'fig-bad'))");
    ASSERT_EQ(database.changes(), 1);
  }
  const auto lost = recover();
  ASSERT_EQ(lost.size(), 2u);
  const std::string root = std::string("group \"") + kRootGroup + "\"";
  EXPECT_TRUE(lost.contains(root + " of source \"fig-bad\""));
  EXPECT_EQ(lost.at("group \"line\" of source \"fig-bad\""), "its parent " + root + " is lost");
  EXPECT_EQ(saved_, 4u);
  EXPECT_EQ(sqlite_engine(copy_)->snapshot()->text("fig-bad"), text_of("fig-bad"));
}

// F7
TEST_F(SqliteRecovery, AGroupWhoseNodesHaveAnothersParentsIsToldAndTheRestGoesOn) {
  change("fig-bad", [](sqlite::Database& database, SourceRow& row) {
    const sqlite::Catalog catalog = sqlite::Catalog::load_definitions(database);
    std::vector<SourceGroup> groups = sqlite::parse_groups(row.groups, sqlite::kNoEnd);
    const std::vector<SourceGroup> others =
        sqlite::parse_groups(sqlite::find_source(database, "fig-one")->groups, sqlite::kNoEnd);
    groups.at(0) = others.at(0);
    groups.at(0).digest = sqlite::digest_of(row.number, groups.at(0), catalog);
    row.groups = sqlite::format_groups(groups);
  });
  const auto lost = recover();
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost.at("group \"line\" of source \"fig-bad\""),
            std::string("the parent of a node is not in group \"") + kRootGroup + '"');
  EXPECT_EQ(saved_, 4u);
}

// F7
TEST_F(SqliteRecovery, ASourceThatIsThereTwiceIsSavedOnceAndToldAndTheRestGoesOn) {
  {
    sqlite::Database database(folder_ / "store.db", sqlite::OpenMode::write);
    SourceRow row = *sqlite::find_source(database, "fig-two");
    row.record.id = "fig-one";
    sqlite::Statement& update = database.statement("UPDATE source SET digest = ?2 WHERE number = ?1");
    update.bind_integer(1, row.number);
    update.bind_integer(2, sqlite::digest_of(row));
    update.run();
  }
  replace_everywhere("fig-two", "fig-one");
  const auto lost = recover();
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost.begin()->first, "source \"fig-one\"");
  EXPECT_EQ(saved_, 3u);
}

// F7
TEST_F(SqliteRecovery, ASourceThatTheNewStoreRefusesIsToldAndTheRestGoesOn) {
  change("fig-bad", [](sqlite::Database&, SourceRow& row) {
    // Its lines end beyond the text.
    row.text.size = 7;
    row.record.text_bytes = 7;
    row.text_digest = sqlite::digest_of("bad 无");
  });
  const auto lost = recover();
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_NE(lost.at("groups of source \"fig-bad\"").find("is not within the text's 7 bytes"), std::string::npos);
  EXPECT_EQ(saved_, 4u);
  EXPECT_EQ(sqlite_engine(copy_)->snapshot()->text("fig-bad"), "bad 无");
}

}  // namespace
}  // namespace ragstone::test
