#include "store/sqlite/folder_lock.hpp"
#include "support/errors.hpp"
#include "support/faults/fault_plan.hpp"
#include "support/faults/faulty_store.hpp"
#include "support/faults/power_loss_disk.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/sqlite_engine.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <future>
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

  /// One source more, in a log of which a sync failed.
  void leave_doubted_log() {
    const fs::path copy = folder_.path() / "copy";
    {
      const auto engine = sqlite_engine(root_ / "kb");
      add(*engine, kFirst);
      fs::copy(root_, copy, fs::copy_options::recursive);  // As a kill leaves it.
    }
    fs::remove_all(root_);
    fs::rename(copy, root_);
    ASSERT_GT(fs::file_size(root_ / "kb" / "store.db-wal"), 0U);
    sqlite::FolderLock(root_ / "kb" / "lock", {}).doubt_log(true);
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

TEST_F(SqliteLastingLog, AFailedSyncThatClosingMakesIsNotForgotten) {
  for (const Durability durability : {Durability::durable, Durability::fast})
    for (const bool for_good : {false, true})
      for (const bool is_closed : {false, true})
        for (std::size_t call = 0; !HasFailure(); ++call) {
          SCOPED_TRACE(std::string(durability == Durability::fast ? "fast" : "durable") +
                       (for_good ? ", for good" : ", once") + (is_closed ? ", closed" : ", dropped") + ", sync " +
                       std::to_string(call));
          const TemporaryFolder folder;
          const fs::path root = folder.path() / "disk";
          fs::copy(root_, root, fs::copy_options::recursive);
          const auto disk = std::make_shared<PowerLossDisk>(root);
          const auto plan = std::make_shared<FaultPlan>(disk);
          const FaultyStore store(plan);
          SqliteOptions options;
          options.durability = durability;
          auto engine = store.open(root / "kb", options);
          add(*engine, kFirst);
          plan->fail(call, Fault::failed_sync, for_good);
          try {
            while (engine->maintain()) {
            }
            add(*engine, kFirst + 9);
            if (is_closed) engine->close();
          } catch (const Error&) {
          }
          engine.reset();
          const bool has_failed = plan->has_failed();
          plan->reset();
          if (!has_failed) break;
          engine = store.open(root / "kb");
          add(*engine, kFirst + 1);
          expect_kept(*disk, disk->position(), kFirst + 2, 6);
        }
}

TEST_F(SqliteLastingLog, OpeningsThatFailToSyncItOneAfterTheOtherLoseNothing) {
  const auto before = std::make_shared<PowerLossDisk>(root_);
  std::size_t kill = 0;
  {
    const FaultyStore store(std::make_shared<FaultPlan>(before));
    const auto engine = store.open(root_ / "kb");
    for (int i = kFirst; i < kFirst + 3; ++i) add(*engine, i);
    kill = before->positions_of(DiskChange::Kind::sync).back();
  }
  for (const Durability durability : {Durability::durable, Durability::fast})
    for (std::size_t call = 0; !HasFailure(); ++call) {
      SCOPED_TRACE(std::string(durability == Durability::fast ? "fast" : "durable") + ", sync " + std::to_string(call));
      const TemporaryFolder folder;
      const fs::path root = folder.path() / "disk";
      DiskReplay replay(*before);
      replay.advance(kill);
      replay.write_image(root, Unsynced::kept, 1);
      const auto disk = std::make_shared<PowerLossDisk>(*before, kill, root);
      const auto plan = std::make_shared<FaultPlan>(disk);
      const FaultyStore store(plan);
      SqliteOptions options;
      options.durability = durability;
      for (const std::size_t of_opening : {call, call / 2}) {
        plan->fail(of_opening, Fault::failed_sync, true);
        try {
          const auto engine = store.open(root / "kb", options);
          add(*engine, kFirst + 9);
        } catch (const Error&) {
        }
      }
      const bool has_failed = plan->has_failed();
      plan->reset();
      if (!has_failed) break;
      const auto engine = store.open(root / "kb");
      add(*engine, kFirst + 3);
      add(*engine, kFirst + 4);
      expect_kept(*disk, disk->position(), kFirst + 5, 8);
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

TEST_F(SqliteLastingLog, ItIsNotPutInPlaceUnderWhoReadsItButOnceThoseHaveClosed) {
  leave_doubted_log();
  SqliteOptions reading;
  reading.access = StoreAccess::read_only;
  auto reader = sqlite_engine(root_ / "kb", reading);
  auto pinned = reader->snapshot();
  EXPECT_TRUE(pinned->text(id_of(kFirst)).has_value());
  const Error error = error_of([&] { sqlite_engine(root_ / "kb"); });
  EXPECT_EQ(error.errc(), Errc::locked) << error.what();
  SqliteOptions patient;
  patient.lock_timeout = std::chrono::minutes(1);
  auto opening = std::async(std::launch::async, [&] { return sqlite_engine(root_ / "kb", patient); });
  // One that did not wait has failed by now.
  EXPECT_EQ(opening.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  pinned.reset();
  reader.reset();
  auto engine = opening.get();
  EXPECT_TRUE(engine->snapshot()->text(id_of(kFirst)).has_value());
  EXPECT_TRUE(engine->verify().ok());
  engine.reset();
  EXPECT_FALSE(sqlite::FolderLock(root_ / "kb" / "lock", {}).doubts_log());
}

TEST_F(SqliteLastingLog, WhatIsPutInPlaceMayBeReadByNoOthersThanBefore) {
  leave_doubted_log();
  constexpr auto kOwner = fs::perms::owner_read | fs::perms::owner_write;
  fs::permissions(root_ / "kb" / "store.db-wal", kOwner);
  std::ofstream(root_ / "kb" / "store.db-wal.new") << "of an opening that ended";
  const auto engine = sqlite_engine(root_ / "kb");
  EXPECT_EQ(fs::status(root_ / "kb" / "store.db-wal").permissions(), kOwner);
  EXPECT_FALSE(fs::exists(root_ / "kb" / "store.db-wal.new"));
  EXPECT_TRUE(engine->snapshot()->text(id_of(kFirst)).has_value());
}

TEST_F(SqliteLastingLog, ACopyThatCannotBeWrittenIsNotLeftBehind) {
  leave_doubted_log();
  const auto plan = std::make_shared<FaultPlan>();
  const FaultyStore store(plan);
  for (std::size_t call = 0;; ++call) {
    plan->fail(call, Fault::full, false);
    std::shared_ptr<StoreEngine> engine;
    try {
      engine = store.open(root_ / "kb");
    } catch (const Error&) {
    }
    EXPECT_FALSE(fs::exists(root_ / "kb" / "store.db-wal.new")) << call;
    if (!plan->has_failed()) break;
  }
}

TEST_F(SqliteLastingLog, AnOpeningThatFailsForAnotherReasonLeavesNoDoubtOfIt) {
  {
    const auto engine = sqlite_engine(root_ / "kb");
    while (engine->maintain()) {
    }
    engine->close();
  }
  const fs::path segment = fs::directory_iterator(root_ / "kb" / "segments")->path();
  fs::rename(segment, root_ / "away");
  fs::create_directory(segment);
  EXPECT_EQ(error_of([&] { sqlite_engine(root_ / "kb"); }).errc(), Errc::io_error);
  EXPECT_FALSE(sqlite::FolderLock(root_ / "kb" / "lock", {}).doubts_log());
}

TEST_F(SqliteLastingLog, TheDoubtIsSeenBeforeTheEndOfALongerMark) {
  const fs::path lock = folder_.path() / "lock";
  std::ofstream(lock) << "4194304\n1234567890123456789\na sync failed\nfailed\n";
  EXPECT_TRUE(sqlite::FolderLock(lock, {}).doubts_log());
}

}  // namespace
}  // namespace ragstone::test
