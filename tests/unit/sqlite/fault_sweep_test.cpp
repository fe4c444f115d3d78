#include "recovered_store.hpp"
#include "support/faults/faulty_store.hpp"
#include "support/faults/power_loss_disk.hpp"
#include "support/rounds.hpp"
#include "support/store/expect_state.hpp"
#include "support/store/store_history.hpp"
#include "support/store/store_script.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

namespace ragstone::test {
namespace {

using Unsynced = DiskReplay::Unsynced;

constexpr std::size_t kSteps = 40;

struct Case {
  std::uint64_t seed = 0;
  std::size_t call = 0;
  Fault fault = Fault::io_error;
  bool for_good = false;
};

struct Count {
  std::size_t cases = 0;
  std::size_t failures = 0;    ///< Steps that ended with an error.
  std::size_t reopenings = 0;  ///< Cases where the store had to be opened again to go on.
};

/// The store goes on, or does so once it is opened again.
void expect_usable(StoreScript& script, Count& count) {
  const Generation before = script.acknowledged();
  script.commit();
  if (script.acknowledged() <= before) {
    ++count.reopenings;
    script.close();
    script.commit();
    EXPECT_GT(script.acknowledged(), before) << "the store takes no commit though the medium is well again";
  }
  script.maintain();
  script.close();
}

void expect_images(const PowerLossDisk& disk, StoreHistory& history, const StoreScript& script, std::uint64_t seed) {
  DiskReplay replay(disk);
  replay.advance(disk.position());
  for (const Unsynced kind : {Unsynced::kept, Unsynced::lost, Unsynced::mixed}) {
    SCOPED_TRACE("image of kind " + std::to_string(static_cast<int>(kind)));
    const TemporaryFolder image;
    replay.write_image(image.path(), kind, seed);
    expect_recovered(image.path() / "store", history, script.acknowledged(),
                     script.acknowledged() + (script.in_doubt() ? 1 : 0));
  }
}

/// Runs the script of the seed with a fault, loses power after it and at the end, and goes on without it. Gives the
/// number of calls.
std::size_t run(const Case& test, StoreHistory& history, Count& count) {
  SCOPED_TRACE("seed " + std::to_string(test.seed) + ", call " + std::to_string(test.call) + ", fault " +
               std::to_string(static_cast<int>(test.fault)) + (test.for_good ? " for good" : " once"));
  const TemporaryFolder folder;
  const auto disk = std::make_shared<PowerLossDisk>(folder.path());
  const auto plan = std::make_shared<FaultPlan>(disk);
  const FaultyStore store(plan);
  StoreScript script(history, test.seed, 0, [&] { return store.open(folder.path() / "store", busy_options()); });
  bool first = true;
  script.on_failure = [&](const Error& error) {
    EXPECT_TRUE(is_of_medium(error) && plan->has_failed()) << error.what();
    ++count.failures;
    if (std::exchange(first, false)) expect_images(*disk, history, script, test.call);
  };
  script.on_read = [&](const StoreSnapshot& snapshot, Generation generation) {
    EXPECT_EQ(snapshot.generation(), generation);
    expect_state(snapshot, history);
  };
  script.on_backup = [&](const StoreEngine& engine, Generation generation) {
    const std::filesystem::path copy = folder.path() / ("backup" + std::to_string(plan->calls()));
    try {
      engine.backup(copy);
    } catch (const Error&) {
      EXPECT_TRUE(test.for_good || !std::filesystem::exists(copy)) << "half a backup";
      throw;
    }
    expect_recovered(copy, history, generation, generation);
  };
  plan->fail(test.call, test.fault, test.for_good);
  std::size_t calls = 0;
  try {
    script.run(kSteps);
    script.maintain();
    calls = plan->candidates();
    expect_images(*disk, history, script, test.call);
    plan->heal();
    expect_usable(script, count);
    expect_recovered(folder.path() / "store", history, script.acknowledged(), script.acknowledged());
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
  ++count.cases;
  return calls;
}

struct Way {
  std::string name;
  Fault fault = Fault::io_error;
  bool for_good = false;
};

class StoreFaultSweep : public testing::TestWithParam<Way> {};

// F3, F4: about so many calls of the script fail, evenly spread, or all of several scripts.
TEST_P(StoreFaultSweep, LosesNothingAcknowledgedAndGoesOnOnceTheMediumIsWell) {
  const auto& [name, fault, for_good] = GetParam();
  Count count;
  const std::size_t wanted = rounds(20);
  std::size_t of_calls = 0;
  for (std::uint64_t seed = 5000; count.cases < wanted && !HasFailure(); ++seed) {
    StoreHistory history(seed);
    Count ignored;
    const std::size_t calls = run({seed, SIZE_MAX, fault, for_good}, history, ignored);
    const std::size_t step = stride(calls, 20);
    of_calls += calls;
    for (std::size_t call = seed % step; call < calls && !HasFailure(); call += step)
      run({seed, call, fault, for_good}, history, count);
  }
  std::cout << count.cases << " of " << of_calls << " calls failed, " << count.failures << " steps with an error, "
            << count.reopenings << " stores opened again to go on\n";
  EXPECT_GT(count.failures, 0U) << "no fault was met";
}

INSTANTIATE_TEST_SUITE_P(, StoreFaultSweep,
                         testing::Values(Way{"IoErrorOnce", Fault::io_error, false},
                                         Way{"IoErrorForGood", Fault::io_error, true},
                                         Way{"ShortWriteOnce", Fault::short_write, false},
                                         Way{"ShortWriteForGood", Fault::short_write, true},
                                         Way{"FailedSyncOnce", Fault::failed_sync, false},
                                         Way{"FailedSyncForGood", Fault::failed_sync, true},
                                         Way{"FullDiskOnce", Fault::full, false},
                                         Way{"FullDiskForGood", Fault::full, true}),
                         [](const testing::TestParamInfo<Way>& way) { return way.param.name; });

/// A store whose log holds a transaction that nobody synced, when the sync of the next one failed: the system may have
/// dropped both, and still show them.
class FailedSync : public testing::Test {
 protected:
  FailedSync() {
    script.on_failure = [this](const Error& error) { errors.emplace_back(error.what()); };
    bool has_unsynced = false;
    for (int i = 0; i < 50 && !has_unsynced; ++i) {
      script.commit();
      plan->fail(SIZE_MAX, Fault::failed_sync, false);
      has_unsynced = script.engine()->maintain() && plan->candidates() == 0;
    }
    EXPECT_TRUE(has_unsynced) << "what only moves sources or rows is not synced";
    plan->fail(0, Fault::failed_sync, false);
    script.commit();
    EXPECT_EQ(errors.size(), 1U);
    plan->heal();
  }

  /// What another process finds that goes on: all that the system shows, whether it is on the disk or not.
  void copy_for_another_process(const std::filesystem::path& to) const {
    std::filesystem::copy(folder.path(), to, std::filesystem::copy_options::recursive);
    std::filesystem::remove(to / "store" / "store.db-shm");
  }

  void expect_recovered_without_power(const PowerLossDisk& lost, Generation acknowledged) {
    DiskReplay replay(lost);
    replay.advance(lost.position());
    const TemporaryFolder image;
    replay.write_image(image.path(), Unsynced::lost, 0);
    expect_recovered(image.path() / "store", history, acknowledged, acknowledged);
  }

  const TemporaryFolder folder;
  const std::shared_ptr<PowerLossDisk> disk = std::make_shared<PowerLossDisk>(folder.path());
  const std::shared_ptr<FaultPlan> plan = std::make_shared<FaultPlan>(disk);
  const FaultyStore store{plan};
  StoreHistory history{17};
  std::vector<std::string> errors;
  StoreScript script{history, 17, 0, [this] { return store.open(folder.path() / "store", busy_options()); }};
};

// F4
TEST_F(FailedSync, LeavesNoGapInTheLogBeforeTheCommitsThatFollow) {
  script.commit();
  script.commit();
  EXPECT_EQ(errors.size(), 1U);
  expect_recovered_without_power(*disk, script.acknowledged());
}

TEST_F(FailedSync, LeavesNoGapForAnotherProcessThatGoesOn) {
  const TemporaryFolder later;
  copy_for_another_process(later.path());
  const auto disk_later = std::make_shared<PowerLossDisk>(*disk, disk->position(), later.path());
  const FaultyStore store_later(std::make_shared<FaultPlan>(disk_later));
  StoreScript goes_on(
      history, 18, script.acknowledged(), [&] { return store_later.open(later.path() / "store", busy_options()); },
      script.in_doubt());
  goes_on.commit();
  expect_recovered_without_power(*disk_later, goes_on.acknowledged());
}

// A sector that is being written when the power goes may hold anything.
TEST_F(FailedSync, HasNothingWrittenAgainThatWasDurableWhenTheStoreWasOpened) {
  for (int i = 0; i < 3; ++i) script.commit();
  const TemporaryFolder later;
  copy_for_another_process(later.path());
  const auto disk_later = std::make_shared<PowerLossDisk>(*disk, disk->position(), later.path());
  const auto plan_later = std::make_shared<FaultPlan>(disk_later);
  const FaultyStore store_later(plan_later);
  StoreScript goes_on(history, 18, script.acknowledged(), [&] {
    auto engine = store_later.open(later.path() / "store", busy_options());
    plan_later->fail(0, Fault::failed_sync, false);
    return engine;
  });
  goes_on.on_failure = [](const Error&) {};
  goes_on.commit();
  EXPECT_TRUE(goes_on.in_doubt());
  DiskReplay replay(*disk_later);
  replay.advance(disk_later->position());
  for (std::uint64_t seed = 0; seed < 100 && !HasFailure(); ++seed) {
    const TemporaryFolder image;
    replay.write_image(image.path(), Unsynced::mixed, seed);
    expect_recovered(image.path() / "store", history, goes_on.acknowledged(), goes_on.acknowledged() + 1, false);
  }
}

/// While it lives, the system gives SQLite half of what it asks a file for.
class ShortReads {
 public:
  ShortReads() {
    reads_ = 0;
    set("read", reinterpret_cast<sqlite3_syscall_ptr>(&read_half));
    set("pread", reinterpret_cast<sqlite3_syscall_ptr>(&read_half_at));
    set("pread64", reinterpret_cast<sqlite3_syscall_ptr>(&read_half_at));
  }
  ~ShortReads() {
    for (const char* call : {"read", "pread", "pread64"}) set(call, nullptr);
  }
  ShortReads(const ShortReads&) = delete;
  ShortReads& operator=(const ShortReads&) = delete;

  static std::size_t reads() { return reads_; }

 private:
  static_assert(sizeof(off_t) == 8);

  static void set(const char* call, sqlite3_syscall_ptr to) {
    sqlite3_vfs* const vfs = ::sqlite3_vfs_find(nullptr);
    if (vfs->xGetSystemCall(vfs, call) != nullptr) vfs->xSetSystemCall(vfs, call, to);
  }
  static std::size_t half(std::size_t size) {
    ++reads_;
    return (size + 1) / 2;
  }
  static ssize_t read_half(int file, void* to, std::size_t size) { return ::read(file, to, half(size)); }
  static ssize_t read_half_at(int file, void* to, std::size_t size, off_t offset) {
    return ::pread(file, to, half(size), offset);
  }

  static inline std::atomic<std::size_t> reads_ = 0;
};

// F3
TEST(ShortReadsOfTheSystem, AreGoneOnWith) {
  const ShortReads guard;
  for (std::uint64_t seed = 6000; seed < 6000 + rounds(2) && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const TemporaryFolder folder;
    StoreHistory history(seed);
    StoreScript script(history, seed, 0, [&] { return sqlite_engine(folder.path() / "store", busy_options()); });
    script.on_read = [&](const StoreSnapshot& snapshot, Generation generation) {
      EXPECT_EQ(snapshot.generation(), generation);
      expect_state(snapshot, history);
    };
    ASSERT_NO_THROW(script.run(kSteps));
    ASSERT_NO_THROW(script.close());
    expect_recovered(folder.path() / "store", history, script.acknowledged(), script.acknowledged());
  }
  EXPECT_GT(ShortReads::reads(), 100U);
}

}  // namespace
}  // namespace ragstone::test
