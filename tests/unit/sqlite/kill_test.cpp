#include "recovered_store.hpp"
#include "support/rounds.hpp"
#include "support/store/store_history.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/base/ids.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iostream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

struct Outcome {
  Generation acknowledged = 0;
  bool killed = false;
};

/// A program that writes generations to a pipe.
class Child {
 public:
  explicit Child(std::vector<std::string> arguments) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::string program = RAGSTONE_KILL_CHILD;
    std::vector<char*> pointers = {program.data()};
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    const int error = ::posix_spawn(&process_, program.c_str(), &actions, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    pipe_ = ends[0];
    if (error != 0) throw std::runtime_error("posix_spawn");
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { ::close(pipe_); }

  /// Waits until a commit was acknowledged, or the child has ended.
  void wait_for_commit() {
    pollfd acknowledged{pipe_, POLLIN, 0};
    ::poll(&acknowledged, 1, 60'000);
  }

  /// Kills it after so long, if it is not done before.
  void kill_after(std::chrono::microseconds time) {
    ::timespec pause{time.count() / 1'000'000, time.count() % 1'000'000 * 1000};
    // A pipe that nobody writes to wakes nobody: this only waits, or ends early when the child does.
    pollfd ended{pipe_, 0, 0};
    ::ppoll(&ended, 1, &pause, nullptr);
    ::kill(process_, SIGKILL);
  }

  Outcome wait(Generation before) {
    Outcome outcome{before, false};
    Generation acknowledged = 0;
    while (::read(pipe_, &acknowledged, sizeof acknowledged) == sizeof acknowledged)
      outcome.acknowledged = acknowledged;
    int status = 0;
    ::waitpid(process_, &status, 0);
    outcome.killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    EXPECT_TRUE(outcome.killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << "status " << status;
    return outcome;
  }

 private:
  pid_t process_ = 0;
  int pipe_ = -1;
};

struct Count {
  std::size_t kills = 0;
  std::size_t finished = 0;
  Generation generations = 0;
  std::size_t segments = 0;  ///< Times that a store with segment files was found.
  std::size_t graphs = 0;    ///< Times that one of them had a graph.
  std::size_t indexes = 0;   ///< Times that a saved index was found.
  std::size_t lost = 0;      ///< Acknowledged commits that were not there afterwards.
  std::size_t backups = 0;   ///< Found whole.
};

constexpr std::size_t kKillsPerStore = 20;

void remove_backups(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().starts_with("backup")) found.push_back(entry.path());
  for (const fs::path& backup : found) fs::remove_all(backup);
}

/// Of a killed writer's store.
void look_into(const fs::path& store, Count& count) {
  if (!fs::is_empty(store / "segments")) ++count.segments;
  if (graphs_in(store) > 0) ++count.graphs;
  if (fs::exists(store / "indexes") && !fs::is_empty(store / "indexes")) ++count.indexes;
}

/// Kills writers of one store, one after the other. `start` begins one over a generation and waits for its end.
void kill_writers(std::uint64_t seed, const std::function<Outcome(const fs::path&, std::uint64_t, Generation)>& start,
                  Count& count) {
  const TemporaryFolder folder;
  const fs::path store = folder.path() / "store";
  StoreHistory history(seed);
  Generation generation = 0;
  for (std::size_t i = 0; i < kKillsPerStore && !testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", kill " + std::to_string(i) + ", from generation " +
                 std::to_string(generation));
    const Outcome outcome = start(store, seed, generation);
    ++(outcome.killed ? count.kills : count.finished);
    const Generation before = generation;
    generation = expect_recovered(store, history, outcome.acknowledged, outcome.acknowledged + 1);
    count.generations += generation - before;
    count.backups += expect_whole_backups(folder.path(), history, generation);
    remove_backups(folder.path());
    if (generation < outcome.acknowledged) count.lost += outcome.acknowledged - generation;
    look_into(store, count);
  }
}

std::string with_graphs(std::uint64_t seed) { return std::to_string(seed % 2); }

void report(const Count& count) {
  std::cout << count.kills << " kills, " << count.finished << " runs that ended before theirs, " << count.generations
            << " commits, " << count.segments << " times with segments, " << count.graphs << " with graphs, "
            << count.indexes << " with a saved index, " << count.backups << " whole backups\n";
}

// F1
TEST(KillLoop, WriterKilledAtAnyMomentLosesNothingAcknowledged) {
  Count count;
  std::mt19937_64 random(1);
  const auto start = [&](const fs::path& store, std::uint64_t seed, Generation generation) {
    Child child(
        {store, std::to_string(seed), std::to_string(generation), "100000", with_graphs(seed), "real", "0", "0"});
    // A slow machine would not come further than opening the store.
    if (random() % 2 == 0) child.wait_for_commit();
    child.kill_after(std::chrono::microseconds(2'000 + random() % 58'000));
    return child.wait(generation);
  };
  for (std::uint64_t seed = 0; seed < rounds(5) && !HasFailure(); ++seed) kill_writers(1000 + seed, start, count);
  report(count);
  EXPECT_EQ(count.lost, 0U);
  EXPECT_EQ(count.kills, rounds(5) * kKillsPerStore);
  // How many commits come before a kill depends on the machine.
  EXPECT_GT(count.generations, 0U);
}

// F1, IX-2
TEST(KillLoop, WriterKilledAtCountedCallsLosesNothingAcknowledged) {
  Count count;
  std::mt19937_64 random(2);
  const auto start = [&](const fs::path& store, std::uint64_t seed, Generation generation) {
    // Opening takes a few dozen calls, a commit about ten.
    constexpr std::size_t ranges[] = {60, 600, 3000};
    const std::size_t call = random() % ranges[random() % 3];
    Child child({store, std::to_string(seed), std::to_string(generation), "100000", with_graphs(seed), "counted",
                 std::to_string(call), std::to_string(random() % 2)});
    return child.wait(generation);
  };
  for (std::uint64_t seed = 0; seed < rounds(5) && !HasFailure(); ++seed) kill_writers(2000 + seed, start, count);
  report(count);
  EXPECT_EQ(count.lost, 0U);
  EXPECT_EQ(count.kills, rounds(5) * kKillsPerStore);
  // How many commits come before a kill depends on the machine.
  EXPECT_GT(count.generations, 0U);
  EXPECT_GT(count.segments, 0U);
  EXPECT_GT(count.graphs, 0U);
  EXPECT_GT(count.indexes, 0U);
}

// F1, IX-2. The program reopens, seals, merges, backs up, saves an index and declares fields and a vector index; the
// second time with graphs.
TEST(KillLoop, OneProgramKilledAtEachOfItsCallsLosesNothingAcknowledged) {
  constexpr std::uint64_t kSeed = 3010;  // Its steps are of all these kinds.
  constexpr std::size_t kCalls = 3000;   // About as many as the program makes.
  constexpr std::size_t kFewestCalls = 2000;
  Count count;
  StoreHistory history(kSeed);
  for (const bool halfway : {false, true}) {
    std::size_t call = halfway ? 1 : 0;
    for (bool killed = true; killed && !HasFailure(); call += stride(kCalls, 12)) {
      SCOPED_TRACE("call " + std::to_string(call) + (halfway ? ", halfway" : ""));
      const TemporaryFolder folder;
      const fs::path store = folder.path() / "store";
      Child child({store, std::to_string(kSeed), "0", "60", halfway ? "1" : "0", "counted", std::to_string(call),
                   halfway ? "1" : "0"});
      const Outcome outcome = child.wait(0);
      killed = outcome.killed;
      ++(killed ? count.kills : count.finished);
      const Generation found = expect_recovered(store, history, outcome.acknowledged, outcome.acknowledged + 1);
      count.generations += found;
      if (found < outcome.acknowledged) count.lost += outcome.acknowledged - found;
      count.backups += expect_whole_backups(folder.path(), history, found);
      look_into(store, count);
    }
    std::cout << "at every " << stride(kCalls, 12) << ". of about " << call << " calls" << (halfway ? ", halfway" : "")
              << '\n';
  }
  report(count);
  EXPECT_EQ(count.lost, 0U);
  EXPECT_EQ(count.finished, 2U);
  EXPECT_GE(count.kills, 2 * (kFewestCalls / stride(kCalls, 12)));
  EXPECT_GT(count.backups, 0U);
  EXPECT_GT(count.segments, 0U);
  EXPECT_GT(count.graphs, 0U);
  EXPECT_GT(count.indexes, 0U);
}

}  // namespace
}  // namespace ragstone::test
