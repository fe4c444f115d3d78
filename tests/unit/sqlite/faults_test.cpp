#include "store/segment/file_system.hpp"
#include "store/sqlite/database.hpp"
#include "support/data.hpp"
#include "support/errors.hpp"
#include "support/faults/fault_plan.hpp"
#include "support/faults/faulty_file_system.hpp"
#include "support/faults/faulty_store.hpp"
#include "support/faults/faulty_vfs.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/base/error.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;
using sqlite::Database;
using sqlite::OpenMode;

constexpr Fault kFaults[] = {Fault::io_error, Fault::short_write, Fault::failed_sync, Fault::full};

std::int64_t rows_in(Database& db) {
  sqlite::Statement& statement = db.statement("SELECT count(*) FROM t");
  sqlite::Rows rows(statement);
  return rows.next() ? statement.integer(0) : -1;
}

std::string integrity_of(Database& db) {
  sqlite::Statement& statement = db.statement("PRAGMA integrity_check");
  sqlite::Rows rows(statement);
  return rows.next() ? std::string(statement.text(0)) : "no answer";
}

void make(const fs::path& file) {
  Database db(file, OpenMode::create);
  db.execute(
      "PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, value BLOB) "
      "STRICT");
}

/// Two transactions of several pages, with a checkpoint. Returns how many were committed.
std::int64_t write_some(const fs::path& file, const char* vfs) {
  std::int64_t committed = 0;
  try {
    Database db(file, OpenMode::write, vfs);
    db.execute("PRAGMA wal_autocheckpoint = 0");
    for (int i = 0; i < 2; ++i) {
      sqlite::Transaction transaction(db);
      db.statement("INSERT INTO t (value) VALUES (zeroblob(9000))").run();
      transaction.commit();
      ++committed;
      db.execute("PRAGMA wal_checkpoint(PASSIVE)");
    }
  } catch (const Error& error) {
    EXPECT_TRUE(error.errc() == Errc::io_error || error.errc() == Errc::storage_full) << error.what();
  }
  return committed;
}

// F3
TEST(FaultyVfs, EveryCallCanFailAndPlainSqliteLosesNothingAcknowledged) {
  std::size_t swept = 0;
  for (const Fault fault : kFaults) {
    for (const bool for_good : {false, true}) {
      bool failed = true;
      for (std::size_t call = 0; failed; ++call) {
        const TemporaryFolder folder;
        const fs::path file = folder.path() / "x.db";
        make(file);
        const auto plan = std::make_shared<FaultPlan>();
        const FaultyVfs vfs(plan);
        plan->fail(call, fault, for_good);
        const std::int64_t committed = write_some(file, vfs.name());
        failed = call < plan->candidates();
        plan->reset();
        Database db(file, OpenMode::write, vfs.name());
        EXPECT_GE(rows_in(db), committed) << "call " << call;
        EXPECT_EQ(integrity_of(db), "ok") << "call " << call;
        ++swept;
      }
    }
  }
  EXPECT_GT(swept, 100U);
}

TEST(FaultyVfs, FullDiskIsTold) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "x.db";
  make(file);
  const auto plan = std::make_shared<FaultPlan>();
  const FaultyVfs vfs(plan);
  Database db(file, OpenMode::write, vfs.name());
  plan->fail(0, Fault::full, true);
  const Error error = error_of([&] { db.statement("INSERT INTO t (value) VALUES (zeroblob(9000))").run(); });
  EXPECT_EQ(error.errc(), Errc::storage_full) << error.what();
  EXPECT_TRUE(plan->has_failed());
  EXPECT_FALSE(db.in_transaction());
  plan->reset();
  db.statement("INSERT INTO t (value) VALUES (zeroblob(9000))").run();
  EXPECT_EQ(rows_in(db), 1);
}

/// Writes a file under another name, then renames it.
void replace_file(segment::FileSystem& files, const fs::path& folder) {
  const auto out = files.create(folder / "new");
  out->write(0, "12345678");
  out->sync();
  files.rename(folder / "new", folder / "file");
  files.sync_directory(folder);
}

TEST(FaultyFileSystem, EveryCallCanFail) {
  for (const Fault fault : kFaults) {
    std::size_t failures = 0;
    for (std::size_t call = 0; call <= failures; ++call) {
      const TemporaryFolder folder;
      const auto plan = std::make_shared<FaultPlan>();
      const auto files = faulty_file_system(plan, segment::posix_file_system());
      plan->fail(call, fault, false);
      std::optional<Errc> code;
      try {
        replace_file(*files, folder.path());
      } catch (const Error& error) {
        code = error.errc();
        ++failures;
      }
      EXPECT_EQ(plan->has_failed(), code.has_value());
      EXPECT_EQ(plan->has_failed(), call < plan->candidates());
      EXPECT_EQ(code.value_or(Errc::internal), !code                  ? Errc::internal
                                               : fault == Fault::full ? Errc::storage_full
                                                                      : Errc::io_error);
      EXPECT_EQ(fs::exists(folder.path() / "file"), !code || plan->calls() == 5) << call;
      if (fault == Fault::short_write && code) {
        EXPECT_EQ(read_file(folder.path() / "new"), "1234");
      }
    }
    const std::map<Fault, std::size_t> calls = {
        {Fault::io_error, 5}, {Fault::short_write, 1}, {Fault::failed_sync, 2}, {Fault::full, 5}};
    EXPECT_EQ(failures, calls.at(fault));
  }
}

TEST(FaultPlan, CountsCallsOfBothShimsTogether) {
  const TemporaryFolder folder;
  make(folder.path() / "x.db");
  const auto plan = std::make_shared<FaultPlan>();
  const FaultyVfs vfs(plan);
  const auto files = faulty_file_system(plan, segment::posix_file_system());
  files->sync_directory(folder.path());
  EXPECT_EQ(plan->calls(), 1U);
  Database db(folder.path() / "x.db", OpenMode::write, vfs.name());
  rows_in(db);
  const std::size_t calls = plan->calls();
  EXPECT_GT(calls, 3U);
  plan->fail(1, Fault::io_error, false);
  files->list(folder.path());
  EXPECT_EQ(error_of([&] { files->list(folder.path()); }).errc(), Errc::io_error);
  files->list(folder.path());
  EXPECT_EQ(plan->calls(), 3U);
}

TEST(FaultPlanDeathTest, KillsTheProcessAtTheCountedCall) {
  const TemporaryFolder folder;
  const TemporaryPlace place(folder.path());  // The process that is killed begins the test anew.
  const auto files = [&](std::size_t call, bool halfway) {
    const auto plan = std::make_shared<FaultPlan>();
    plan->kill(call, halfway);
    replace_file(*faulty_file_system(plan, segment::posix_file_system()), folder.path());
  };
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(files(3, false), testing::KilledBySignal(SIGKILL), "");
}

// F3
TEST(FaultyStore, SnapshotWhoseReaderMetAnErrorNeverSeesAnotherGeneration) {
  const TemporaryFolder folder;
  const auto plan = std::make_shared<FaultPlan>();
  const FaultyStore store(plan);
  const auto put = [](StoreEngine& engine, const std::string& text) {
    Commit commit;
    commit.sources.push_back(sample_lines("a", text));
    engine.commit(std::move(commit));
  };
  std::size_t failed = 0;
  for (std::size_t call = 0;; ++call) {
    const fs::path place = folder.path() / std::to_string(call);
    {
      const auto engine = store.open(place);
      put(*engine, "old");
      engine->close();  // So that the text is in its table.
    }
    const auto engine = store.open(place);  // Its pages are not in memory yet.
    const auto snapshot = engine->snapshot();
    put(*engine, "new");
    plan->fail(call, Fault::io_error, false);
    std::optional<Errc> error;
    try {
      EXPECT_EQ(snapshot->text("a"), "old");
    } catch (const Error& caught) {
      error = caught.errc();
    }
    const bool has_failed = plan->has_failed();
    plan->heal();
    if (error) {
      ++failed;
      EXPECT_EQ(error, Errc::io_error);
    }
    try {
      EXPECT_EQ(snapshot->text("a"), "old") << "call " << call;
    } catch (const Error& caught) {
      EXPECT_EQ(caught.errc(), Errc::io_error) << caught.what();
    }
    EXPECT_EQ(engine->snapshot()->text("a"), "new");
    if (!has_failed) break;
  }
  EXPECT_GT(failed, 0U);
}

}  // namespace
}  // namespace ragstone::test
