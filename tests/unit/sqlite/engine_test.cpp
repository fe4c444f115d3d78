#include "store/sqlite/database.hpp"
#include "support/errors.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include "support/unprivileged.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/sqlite_engine.hpp>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

/// While it lives, nothing below a folder can be written, nor the folder itself.
class ReadOnly {
 public:
  explicit ReadOnly(const fs::path& folder) : folder_(folder) {
    set(fs::perms::owner_write | fs::perms::group_write | fs::perms::others_write, fs::perm_options::remove);
  }
  ~ReadOnly() { set(fs::perms::owner_write, fs::perm_options::add); }
  ReadOnly(const ReadOnly&) = delete;
  ReadOnly& operator=(const ReadOnly&) = delete;

 private:
  void set(fs::perms permissions, fs::perm_options how) const {
    fs::permissions(folder_, permissions, how);
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder_))
      fs::permissions(entry.path(), permissions, how);
  }

  const fs::path folder_;
};

class SqliteEngineTest : public testing::Test {
 protected:
  const fs::path& folder() const { return folder_; }

  template <class Call>
  static Errc code_of(Call call) {
    return error_of(std::move(call)).errc();
  }

  static SourceWrite source(const std::string& id, const std::string& text) {
    SourceWrite write = sample_lines(id, text);
    const std::size_t lines = write.groups[1].rows.size();
    std::vector<std::vector<float>> vectors;
    for (std::size_t i = 0; i < lines; ++i) vectors.push_back({static_cast<float>(i + 1), 1});
    write.groups[1].dense.push_back(sample_vectors("e", "two", vectors, 2));
    return write;
  }

  static void put(StoreEngine& engine, const std::string& id, const std::string& text) {
    Commit commit;
    commit.sources.push_back(source(id, text));
    engine.commit(std::move(commit));
  }

  static std::size_t matches(const StoreSnapshot& at, const std::string& term) {
    const std::vector<TermWeight> terms = {{term, 1}};
    return at.search_terms("line", kBm25Key, terms, {}, {}, 100).size();
  }

  std::vector<fs::path> segments() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder_ / "segments")) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
  }

  std::int64_t count(const char* sql) const {
    sqlite::Database database(folder_ / "store.db", sqlite::OpenMode::read);
    sqlite::Statement& read = database.statement(sql);
    const sqlite::Rows guard(read);
    return read.step() ? read.integer(0) : -1;
  }

  /// Runs SQL behind the closed store's back.
  void damage(const char* sql) const {
    sqlite::Database database(folder_ / "store.db", sqlite::OpenMode::write);
    database.execute(sql);
  }

 private:
  TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path() / "kb";
};

TEST_F(SqliteEngineTest, AReopenedStoreAnswersAsBefore) {
  {
    const auto engine = sqlite_engine(folder());
    put(*engine, "en", "rotate a fig\nback up the data");
    put(*engine, "zh", "轮换 密钥\n备份 数据");
    engine->close();
  }
  EXPECT_EQ(segments().size(), 2u) << "closing seals the postings and the vectors";
  const auto engine = sqlite_engine(folder());
  EXPECT_EQ(engine->snapshot()->generation(), 2u);
  EXPECT_EQ(matches(*engine->snapshot(), "fig"), 1u);
  EXPECT_EQ(matches(*engine->snapshot(), "密钥"), 1u);
  EXPECT_EQ(engine->snapshot()->text("zh"), "轮换 密钥\n备份 数据");
  EXPECT_TRUE(engine->verify().ok());
}

TEST_F(SqliteEngineTest, OpeningAClosedStoreWritesNothingToItsDatabase) {
  const auto make = sqlite_engine(folder());
  put(*make, "en", "rotate a fig");
  make->close();
  EXPECT_EQ(count("PRAGMA auto_vacuum"), 2);
  const auto written = fs::last_write_time(folder() / "store.db");
  const auto engine = sqlite_engine(folder());
  EXPECT_EQ(matches(*engine->snapshot(), "fig"), 1u);
  EXPECT_EQ(fs::file_size(folder() / "store.db-wal"), 0u);
  EXPECT_EQ(fs::last_write_time(folder() / "store.db"), written);
}

// F9
TEST_F(SqliteEngineTest, ASecondWriterIsToldWhoHasTheStore) {
  const auto engine = sqlite_engine(folder());
  EXPECT_EQ(code_of([&] { sqlite_engine(folder()); }), Errc::locked);
  const auto told = [this] { return std::string(error_of([this] { sqlite_engine(folder()); }).what()); };
  EXPECT_NE(told().find("this process itself has it open"), std::string::npos) << told();
  std::ofstream(folder() / "lock") << getpid() << "\n";
  EXPECT_NE(told().find("locked by process " + std::to_string(getpid())), std::string::npos)
      << "in another container: " << told();
  engine->close();
  EXPECT_NO_THROW(sqlite_engine(folder()));
}

TEST_F(SqliteEngineTest, NothingIsMadeBesideAnotherProgramsDatabase) {
  fs::create_directories(folder());
  for (const char* journal : {"DELETE", "WAL"}) {
    sqlite::Database other(folder() / "store.db", sqlite::OpenMode::create);
    other.execute((std::string("PRAGMA journal_mode = ") + journal).c_str());
    other.execute("CREATE TABLE IF NOT EXISTS t (x)");
    EXPECT_EQ(code_of([&] { sqlite_engine(folder()); }), Errc::corrupt_store);
    EXPECT_FALSE(fs::exists(folder() / "segments"));
    EXPECT_FALSE(fs::exists(folder() / "lock"));
  }
}

TEST_F(SqliteEngineTest, AnEmptyPathIsRefused) {
  SqliteOptions reading;
  reading.access = StoreAccess::read_only;
  EXPECT_EQ(code_of([] { sqlite_engine(""); }), Errc::invalid_argument);
  EXPECT_EQ(code_of([&] { sqlite_engine("", reading); }), Errc::invalid_argument);
}

TEST_F(SqliteEngineTest, ASecondWriterMayWaitForTheFirst) {
  auto engine = sqlite_engine(folder());
  put(*engine, "a", "fig");
  SqliteOptions patient;
  patient.lock_timeout = std::chrono::minutes(1);
  std::shared_ptr<StoreEngine> second;
  std::thread waiting([&] { second = sqlite_engine(folder(), patient); });
  engine->close();
  waiting.join();
  EXPECT_EQ(matches(*second->snapshot(), "fig"), 1u);
}

// F9
TEST_F(SqliteEngineTest, AReaderSeesWhatTheWriterCommitsAndKeepsItsSnapshots) {
  const auto writer = sqlite_engine(folder());
  put(*writer, "a", "fig");
  SqliteOptions reading;
  reading.access = StoreAccess::read_only;
  const auto reader = sqlite_engine(folder(), reading);
  const auto before = reader->snapshot();
  EXPECT_EQ(matches(*before, "fig"), 1u);
  put(*writer, "b", "fig pear");
  while (writer->maintain()) {
  }
  EXPECT_EQ(matches(*reader->snapshot(), "fig"), 2u);
  EXPECT_EQ(matches(*before, "fig"), 1u);
  EXPECT_EQ(before->text("b"), std::nullopt);
  writer->close();
  EXPECT_EQ(matches(*reader->snapshot(), "pear"), 1u) << "sealed by now";
  EXPECT_EQ(code_of([&] { put(*reader, "c", "plum"); }), Errc::unsupported);
}

// F10
TEST_F(SqliteEngineTest, AForkedProcessIsToldThatTheStoreIsItsParents) {
  const auto engine = sqlite_engine(folder());
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      engine->commit(Commit());
    } catch (const Error& error) {
      ::_exit(error.errc() == Errc::unsupported ? 0 : 1);
    } catch (...) {
    }
    ::_exit(2);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  engine->commit(Commit());
}

// F10
TEST_F(SqliteEngineTest, APrebuiltStoreOpensFromReadOnlyMedia) {
  if (rerun_unprivileged()) return;
  const TemporaryFolder own;  // The fixture's may belong to root.
  const fs::path kb = own.path() / "kb";
  {
    const auto engine = sqlite_engine(kb);
    put(*engine, "a", "fig");
    engine->close();
  }
  fs::remove(kb / "lock");
  const ReadOnly guard(own.path());
  SqliteOptions options;
  options.access = StoreAccess::immutable;
  const auto engine = sqlite_engine(kb, options);
  EXPECT_EQ(matches(*engine->snapshot(), "fig"), 1u);
  EXPECT_TRUE(engine->verify().ok());
  EXPECT_FALSE(fs::exists(kb / "lock"));
}

// F10
TEST_F(SqliteEngineTest, AReadOnlyFolderIsATypedErrorForWhoWantsToWriteAndChangesNothing) {
  if (rerun_unprivileged()) return;
  const TemporaryFolder own;
  const fs::path kb = own.path() / "kb";
  {
    const auto engine = sqlite_engine(kb);
    put(*engine, "a", "fig");
    engine->close();
  }
  {
    const ReadOnly guard(own.path());
    for (const fs::path& folder : {kb, own.path() / "new"}) {
      const Error error = error_of([&] { sqlite_engine(folder); });
      EXPECT_EQ(error.errc(), Errc::io_error) << error.what();
      EXPECT_NE(std::string(error.what()).find(own.path()), std::string::npos) << error.what();
    }
    EXPECT_FALSE(fs::exists(own.path() / "new"));
  }
  const auto engine = sqlite_engine(kb);
  EXPECT_EQ(matches(*engine->snapshot(), "fig"), 1u);
  put(*engine, "b", "fig");
  EXPECT_TRUE(engine->verify().ok());
}

TEST_F(SqliteEngineTest, AStoreThatWasNotClosedIsNoImmutableOne) {
  auto engine = sqlite_engine(folder());
  put(*engine, "a", "fig");
  SqliteOptions options;
  options.access = StoreAccess::immutable;
  EXPECT_EQ(code_of([&] { sqlite_engine(folder(), options); }), Errc::locked);
  engine->close();
  EXPECT_NO_THROW(sqlite_engine(folder(), options));
}

TEST_F(SqliteEngineTest, OpeningForReadingMakesNothing) {
  SqliteOptions options;
  options.access = StoreAccess::read_only;
  EXPECT_EQ(code_of([&] { sqlite_engine(folder(), options); }), Errc::not_found);
  EXPECT_FALSE(fs::exists(folder()));
}

// F8
TEST_F(SqliteEngineTest, AStoreOfANewerVersionIsRefused) {
  sqlite_engine(folder())->close();
  damage("PRAGMA user_version=99");
  EXPECT_EQ(code_of([&] { sqlite_engine(folder()); }), Errc::unsupported);
}

// F8
TEST_F(SqliteEngineTest, AStoreOfAVersionWithoutAWayToTodaysIsRefused) {
  sqlite_engine(folder())->close();
  damage("PRAGMA user_version=1");
  EXPECT_EQ(code_of([&] { sqlite_engine(folder()); }), Errc::unsupported);
}

TEST_F(SqliteEngineTest, FilesThatNoTransactionNamesAreRemovedAtOpening) {
  sqlite_engine(folder())->close();
  std::ofstream(folder() / "segments" / "part-77.seg") << "left by a crash";
  std::ofstream(folder() / "segments" / "part-78.seg.tmp") << "so is this";
  std::ofstream(folder() / "segments" / "notes.txt") << "not ours";
  const auto engine = sqlite_engine(folder());
  EXPECT_EQ(segments(), std::vector<fs::path>{folder() / "segments" / "notes.txt"});
}

TEST_F(SqliteEngineTest, SealingAndMergingKeepEveryAnswer) {
  SqliteOptions options;
  options.seal_rows = 4;
  options.durability = Durability::fast;
  const auto engine = sqlite_engine(folder(), options);
  for (int i = 0; i < 200; ++i) {
    put(*engine, "s" + std::to_string(i % 150), "word number" + std::to_string(i) + "\nline 行");
    if (i % 3 == 0) engine->maintain();
  }
  while (engine->maintain()) {
  }
  EXPECT_LE(segments().size(), 20u);
  EXPECT_EQ(matches(*engine->snapshot(), "word"), 100u) << "of 150, the first 100";
  EXPECT_EQ(matches(*engine->snapshot(), "number199"), 1u);
  EXPECT_EQ(matches(*engine->snapshot(), "number49"), 0u) << "replaced";
  const VerifyReport report = engine->verify();
  EXPECT_TRUE(report.ok()) << report.findings.front().object << ": " << report.findings.front().problem;
  EXPECT_EQ(report.sources, 150u);
}

TEST_F(SqliteEngineTest, WhatRemovedTextsLeaveBehindIsGivenBack) {
  SqliteOptions options;
  options.durability = Durability::fast;
  auto engine = sqlite_engine(folder(), options);
  std::string long_text;
  for (int i = 0; i < 9000; ++i) long_text += "fig 无花果\n";
  const int count = 300;
  for (int first = 0; first < count; first += 50) {
    Commit commit;
    for (int i = first; i < first + 50; ++i) {
      const std::string text = i % 60 == 7 ? long_text : std::string(8000, 'x') + " " + std::to_string(i);
      commit.sources.push_back(sample_source("s" + std::to_string(i), text));
    }
    engine->commit(std::move(commit));
  }
  engine->close();
  const auto full = fs::file_size(folder() / "store.db");
  engine = sqlite_engine(folder(), options);
  Commit commit;
  for (int i = 0; i < count; ++i)
    if (i % 10 != 7) commit.removals.push_back("s" + std::to_string(i));
  engine->commit(std::move(commit));
  auto before = engine->snapshot();
  const std::string kept = *before->text("s17");
  while (engine->maintain()) {
  }
  EXPECT_EQ(before->text("s17"), kept) << "a snapshot does not see that its text moves";
  before.reset();
  EXPECT_EQ(engine->snapshot()->text("s17"), kept);
  EXPECT_EQ(engine->snapshot()->text("s67"), long_text);
  const VerifyReport report = engine->verify();
  EXPECT_TRUE(report.ok()) << report.findings.front().object << ": " << report.findings.front().problem;
  engine.reset();
  sqlite_engine(folder(), options)->close();
  EXPECT_LT(fs::file_size(folder() / "store.db"), full / 2);
}

TEST_F(SqliteEngineTest, TheLastSourceTakesItsSegmentsWithIt) {
  SqliteOptions options;
  options.seal_rows = 1;
  const auto engine = sqlite_engine(folder(), options);
  put(*engine, "a", "fig\npear\nplum");
  while (engine->maintain()) {
  }
  EXPECT_EQ(segments().size(), 2u);
  Commit commit;
  commit.removals = {"a"};
  engine->commit(std::move(commit));
  EXPECT_TRUE(segments().empty());
  EXPECT_TRUE(engine->verify().ok());
}

TEST_F(SqliteEngineTest, ABackupTakenWhileWritingIsAStoreOfItsOwn) {
  SqliteOptions options;
  options.seal_rows = 8;
  options.durability = Durability::fast;
  const auto engine = sqlite_engine(folder(), options);
  for (int i = 0; i < 40; ++i) put(*engine, "s" + std::to_string(i), "word 字");
  std::thread writing([&] {
    for (int i = 40; i < 120; ++i) {
      put(*engine, "s" + std::to_string(i), "word 字");
      engine->maintain();
    }
  });
  const fs::path copy = folder().string() + "-backup";
  engine->backup(copy);
  writing.join();

  const auto restored = sqlite_engine(copy);
  const auto at = restored->snapshot();
  EXPECT_GE(at->generation(), 40u);
  EXPECT_EQ(at->sources({}).size(), at->generation());
  EXPECT_EQ(matches(*at, "字"), std::min<std::size_t>(100, at->generation()));
  const VerifyReport report = restored->verify();
  EXPECT_TRUE(report.ok()) << report.findings.front().object << ": " << report.findings.front().problem;
  EXPECT_EQ(code_of([&] { engine->backup(copy); }), Errc::already_exists);
}

// F7
TEST_F(SqliteEngineTest, VerifyNamesTheSourceWhoseTextOrNodesAreDamaged) {
  {
    const auto engine = sqlite_engine(folder());
    put(*engine, "good", "fig");
    put(*engine, "bad", "pear\nplum");
    engine->close();
  }
  for (const char* sql :
       {"UPDATE node_run SET nodes = CAST(substr(nodes, 1, 30) || x'00' || substr(nodes, 32) AS BLOB) "
        "WHERE first = (SELECT max(first) FROM node_run)",
        "UPDATE node_run SET nodes = x'FF' WHERE first = (SELECT max(first) FROM node_run)",
        "UPDATE source SET attempts = 3 WHERE id = 'bad'",
        "UPDATE text_block SET bytes = CAST(replace(bytes, 'pear', 'pare') AS BLOB)",
        "DELETE FROM node_run WHERE first = (SELECT max(first) FROM node_run)",
        "UPDATE source SET groups = CAST(substr(groups, 1, length(groups) - 1) || x'00' AS BLOB) WHERE id = 'bad'",
        "UPDATE source SET groups = x'01' WHERE id = 'bad'", "INSERT INTO dead_row SELECT max(number), 2 FROM part"}) {
    const fs::path copy = folder().string() + "-copy";
    fs::copy(folder(), copy, fs::copy_options::recursive);
    damage(sql);
    {
      const VerifyReport report = sqlite_engine(folder())->verify();
      ASSERT_FALSE(report.ok()) << sql;
      for (const StoreFinding& finding : report.findings)
        for (const std::string& id : finding.sources) EXPECT_EQ(id, "bad") << sql << ": " << finding.problem;
    }
    fs::remove_all(folder());
    fs::rename(copy, folder());
  }
}

TEST_F(SqliteEngineTest, PartsOutliveTheLogOfTheirCommit) {
  auto engine = sqlite_engine(folder());
  put(*engine, "kept", "fig\n密钥");
  put(*engine, "gone", "fig");
  for (int round = 0; round < 22; ++round) {
    std::vector<PendingCommit> commits(200);
    std::vector<PendingCommit*> all;
    for (PendingCommit& commit : commits) {
      SourceFailure failure;
      failure.source = "broken";
      failure.reason = "no such file";
      commit.commit.failures.push_back(std::move(failure));
      all.push_back(&commit);
    }
    for (std::span<PendingCommit* const> left(all); !left.empty();) left = left.subspan(engine->commit_together(left));
  }
  EXPECT_EQ(count("SELECT count(*) FROM commit_log WHERE generation < 3"), 0);
  EXPECT_EQ(count("SELECT count(*) FROM part WHERE image IS NOT NULL"), 4) << "the postings and vectors of both";
  const auto expect_found = [&](std::size_t figs) {
    EXPECT_EQ(matches(*engine->snapshot(), "fig"), figs);
    EXPECT_EQ(matches(*engine->snapshot(), "密钥"), 1u);
    EXPECT_EQ(engine->snapshot()->text("kept"), "fig\n密钥");
    EXPECT_TRUE(engine->verify().ok());
  };
  expect_found(2);
  engine.reset();  // As a crash does.
  engine = sqlite_engine(folder());
  expect_found(2);
  Commit removal;
  removal.removals.push_back("gone");
  engine->commit(std::move(removal));
  expect_found(1);
  engine->close();
  engine = sqlite_engine(folder());
  expect_found(1);
  EXPECT_EQ(count("SELECT count(*) FROM part WHERE image IS NOT NULL"), 0) << "closing seals";
}

TEST_F(SqliteEngineTest, ACommitOfManyRowsGoesToAFileAtOnce) {
  const auto engine = sqlite_engine(folder());
  std::string text;
  for (int i = 0; i < 120'000; ++i) text += "line" + std::to_string(i) + " of a long list of entries\n";
  put(*engine, "list", text);
  EXPECT_EQ(segments().size(), 2u);
  EXPECT_EQ(matches(*engine->snapshot(), "line119999"), 1u);
  EXPECT_TRUE(engine->verify().ok());
}

}  // namespace
}  // namespace ragstone::test
