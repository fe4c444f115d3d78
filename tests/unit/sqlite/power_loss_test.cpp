#include "store/segment/file_system.hpp"
#include "store/sqlite/database.hpp"
#include "support/data.hpp"
#include "support/faults/fault_plan.hpp"
#include "support/faults/faulty_file_system.hpp"
#include "support/faults/faulty_vfs.hpp"
#include "support/faults/power_loss_disk.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/base/error.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;
using sqlite::Database;
using sqlite::OpenMode;
using Unsynced = DiskReplay::Unsynced;

/// Number of rows, in order and without a gap; none if the database is damaged.
std::optional<std::int64_t> rows_in(const fs::path& file) {
  try {
    Database db(file, OpenMode::write);
    db.execute("PRAGMA synchronous = OFF");
    sqlite::Statement& check = db.statement("PRAGMA integrity_check");
    sqlite::Rows found(check);
    if (!found.next() || check.text(0) != "ok") return std::nullopt;
    sqlite::Statement& statement = db.statement("SELECT count(*), coalesce(max(id), 0) FROM t");
    sqlite::Rows rows(statement);
    if (!rows.next() || statement.integer(0) != statement.integer(1)) return std::nullopt;
    return statement.integer(0);
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// What a run of small transactions left behind.
struct Recording {
  std::shared_ptr<PowerLossDisk> disk;
  std::vector<std::size_t> acknowledged;  ///< Positions of the disk after commits 1, 2, ...
};

Recording record(const fs::path& file, const std::string& synchronous) {
  {
    Database db(file, OpenMode::create);
    db.execute(
        "PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, value BLOB) "
        "STRICT");
  }
  Recording recording{std::make_shared<PowerLossDisk>(file.parent_path()), {}};
  const auto plan = std::make_shared<FaultPlan>(recording.disk);
  const FaultyVfs vfs(plan);
  Database db(file, OpenMode::write, vfs.name());
  db.execute(("PRAGMA synchronous = " + synchronous + "; PRAGMA wal_autocheckpoint = 0").c_str());
  for (int i = 1; i <= 25; ++i) {
    db.execute("INSERT INTO t (value) VALUES (randomblob(3000))");
    recording.acknowledged.push_back(recording.disk->position());
    if (i % 10 == 0) db.execute("PRAGMA wal_checkpoint(PASSIVE)");
  }
  return recording;
}

struct Losses {
  std::size_t images = 0;
  std::size_t damaged = 0;
  std::size_t lost = 0;  ///< Acknowledged commits missing.
};

Losses lose_power(const Recording& recording, const std::string& name) {
  Losses losses;
  DiskReplay replay(*recording.disk);
  std::uint64_t seed = 0;
  for (std::size_t position = 0; position <= recording.disk->position(); ++position) {
    replay.advance(position);
    std::int64_t acknowledged = 0;
    for (const std::size_t at : recording.acknowledged) acknowledged += at <= position ? 1 : 0;
    for (const Unsynced unsynced : {Unsynced::kept, Unsynced::lost, Unsynced::mixed, Unsynced::mixed}) {
      const TemporaryFolder folder;
      replay.write_image(folder.path(), unsynced, ++seed);
      const auto rows = rows_in(folder.path() / name);
      ++losses.images;
      if (!rows) ++losses.damaged;
      if (rows && *rows < acknowledged) ++losses.lost;
    }
  }
  return losses;
}

// F2
TEST(PowerLoss, PlainSqliteWithFullSyncKeepsEveryAcknowledgedCommit) {
  const TemporaryFolder folder;
  const Losses losses = lose_power(record(folder.path() / "x.db", "FULL"), "x.db");
  EXPECT_GT(losses.images, 400U);
  EXPECT_EQ(losses.damaged, 0U);
  EXPECT_EQ(losses.lost, 0U);
}

TEST(PowerLoss, PlainSqliteWithNormalSyncLosesCommitsButStaysConsistent) {
  const TemporaryFolder folder;
  const Losses losses = lose_power(record(folder.path() / "x.db", "NORMAL"), "x.db");
  EXPECT_EQ(losses.damaged, 0U);
  EXPECT_GT(losses.lost, 0U);
}

// What proves that the images bite.
TEST(PowerLoss, PlainSqliteWithoutSyncIsDamaged) {
  const TemporaryFolder folder;
  const Losses losses = lose_power(record(folder.path() / "x.db", "OFF"), "x.db");
  EXPECT_GT(losses.damaged, 0U);
  EXPECT_GT(losses.lost, 0U);
}

/// The contents that "file" has in some image of the disk's last state; "-" where it is not there.
std::set<std::string> outcomes(const PowerLossDisk& disk) {
  DiskReplay replay(disk);
  replay.advance(disk.position());
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const TemporaryFolder image;
    replay.write_image(image.path(), seed == 0 ? Unsynced::kept : seed == 1 ? Unsynced::lost : Unsynced::mixed, seed);
    const fs::path file = image.path() / "file";
    seen.insert(fs::exists(file) ? read_file(file) : "-");
  }
  return seen;
}

class PowerLossOfFiles : public testing::Test {
 protected:
  PowerLossOfFiles() {
    folder_.write("file", "old");
    disk_ = std::make_shared<PowerLossDisk>(folder_.path());
    files_ = faulty_file_system(std::make_shared<FaultPlan>(disk_), segment::posix_file_system());
  }
  std::unique_ptr<segment::OutputFile> create() { return files_->create(folder_.path() / "temporary"); }
  void rename() { files_->rename(folder_.path() / "temporary", folder_.path() / "file"); }
  void sync_folder() { files_->sync_directory(folder_.path()); }

  TemporaryFolder folder_;
  std::shared_ptr<PowerLossDisk> disk_;
  std::shared_ptr<segment::FileSystem> files_;
};

TEST_F(PowerLossOfFiles, RenameWithAllSyncsIsDurable) {
  const auto out = create();
  out->write(0, "new");
  out->sync();
  rename();
  sync_folder();
  EXPECT_EQ(outcomes(*disk_), std::set<std::string>{"new"});
}

TEST_F(PowerLossOfFiles, RenameWithoutSyncOfTheFolderHappensOrNot) {
  const auto out = create();
  out->write(0, "new");
  out->sync();
  rename();
  EXPECT_EQ(outcomes(*disk_), (std::set<std::string>{"new", "old"}));
}

TEST_F(PowerLossOfFiles, RenameOfAFileThatWasNotSyncedMayLeaveItEmptyOrZero) {
  const auto out = create();
  out->write(0, "new");
  rename();
  sync_folder();
  const auto seen = outcomes(*disk_);
  EXPECT_TRUE(seen.contains("new"));
  EXPECT_TRUE(seen.contains(""));
  EXPECT_TRUE(seen.contains(std::string(3, '\0')));
  EXPECT_FALSE(seen.contains("old"));
}

TEST_F(PowerLossOfFiles, RemovedFileMayComeBackUntilItsFolderIsSynced) {
  files_->remove(folder_.path() / "file");
  EXPECT_EQ(outcomes(*disk_), (std::set<std::string>{"-", "old"}));
  sync_folder();
  EXPECT_EQ(outcomes(*disk_), std::set<std::string>{"-"});
}

TEST_F(PowerLossOfFiles, NewFolderWithSyncedFilesIsLostUntilItsParentIsSynced) {
  files_->create_directory(folder_.path() / "sub");
  files_->create(folder_.path() / "sub" / "x")->sync();
  files_->sync_directory(folder_.path() / "sub");
  DiskReplay replay(*disk_);
  replay.advance(disk_->position());
  const TemporaryFolder lost;
  replay.write_image(lost.path(), Unsynced::lost, 1);
  EXPECT_FALSE(fs::exists(lost.path() / "sub"));
  sync_folder();
  replay.advance(disk_->position());
  const TemporaryFolder kept;
  replay.write_image(kept.path(), Unsynced::lost, 1);
  EXPECT_TRUE(fs::exists(kept.path() / "sub" / "x"));
}

TEST_F(PowerLossOfFiles, WritesAreTornBetweenSectors) {
  const auto out = create();
  rename();
  sync_folder();
  out->write(0, std::string(1024, 'a'));
  out->sync();
  out->write(0, std::string(1024, 'b'));
  const std::string half(512, 'a');
  const std::string other(512, 'b');
  const auto seen = outcomes(*disk_);
  for (const std::string& outcome : {half + half, half + other, other + half, other + other})
    EXPECT_TRUE(seen.contains(outcome)) << outcome[0] << outcome[1023];
}

TEST_F(PowerLossOfFiles, WhatAFailedSyncShouldHaveSavedIsLostForGood) {
  const auto plan = std::make_shared<FaultPlan>(disk_);
  const auto files = faulty_file_system(plan, segment::posix_file_system());
  const auto out = files->create(folder_.path() / "temporary");
  out->write(0, "new");
  plan->fail(0, Fault::io_error, false);
  EXPECT_THROW(out->sync(), Error);
  out->sync();
  rename();
  sync_folder();
  EXPECT_EQ(outcomes(*disk_), std::set<std::string>{""});
}

}  // namespace
}  // namespace ragstone::test
