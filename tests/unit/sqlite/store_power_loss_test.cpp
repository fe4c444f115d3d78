#include "recovered_store.hpp"
#include "support/faults/faulty_store.hpp"
#include "support/faults/power_loss_disk.hpp"
#include "support/rounds.hpp"
#include "support/store/saved_words.hpp"
#include "support/store/store_history.hpp"
#include "support/store/store_script.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

using Unsynced = DiskReplay::Unsynced;

constexpr std::size_t kSteps = 60;
constexpr std::size_t kImagesPerRun = 110;
constexpr std::size_t kKillsPerRun = 30;  ///< With three images each.
constexpr std::size_t kMaxRuns = 125;

/// A run of a script, and where the disk was when each commit returned.
struct Recording {
  std::shared_ptr<PowerLossDisk> disk;
  std::size_t begin = 0;  ///< The first position that is of interest.
  bool with_graphs = false;
  bool in_doubt = false;                       ///< The run began over a store that may have had one commit more.
  std::vector<std::size_t> acknowledged;       ///< Of generations 1, 2, ...
  std::map<std::string, std::size_t> backups;  ///< When each of them had returned, by name.

  Generation acknowledged_at(std::size_t position) const {
    return static_cast<Generation>(std::upper_bound(acknowledged.begin(), acknowledged.end(), position) -
                                   acknowledged.begin());
  }
};

/// Runs the script over a folder whose disk is noted, with backups and an index that is saved now and then; then seals,
/// merges and closes.
void run_recorded(Recording& recording, const std::filesystem::path& folder, StoreHistory& history, std::uint64_t seed,
                  Durability durability, std::size_t steps) {
  const FaultyStore store(std::make_shared<FaultPlan>(recording.disk));
  StoreScript script(
      history, seed, recording.acknowledged.size(),
      [&] { return store.open(folder / "store", busy_options(durability)); }, recording.in_doubt);
  script.with_graphs = recording.with_graphs;
  script.on_acknowledged = [&](Generation generation) {
    recording.acknowledged.resize(generation, recording.disk->position());
    if (generation % 4 == 0) save_words(*script.engine(), generation);
  };
  script.on_backup = [&](const StoreEngine& engine, Generation) {
    const std::string name = "backup" + std::to_string(recording.disk->position());
    engine.backup(folder / name);
    recording.backups[name] = recording.disk->position();
  };
  script.run(steps);
  script.maintain();
  script.close();
}

Recording record(StoreHistory& history, std::uint64_t seed, Durability durability) {
  const TemporaryFolder folder;
  Recording recording;
  recording.disk = std::make_shared<PowerLossDisk>(folder.path());
  recording.with_graphs = seed % 2 == 1;
  run_recorded(recording, folder.path(), history, seed, durability, kSteps);
  return recording;
}

/// What follows when the process of `before` is killed at a position, and another one goes on.
Recording record_after_kill(const Recording& before, std::size_t position, StoreHistory& history,
                            Durability durability) {
  const TemporaryFolder folder;
  DiskReplay replay(*before.disk);
  replay.advance(position);
  replay.write_image(folder.path(), Unsynced::kept, 0);
  Recording recording;
  recording.disk = std::make_shared<PowerLossDisk>(*before.disk, position, folder.path());
  recording.begin = position;
  recording.with_graphs = before.with_graphs;
  recording.in_doubt = true;
  recording.acknowledged = before.acknowledged;
  recording.acknowledged.resize(before.acknowledged_at(position));
  for (const auto& [name, finished] : before.backups)
    if (finished <= position) recording.backups[name] = finished;
  run_recorded(recording, folder.path(), history, position, durability, 3);
  return recording;
}

struct Count {
  std::size_t images = 0;
  std::size_t shorter = 0;  ///< Images without the last acknowledged commit.
  std::size_t graphs = 0;   ///< With graphs.
  std::size_t indexes = 0;  ///< With a saved index.
  std::size_t backups = 0;  ///< Found whole.
};

/// Backups that had returned are there, and all that are there are whole.
void expect_backups(const Recording& recording, std::size_t position, const std::filesystem::path& folder,
                    StoreHistory& history, Generation at_most, Count& count) {
  for (const auto& [name, finished] : recording.backups)
    EXPECT_TRUE(finished > position || std::filesystem::exists(folder / name)) << name << " is lost";
  count.backups += expect_whole_backups(folder, history, at_most);
}

void lose_power(const Recording& recording, StoreHistory& history, Durability durability, std::size_t images,
                std::mt19937_64& random, Count& count) {
  std::multiset<std::size_t> positions;
  while (positions.size() < images)
    positions.insert(recording.begin + random() % (recording.disk->position() + 1 - recording.begin));
  DiskReplay replay(*recording.disk);
  for (const std::size_t position : positions) {
    if (testing::Test::HasFailure()) return;
    constexpr Unsynced kinds[] = {Unsynced::kept, Unsynced::lost, Unsynced::mixed, Unsynced::mixed, Unsynced::mixed};
    const Unsynced kind = kinds[random() % 5];
    const std::uint64_t image_seed = random();
    SCOPED_TRACE("position " + std::to_string(position) + " of " + std::to_string(recording.begin) + " to " +
                 std::to_string(recording.disk->position()) + ", kind " + std::to_string(static_cast<int>(kind)) +
                 ", image " + std::to_string(image_seed));
    const TemporaryFolder folder;
    replay.advance(position);
    replay.write_image(folder.path(), kind, image_seed);
    const Generation acknowledged = recording.acknowledged_at(position);
    const Generation at_most = acknowledged + (recording.in_doubt ? 2 : 1);
    const Generation found =
        expect_recovered(folder.path() / "store", history, durability == Durability::durable ? acknowledged : 0,
                         at_most, random() % 4 == 0);
    if (random() % 4 == 0) expect_backups(recording, position, folder.path(), history, at_most, count);
    if (graphs_in(folder.path() / "store") > 0) ++count.graphs;
    if (std::filesystem::exists(folder.path() / "store" / "indexes")) ++count.indexes;
    ++count.images;
    if (found < acknowledged) ++count.shorter;
  }
}

Count lose_power_often(std::uint64_t first_seed, Durability durability) {
  Count count;
  const std::size_t runs = std::min(rounds(5), kMaxRuns);
  for (std::uint64_t seed = first_seed; seed < first_seed + runs && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    StoreHistory history(seed);
    const Recording recording = record(history, seed, durability);
    lose_power(recording, history, durability, kImagesPerRun, random, count);
    for (std::size_t kill = 0; kill < kKillsPerRun && !testing::Test::HasFailure(); ++kill) {
      const std::size_t position = random() % (recording.disk->position() + 1);
      SCOPED_TRACE("after a kill at " + std::to_string(position));
      lose_power(record_after_kill(recording, position, history, durability), history, durability, 3, random, count);
    }
  }
  std::cout << count.images << " images, " << count.shorter << " without the last commit, " << count.graphs
            << " with graphs, " << count.indexes << " with a saved index, " << count.backups << " whole backups\n";
  EXPECT_GT(count.graphs, 0U);
  EXPECT_GT(count.indexes, 0U);
  EXPECT_GT(count.backups, 0U);
  return count;
}

// F2
TEST(StorePowerLoss, DurableStoreKeepsEveryAcknowledgedCommit) {
  const Count count = lose_power_often(3000, Durability::durable);
  EXPECT_EQ(count.shorter, 0U);
}

// F2
TEST(StorePowerLoss, FastStoreMayLoseTheLastCommitsButIsWhole) {
  const Count count = lose_power_often(4000, Durability::fast);
  EXPECT_GT(count.shorter, 0U);
}

// F1, F2: what the next process finds in the system's cache may not be on the disk yet.
TEST(StorePowerLoss, KillAfterAMergeAndLossOfPowerAfterTheNextOpeningLoseNothing) {
  Count count;
  for (std::uint64_t seed = 6000; seed < 6000 + std::min<std::size_t>(rounds(3), 100) && !HasFailure(); ++seed) {
    std::mt19937_64 random(seed);
    StoreHistory history(seed);
    const Recording recording = record(history, seed, Durability::durable);
    // Files are removed when the transaction of a merge, just before, no longer needs them.
    const auto removals = recording.disk->positions_of(DiskChange::Kind::remove);
    for (std::size_t i = 0; i < std::min<std::size_t>(removals.size(), 4); ++i)
      for (std::size_t kill = removals[i] - 5; kill <= removals[i] && !HasFailure(); ++kill) {
        SCOPED_TRACE("seed " + std::to_string(seed) + ", after a kill at " + std::to_string(kill));
        lose_power(record_after_kill(recording, kill, history, Durability::durable), history, Durability::durable, 8,
                   random, count);
      }
  }
  EXPECT_GT(count.images, 100U);
}

}  // namespace
}  // namespace ragstone::test
