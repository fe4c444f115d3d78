#include "store/sqlite/database.hpp"
#include "support/errors.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

class SqliteToolsTest : public testing::Test {
 protected:
  SqliteToolsTest() {
    const auto engine = sqlite_engine(folder_);
    for (int i = 0; i < kSources; ++i) {
      Commit commit;
      SourceWrite write = sample_lines("s" + std::to_string(i), "fig " + std::to_string(i) + "\n无花果");
      const float number = static_cast<float>(i);
      write.groups[1].dense.push_back(sample_vectors("e", "two", {{number, 1}, {number, 2}}, 2));
      commit.sources.push_back(std::move(write));
      engine->commit(std::move(commit));
    }
    Commit failed;
    failed.failures.emplace_back().source = "unreadable";
    failed.failures.back().reason = "not UTF-8";
    engine->commit(std::move(failed));
    engine->close();
  }

  fs::path in(const char* name) const { return temporary_.path() / name; }

  static void expect_whole(const StoreEngine& engine) {
    const auto at = engine.snapshot();
    EXPECT_EQ(at->sources({}).size(), kSources + 1u);
    EXPECT_EQ(at->text("s7"), "fig 7\n无花果");
    NodeQuery lines;
    lines.group = "line";
    EXPECT_EQ(at->nodes(lines).size(), 2u * kSources);
    const std::vector<float> query = {1, 0};
    const auto hits = at->search_vectors("line", "e", query, Metric::inner_product, {}, 1);
    EXPECT_EQ(hits.at(0).score, kSources - 1);
    EXPECT_TRUE(engine.verify().ok());
  }

  /// Overwrites bytes in the middle of a file.
  static void scribble(const fs::path& file) {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(static_cast<std::streamoff>(fs::file_size(file) / 2));
    bytes << "scribbled over what was here before, whatever it was";
  }

  static constexpr int kSources = 20;
  TemporaryFolder temporary_;
  fs::path folder_ = in("kb");
};

TEST_F(SqliteToolsTest, AnExportedStoreIsTheSameWhenImported) {
  export_store(folder_, in("kb.rag"));
  import_store(in("kb.rag"), in("copy"));
  expect_whole(*sqlite_engine(in("copy")));
  EXPECT_EQ(error_of([&] { export_store(folder_, in("kb.rag")); }).errc(), Errc::already_exists);
  EXPECT_EQ(error_of([&] { import_store(in("kb.rag"), in("copy")); }).errc(), Errc::already_exists);
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(temporary_.path())) names.insert(entry.path().filename().string());
  EXPECT_EQ(names, (std::set<std::string>{"copy", "kb", "kb.rag"})) << "nothing is left over";
}

TEST_F(SqliteToolsTest, ADamagedArchiveIsRefusedAndLeavesNothing) {
  export_store(folder_, in("kb.rag"));
  scribble(in("kb.rag"));
  EXPECT_EQ(error_of([&] { import_store(in("kb.rag"), in("copy")); }).errc(), Errc::corrupt_store);
  EXPECT_FALSE(fs::exists(in("copy")));
}

TEST_F(SqliteToolsTest, AnArchiveWithAForeignNameIsRefused) {
  export_store(folder_, in("kb.rag"));
  {
    sqlite::Database archive(in("kb.rag"), sqlite::OpenMode::write);
    archive.execute("UPDATE file SET name = 'segments/../../escaped' WHERE number = 2");
  }
  EXPECT_EQ(error_of([&] { import_store(in("kb.rag"), in("copy")); }).errc(), Errc::corrupt_store);
  EXPECT_FALSE(fs::exists(in("escaped")));
}

// F8
TEST_F(SqliteToolsTest, AnArchiveOfAnotherVersionIsRefused) {
  export_store(in("kb"), in("kb.rag"));
  sqlite::Database(in("kb.rag"), sqlite::OpenMode::write).execute("PRAGMA user_version = 2");
  EXPECT_EQ(error_of([&] { import_store(in("kb.rag"), in("copy")); }).errc(), Errc::unsupported);
  EXPECT_FALSE(std::filesystem::exists(in("copy")));
}

// F7
TEST_F(SqliteToolsTest, RecoveringAGoodStoreLosesNothing) {
  const RecoveryReport report = recover_store(folder_, in("copy"));
  EXPECT_TRUE(report.lost.empty()) << report.lost.front().object << ": " << report.lost.front().problem;
  EXPECT_EQ(report.sources, kSources);
  expect_whole(*sqlite_engine(in("copy")));
}

// F7
TEST_F(SqliteToolsTest, RecoveringSavesAllButWhatIsDamagedAndNamesThat) {
  {
    sqlite::Database database(folder_ / "store.db", sqlite::OpenMode::write);
    database.execute(
        "UPDATE source SET metadata = x'FF' WHERE id = 's3';"
        "UPDATE source SET text_offset = 1 WHERE id = 's4';"
        "DELETE FROM node_run WHERE first = (SELECT max(first) FROM node_run WHERE source = "
        "(SELECT number FROM source WHERE id = 's5'));"
        "UPDATE commit_log SET counters = x'00'");
  }
  EXPECT_EQ(error_of([&] { sqlite_engine(folder_); }).errc(), Errc::corrupt_store);
  const RecoveryReport report = recover_store(folder_, in("copy"));
  EXPECT_EQ(report.sources, kSources - 2u);
  std::set<std::string> lost;
  for (const StoreFinding& finding : report.lost) lost.insert(finding.object);
  EXPECT_EQ(lost, (std::set<std::string>{"source number 4", "source \"s4\"", "group \"line\" of source \"s5\""}));
  const auto engine = sqlite_engine(in("copy"));
  EXPECT_TRUE(engine->verify().ok());
  EXPECT_EQ(engine->snapshot()->text("s5"), "fig 5\n无花果");
  PendingQuery pending;
  pending.group = "line";
  pending.signature = "spans/1";
  EXPECT_EQ(engine->snapshot()->pending(pending), std::vector<std::string>{"s5"}) << "its lines are to be made anew";
}

// F7
TEST_F(SqliteToolsTest, ARunOfSourcesThatCannotBeReadIsOneLoss) {
  constexpr std::uint64_t kMore = 60;
  {
    // So that the table takes several pages.
    const auto engine = sqlite_engine(folder_);
    Commit commit;
    for (std::uint64_t i = 0; i < kMore; ++i)
      commit.sources.push_back(sample_lines(std::string(400, 'x') + std::to_string(i), "fig"));
    engine->commit(std::move(commit));
    engine->close();
  }
  std::int64_t page = 0;
  {
    sqlite::Database database(folder_ / "store.db", sqlite::OpenMode::read);
    sqlite::Statement& leaf = database.statement(
        "SELECT pageno FROM dbstat WHERE name = 'source' AND pagetype = 'leaf' ORDER BY path LIMIT 1");
    sqlite::Rows rows(leaf);
    ASSERT_TRUE(rows.next());
    page = leaf.integer(0);
  }
  {
    std::fstream bytes(folder_ / "store.db", std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(static_cast<std::streamoff>((page - 1) * 4096));
    bytes << std::string(4096, 'x');
  }
  const RecoveryReport report = recover_store(folder_, in("copy"));
  ASSERT_EQ(report.lost.size(), 1u);
  const std::string& run = report.lost[0].object;
  const std::string prefix = "source numbers 1 to ";
  ASSERT_EQ(run.substr(0, prefix.size()), prefix);
  EXPECT_EQ(report.sources + std::stoul(run.substr(prefix.size())), kSources + 1 + kMore);
  EXPECT_GT(report.sources, 0u);
  EXPECT_TRUE(sqlite_engine(in("copy"))->verify().ok());
}

// F6
TEST_F(SqliteToolsTest, VectorsOfADamagedSegmentAreNamedAndTheRestIsSaved) {
  for (const auto& entry : fs::directory_iterator(folder_ / "segments")) {
    std::fstream bytes(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(4096);
    bytes << std::string(fs::file_size(entry.path()) - 4096, 'x');
  }
  const RecoveryReport report = recover_store(folder_, in("copy"));
  EXPECT_EQ(report.sources, kSources);
  EXPECT_FALSE(report.lost.empty());
  const auto engine = sqlite_engine(in("copy"));
  EXPECT_TRUE(engine->verify().ok());
  PendingQuery pending;
  pending.group = "line";
  pending.signature = "spans/1";
  EXPECT_TRUE(engine->snapshot()->pending(pending).empty());
}

// F7
TEST_F(SqliteToolsTest, RecoveringSavesTextsWithoutTheDefinitionsOfTheirGroups) {
  {
    sqlite::Database database(folder_ / "store.db", sqlite::OpenMode::read);
    sqlite::Statement& root = database.statement("SELECT rootpage FROM sqlite_schema WHERE name = 'group_definition'");
    sqlite::Rows rows(root);
    ASSERT_TRUE(rows.next());
    std::fstream bytes(folder_ / "store.db", std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(static_cast<std::streamoff>((root.integer(0) - 1) * 4096));
    bytes << std::string(4096, 'x');
  }
  const RecoveryReport report = recover_store(folder_, in("copy"));
  EXPECT_EQ(report.sources, kSources);
  EXPECT_FALSE(report.lost.empty());
  const auto engine = sqlite_engine(in("copy"));
  EXPECT_EQ(engine->snapshot()->text("s7"), "fig 7\n无花果");
  EXPECT_TRUE(engine->verify().ok());
}

TEST_F(SqliteToolsTest, RecoveringTellsWhichSourcesHadSparseVectorsOfAModel) {
  {
    const auto engine = sqlite_engine(folder_);
    for (const char* id : {"sparse", "sparse too"}) {
      Commit commit;
      SourceWrite write = sample_lines(id, "fig");
      write.groups[1].sparse.push_back(sample_terms(write.groups[1], write.text, "model"));
      write.groups[1].sparse.back().key = "splade";
      commit.sources.push_back(std::move(write));
      engine->commit(std::move(commit));
    }
  }
  const RecoveryReport report = recover_store(folder_, in("copy"));
  ASSERT_EQ(report.lost.size(), 1u);
  EXPECT_EQ(report.lost[0].object, "sparse vectors \"splade\" of group \"line\"");
  EXPECT_EQ(report.lost[0].sources, (std::vector<std::string>{"sparse", "sparse too"}));
  PendingQuery pending;
  pending.group = "line";
  pending.signature = "spans/1";
  pending.columns.push_back({"splade", "model"});
  EXPECT_EQ(sqlite_engine(in("copy"))->snapshot()->pending(pending).size(), kSources + 2u);
}

TEST_F(SqliteToolsTest, RecoveringTakesTheSessionsOver) {
  {
    sqlite::Database sessions(folder_ / "sessions.db", sqlite::OpenMode::create);
    sessions.execute("CREATE TABLE turn(number INTEGER PRIMARY KEY); INSERT INTO turn VALUES(7)");
  }
  EXPECT_TRUE(recover_store(folder_, in("copy")).lost.empty());
  {
    sqlite::Database sessions(in("copy") / "sessions.db", sqlite::OpenMode::read);
    sqlite::Statement& read = sessions.statement("SELECT number FROM turn");
    sqlite::Rows rows(read);
    ASSERT_TRUE(rows.next());
    EXPECT_EQ(read.integer(0), 7);
  }
  std::ofstream(folder_ / "sessions.db") << "no database at all, whatever its name says, and long enough to be read";
  const RecoveryReport report = recover_store(folder_, in("again"));
  ASSERT_EQ(report.lost.size(), 1u);
  EXPECT_EQ(report.lost[0].object, "sessions.db");
  EXPECT_FALSE(fs::exists(in("again") / "sessions.db"));
}

TEST_F(SqliteToolsTest, DamagedSessionsAreFoundAndErrorsNameThemAndTheWayOut) {
  const fs::path file = folder_ / "sessions.db";
  const char* const way_out = "move sessions.db away to go on without its conversations";
  const auto expect_found = [&] {
    const VerifyReport report = sqlite_engine(folder_)->verify();
    ASSERT_FALSE(report.findings.empty());
    EXPECT_EQ(report.findings[0].object, "sessions.db");
    EXPECT_NE(report.findings[0].problem.find(way_out), std::string::npos) << report.findings[0].problem;
  };
  {
    sqlite::Database sessions(file, sqlite::OpenMode::create);
    sessions.execute("CREATE TABLE turn(question TEXT); INSERT INTO turn VALUES('你好？'), ('Hello?')");
  }
  EXPECT_TRUE(sqlite_engine(folder_)->verify().ok());
  {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(4096);  // The page of the table.
    bytes << "scribbled over its head";
  }
  expect_found();

  std::ofstream(file) << std::string(8192, 'x');
  expect_found();
  const auto expect_named = [&](const Error& error) {
    EXPECT_EQ(error.errc(), Errc::corrupt_store);
    EXPECT_NE(std::string(error.what()).find(file.string()), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find(way_out), std::string::npos) << error.what();
  };
  expect_named(error_of([&] { sqlite_engine(folder_)->backup(in("backup")); }));
  expect_named(error_of([&] { export_store(folder_, in("archive")); }));
  fs::rename(file, in("sessions"));
  EXPECT_TRUE(sqlite_engine(folder_)->verify().ok());
  sqlite_engine(folder_)->backup(in("backup"));
  expect_whole(*sqlite_engine(in("backup")));
}

TEST_F(SqliteToolsTest, ToolsRollBackWhatACrashLeftHalfDoneInTheSessions) {
  const fs::path file = folder_ / "sessions.db";
  {
    sqlite::Database sessions(file, sqlite::OpenMode::create);
    sessions.execute("CREATE TABLE turn(number INTEGER PRIMARY KEY); INSERT INTO turn VALUES(7)");
    // As a crash leaves them: the journal has been synced, and pages were written to the database already.
    sessions.execute("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN");
    sessions.execute("CREATE TABLE big(bytes); INSERT INTO big VALUES(randomblob(100000))");
    sessions.execute("UPDATE turn SET number = 8; INSERT INTO big VALUES(randomblob(100000))");
    fs::copy(file, in("file"));
    fs::copy(file.string() + "-journal", in("journal"));
  }
  const auto crash = [&] {
    fs::copy(in("file"), file, fs::copy_options::overwrite_existing);
    fs::copy(in("journal"), file.string() + "-journal", fs::copy_options::overwrite_existing);
  };
  const auto number = [&](const char* copy) {
    sqlite::Database sessions(in(copy) / "sessions.db", sqlite::OpenMode::read);
    sqlite::Statement& read = sessions.statement("SELECT number FROM turn");
    const sqlite::Rows rows(read);
    return read.step() ? read.integer(0) : -1;
  };
  crash();
  EXPECT_TRUE(recover_store(folder_, in("copy")).lost.empty());
  EXPECT_EQ(number("copy"), 7);
  crash();
  sqlite_engine(folder_)->backup(in("backup"));
  EXPECT_EQ(number("backup"), 7);
  crash();
  export_store(folder_, in("archive"));
  import_store(in("archive"), in("imported"));
  EXPECT_EQ(number("imported"), 7);
}

TEST_F(SqliteToolsTest, RecoveringNothingSaysSo) {
  EXPECT_EQ(error_of([&] { recover_store(in("none"), in("copy")); }).errc(), Errc::not_found);
  std::ofstream(folder_ / "store.db") << "no database at all, whatever its name";
  EXPECT_EQ(error_of([&] { recover_store(folder_, in("copy")); }).errc(), Errc::corrupt_store);
  EXPECT_FALSE(fs::exists(in("copy")));
}

}  // namespace
}  // namespace ragstone::test
