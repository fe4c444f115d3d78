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

/// The store is whole and has the first `count` sources, however the power went at the end of what the disk notes.
void expect_kept(const PowerLossDisk& disk, int count) {
  DiskReplay replay(disk);
  replay.advance(disk.position());
  for (std::uint64_t seed = 0; seed < 12 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("image " + std::to_string(seed));
    const TemporaryFolder image;
    replay.write_image(image.path() / "disk", seed == 0 ? Unsynced::lost : Unsynced::mixed, seed);
    const auto engine = sqlite_engine(image.path() / "disk" / "kb");
    for (const StoreFinding& finding : engine->verify().findings)
      ADD_FAILURE() << finding.object << ": " << finding.problem;
    for (int i = 0; i < count; ++i) EXPECT_TRUE(engine->snapshot()->text(id_of(i)).has_value()) << i;
  }
}

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
      const fs::path root = folder_.path() / ("after " + std::to_string(kill) + " " + std::to_string(call));
      DiskReplay replay(*before);
      replay.advance(kills[kill]);
      replay.write_image(root, Unsynced::kept, 1);
      const auto disk = std::make_shared<PowerLossDisk>(*before, kills[kill], root);
      const auto plan = std::make_shared<FaultPlan>(disk);
      const FaultyStore store(plan);
      plan->fail(call, Fault::failed_sync, false);
      try {
        store.open(root / "kb");
      } catch (const Error& error) {
        EXPECT_EQ(error.errc(), Errc::io_error);
      }
      if (!plan->has_failed()) break;
      expect_kept(*disk, kFirst + static_cast<int>(kill));
    }
}

}  // namespace
}  // namespace ragstone::test
