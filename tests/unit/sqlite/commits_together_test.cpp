#include "store/sqlite/engine.hpp"
#include "support/errors.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/sqlite_engine.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <filesystem>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

using Milliseconds = std::chrono::milliseconds;

/// A store with a clock that goes on by one step whenever it is read.
class CommitsTogether : public testing::Test {
 protected:
  std::shared_ptr<StoreEngine> open(Milliseconds step) const {
    sqlite::EngineHooks hooks;
    hooks.now = [step, reads = std::make_shared<std::atomic<int>>()] {
      return std::chrono::steady_clock::time_point(step * (*reads)++);
    };
    return sqlite::make_engine(temporary_.path() / "kb", SqliteOptions(), hooks);
  }

  static Commit lines(const std::string& id) {
    Commit commit;
    commit.sources.push_back(sample_lines(id, "fig\n字 " + id));
    return commit;
  }

  static std::vector<PendingCommit> numbered(std::size_t count) {
    std::vector<PendingCommit> commits;
    for (std::size_t i = 0; i < count; ++i) commits.emplace_back(lines(std::to_string(i)));
    return commits;
  }

  static std::size_t carry_out(StoreEngine& engine, std::span<PendingCommit> commits) {
    std::vector<PendingCommit*> addresses;
    for (PendingCommit& commit : commits) addresses.push_back(&commit);
    return engine.commit_together(addresses);
  }

 private:
  TemporaryFolder temporary_;
};

TEST_F(CommitsTogether, OnlyThoseThatFailAreNotApplied) {
  const auto engine = open(Milliseconds(0));
  std::vector<PendingCommit> commits = numbered(4);
  for (PendingCommit& pending : commits)
    pending.commit.sources[0].groups[1].dense.push_back(sample_vectors("e", "two", {{1, 1}, {2, 1}}, 2));
  commits[1].commit.sources[0].groups[1].dense[0].dimension = 1;
  commits[1].commit.sources[0].groups[1].dense[0].values.resize(2);
  commits[2].commit.sources[0].groups[1].rows[0].span.end = 99;
  EXPECT_EQ(carry_out(*engine, commits), 4u);
  EXPECT_EQ(commits[0].result.generation, 1u);
  EXPECT_EQ(error_of([&] { std::rethrow_exception(commits[1].error); }).errc(), Errc::dimension_mismatch);
  EXPECT_EQ(error_of([&] { std::rethrow_exception(commits[2].error); }).errc(), Errc::invalid_argument);
  EXPECT_EQ(commits[3].result.generation, 2u);
  EXPECT_EQ(engine->snapshot()->sources({}).size(), 2u);
  EXPECT_TRUE(engine->verify().ok());
}

TEST_F(CommitsTogether, AreNoMoreThanFiftyMillisecondsOfThem) {
  const auto engine = open(Milliseconds(20));
  std::vector<PendingCommit> commits = numbered(7);
  commits[4].commit.sources[0].groups[1].rows[0].span.end = 99;
  std::span<PendingCommit> left(commits);
  ASSERT_EQ(carry_out(*engine, left), 3u) << "begun at 0, 20 and 40 ms";
  EXPECT_EQ(engine->snapshot()->generation(), 3u);
  left = left.subspan(3);
  for (const PendingCommit& pending : left) {
    EXPECT_EQ(pending.commit.sources.size(), 1u) << "as it was";
    EXPECT_FALSE(pending.error);
  }
  ASSERT_EQ(carry_out(*engine, left), 4u) << "one of them was refused before the transaction";
  EXPECT_TRUE(commits[4].error);
  EXPECT_EQ(commits[3].result.generation, 4u);
  EXPECT_EQ(commits[6].result.generation, 6u);
  EXPECT_EQ(engine->snapshot()->text("6"), "fig\n字 6");
}

TEST_F(CommitsTogether, AreOneAtLeastHoweverLateItIs) {
  const auto engine = open(Milliseconds(1000));
  std::vector<PendingCommit> commits = numbered(2);
  EXPECT_EQ(carry_out(*engine, commits), 1u);
  EXPECT_EQ(engine->snapshot()->sources({}).size(), 1u);
}

TEST_F(CommitsTogether, OfSeveralThreadsAllComeToTheirTurn) {
  constexpr std::size_t kThreads = 6;
  constexpr std::size_t kCommits = 20;
  const auto engine = open(Milliseconds(20));
  std::vector<std::vector<Generation>> generations(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < kCommits; ++i)
        generations[t].push_back(engine->commit(lines(std::to_string(t) + "/" + std::to_string(i))).generation);
    });
  for (std::thread& thread : threads) thread.join();
  std::set<Generation> all;
  for (const std::vector<Generation>& of_thread : generations) {
    EXPECT_TRUE(std::is_sorted(of_thread.begin(), of_thread.end()));
    all.insert(of_thread.begin(), of_thread.end());
  }
  EXPECT_EQ(all.size(), kThreads * kCommits);
  EXPECT_EQ(engine->snapshot()->sources({}).size(), kThreads * kCommits);
}

}  // namespace
}  // namespace ragstone::test
