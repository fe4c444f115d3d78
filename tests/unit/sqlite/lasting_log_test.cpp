#include "store/sqlite/folder_lock.hpp"
#include "support/errors.hpp"
#include "support/faults/fault_plan.hpp"
#include "support/faults/faulty_store.hpp"
#include "support/faults/power_loss_disk.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/sqlite_engine.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;
using Unsynced = DiskReplay::Unsynced;

std::string id_of(int number) { return "source " + std::to_string(number); }

void add(StoreEngine& engine, int number) {
  Commit commit;
  commit.sources.push_back(sample_lines(id_of(number), "river 河流 " + std::to_string(number) + "\n"));
  engine.commit(std::move(commit));
}

/// The store is whole and has the first `count` sources, however the power went when the disk was there.
void expect_kept(const PowerLossDisk& disk, std::size_t position, int count, std::uint64_t images = 12) {
  DiskReplay replay(disk);
  replay.advance(position);
  for (std::uint64_t seed = 0; seed < images && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("image " + std::to_string(seed));
    const TemporaryFolder image;
    replay.write_image(image.path() / "disk", seed == 0 ? Unsynced::lost : Unsynced::mixed, seed);
    const auto engine = sqlite_engine(image.path() / "disk" / "kb");
    for (const StoreFinding& finding : engine->verify().findings)
      ADD_FAILURE() << finding.object << ": " << finding.problem;
    for (int i = 0; i < count; ++i) EXPECT_TRUE(engine->snapshot()->text(id_of(i)).has_value()) << i;
  }
}

/// A store as a kill left it, opened while one of its syncs fails.
class OpenedBadly {
 public:
  /// `before`: a disk that was killed at that position. `call`: which of the opening's syncs fails.
  OpenedBadly(const PowerLossDisk& before, std::size_t kill, const fs::path& root, std::size_t call) : root_(root) {
    DiskReplay replay(before);
    replay.advance(kill);
    replay.write_image(root, Unsynced::kept, 1);
    disk_ = std::make_shared<PowerLossDisk>(before, kill, root);
    plan_ = std::make_shared<FaultPlan>(disk_);
    store_.emplace(plan_);
    plan_->fail(call, Fault::failed_sync, false);
    try {
      open();
    } catch (const Error& error) {
      EXPECT_EQ(error.errc(), Errc::io_error);
    }
    has_failed_ = plan_->has_failed();
    plan_->reset();
  }

  const PowerLossDisk& disk() const { return *disk_; }
  /// False: the opening has fewer syncs.
  bool has_failed() const { return has_failed_; }
  std::shared_ptr<StoreEngine> open() const { return store_->open(root_ / "kb"); }

 private:
  const fs::path root_;
  std::shared_ptr<PowerLossDisk> disk_;
  std::shared_ptr<FaultPlan> plan_;
  std::optional<FaultyStore> store_;
  bool has_failed_ = false;
};

/// A store whose changes are noted from the third source on.
class SqliteLastingLog : public testing::Test {
 protected:
  static constexpr int kFirst = 3;

  SqliteLastingLog() {
    fs::create_directories(root_);
    const auto engine = sqlite_engine(root_ / "kb");
    for (int i = 0; i < kFirst; ++i) add(*engine, i);
    engine->close();
  }

  TemporaryFolder folder_;
  const fs::path root_ = folder_.path() / "disk";
};

TEST_F(SqliteLastingLog, AnOpeningThatCannotSyncItLeavesItAsItIs) {
  const auto before = std::make_shared<PowerLossDisk>(root_);
  std::vector<std::size_t> kills;  // One for each commit: between its write and its sync.
  {
    const FaultyStore store(std::make_shared<FaultPlan>(before));
    const auto engine = store.open(root_ / "kb");
    for (int i = kFirst; i < kFirst + 6; ++i) {
      add(*engine, i);
      kills.push_back(before->positions_of(DiskChange::Kind::sync).back());
    }
  }
  for (std::size_t kill = 0; kill < kills.size() && !HasFailure(); ++kill)
    for (std::size_t call = 0;; ++call) {
      SCOPED_TRACE("kill " + std::to_string(kill) + ", sync " + std::to_string(call));
      const OpenedBadly opened(*before, kills[kill],
                               folder_.path() / ("after " + std::to_string(kill) + " " + std::to_string(call)), call);
      if (!opened.has_failed()) break;
      expect_kept(opened.disk(), opened.disk().position(), kFirst + static_cast<int>(kill));
    }
}

TEST_F(SqliteLastingLog, AfterAFailedSyncTheNextOpeningTrustsNoneOfTheSameFile) {
  const auto before = std::make_shared<PowerLossDisk>(root_);
  std::size_t kill = 0;  // Between the write and the sync of the last commit.
  {
    const FaultyStore store(std::make_shared<FaultPlan>(before));
    const auto engine = store.open(root_ / "kb");
    for (int i = kFirst; i < kFirst + 4; ++i) add(*engine, i);
    kill = before->positions_of(DiskChange::Kind::sync).back();
  }
  for (std::size_t call = 0;; ++call) {
    SCOPED_TRACE("sync " + std::to_string(call));
    const OpenedBadly opened(*before, kill, folder_.path() / ("after " + std::to_string(call)), call);
    if (!opened.has_failed()) break;
    const PowerLossDisk& disk = opened.disk();
    const std::size_t begin = disk.position();
    const auto engine = opened.open();
    const std::size_t end = disk.position();
    add(*engine, kFirst + 4);
    for (std::size_t position = begin; position < end; ++position) expect_kept(disk, position, kFirst + 3, 4);
    expect_kept(disk, disk.position(), kFirst + 5);
    if (HasFailure()) break;
  }
}

TEST_F(SqliteLastingLog, AMediumThatFailedForGoodAndIsWellAgainLosesNothingThatIsCommittedThen) {
  for (std::size_t call = 0; !HasFailure(); ++call) {
    SCOPED_TRACE("call " + std::to_string(call));
    const fs::path root = folder_.path() / ("disk " + std::to_string(call));
    fs::copy(root_, root, fs::copy_options::recursive);
    const auto disk = std::make_shared<PowerLossDisk>(root);
    const auto plan = std::make_shared<FaultPlan>(disk);
    const FaultyStore store(plan);
    auto engine = store.open(root / "kb");
    add(*engine, kFirst);
    plan->fail(call, Fault::io_error, true);
    try {
      add(*engine, kFirst + 9);
    } catch (const Error&) {
    }
    const bool has_failed = plan->has_failed();
    engine.reset();
    plan->reset();
    if (!has_failed) break;
    engine = store.open(root / "kb");
    add(*engine, kFirst + 1);
    expect_kept(*disk, disk->position(), kFirst + 2);
  }
}

TEST_F(SqliteLastingLog, WhatFailsWhileItIsPutInPlaceIsDoneByTheNextOpening) {
  for (const Fault fault : {Fault::io_error, Fault::failed_sync, Fault::full}) {
    for (std::size_t call = 0; !HasFailure(); ++call) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + ", call " + std::to_string(call));
      const fs::path root = folder_.path() / "again";
      fs::remove_all(root);
      fs::copy(root_, folder_.path() / "before", fs::copy_options::recursive);
      {
        const auto engine = sqlite_engine(folder_.path() / "before" / "kb");
        add(*engine, kFirst);
        fs::copy(folder_.path() / "before", root, fs::copy_options::recursive);  // As a kill leaves it.
      }
      fs::remove_all(folder_.path() / "before");
      ASSERT_GT(fs::file_size(root / "kb" / "store.db-wal"), 0U);
      sqlite::FolderLock(root / "kb" / "lock", {}).doubt_log(true);
      const auto disk = std::make_shared<PowerLossDisk>(root);
      const auto plan = std::make_shared<FaultPlan>(disk);
      const FaultyStore store(plan);
      plan->fail(call, fault, false);
      try {
        store.open(root / "kb").reset();
      } catch (const Error&) {
      }
      const bool has_failed = plan->has_failed();
      plan->reset();
      const auto engine = store.open(root / "kb");
      add(*engine, kFirst + 1);
      expect_kept(*disk, disk->position(), kFirst + 2, 4);
      if (!has_failed) break;
    }
  }
}

TEST_F(SqliteLastingLog, ItIsNotPutInPlaceUnderWhoReadsIt) {
  auto engine = sqlite_engine(root_ / "kb");
  add(*engine, kFirst);
  SqliteOptions reading;
  reading.access = StoreAccess::read_only;
  auto reader = sqlite_engine(root_ / "kb", reading);
  auto pinned = reader->snapshot();
  EXPECT_TRUE(pinned->text(id_of(kFirst)).has_value());
  engine.reset();
  sqlite::FolderLock(root_ / "kb" / "lock", {}).doubt_log(true);
  const Error error = error_of([&] { sqlite_engine(root_ / "kb"); });
  EXPECT_EQ(error.errc(), Errc::locked) << error.what();
  pinned.reset();
  reader.reset();
  engine = sqlite_engine(root_ / "kb");
  EXPECT_TRUE(engine->snapshot()->text(id_of(kFirst)).has_value());
  EXPECT_TRUE(engine->verify().ok());
  engine.reset();
  EXPECT_FALSE(sqlite::FolderLock(root_ / "kb" / "lock", {}).doubts_log());
}

}  // namespace
}  // namespace ragstone::test
