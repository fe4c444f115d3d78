#include "support/faults/wall_clock.hpp"

#include "support/errors.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/async/runtime.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/model/sqlite_cache.hpp>
#include <ragstone/store/sqlite_engine.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using std::chrono::system_clock;

constexpr hours kYear{24 * 365};

/// Gives the wall clock back.
class WallClock : public testing::Test {
 protected:
  ~WallClock() override { set_wall_clock_ahead(seconds(0)); }

  TemporaryFolder folder_;
};

/// While it lives, a thread sets the wall clock forward and back.
class RestlessClock {
 public:
  RestlessClock() = default;
  ~RestlessClock() {
    thread_.request_stop();
    thread_.join();
    set_wall_clock_ahead(seconds(0));
  }
  RestlessClock(const RestlessClock&) = delete;
  RestlessClock& operator=(const RestlessClock&) = delete;

 private:
  std::jthread thread_{[](const std::stop_token& stop) {
    for (int turn = 0; !stop.stop_requested(); ++turn) {
      set_wall_clock_ahead(turn % 2 == 0 ? 10 * kYear : -10 * kYear);
      std::this_thread::yield();
    }
  }};
};

Commit source(const std::string& id) {
  Commit commit;
  commit.sources.push_back(sample_lines(id, "river " + id + "\nstone\n"));
  return commit;
}

/// Commits two that wait together and one alone.
void commit_three(StoreEngine& engine, const std::string& id) {
  PendingCommit first(source(id + " 1"), {});
  PendingCommit second(source(id + " 2"), {});
  std::vector<PendingCommit*> waiting = {&first, &second};
  std::size_t done = 0;
  while (done < waiting.size()) done += engine.commit_together(std::span(waiting).subspan(done));
  EXPECT_FALSE(first.error || second.error);
  engine.commit(source(id + " 3"));
}

SqliteOptions options() {
  SqliteOptions options;
  options.seal_rows = 8;
  return options;
}

void expect_sources(const StoreEngine& engine, std::size_t count) {
  const auto at = engine.snapshot();
  EXPECT_EQ(at->sources({}).size(), count);
  const std::optional<GroupChange> changes = at->changes("line", 0);
  EXPECT_TRUE(changes && changes->upserts.size() == 2 * count) << "the log has forgotten some";
  const std::vector<TermWeight> terms = {{"river", 1}};
  EXPECT_EQ(at->search_terms("line", kBm25Key, terms, {}, {}, 1000).size(), count);
  EXPECT_TRUE(engine.verify().ok());
}

// F10
TEST_F(WallClock, JumpsBetweenCommitsLoseNothingOfAStore) {
  std::size_t count = 0;
  auto engine = sqlite_engine(folder_.path() / "kb", options());
  for (const seconds jump : {seconds(10 * kYear), seconds(-10 * kYear), seconds(-70 * kYear), seconds(200 * kYear),
                             seconds(1), seconds(-1), seconds(0)}) {
    SCOPED_TRACE("ahead by " + std::to_string(jump.count()) + " s");
    const auto before = system_clock::now();
    set_wall_clock_ahead(jump);
    if (jump >= 10 * kYear) {
      EXPECT_GT(system_clock::now() - before, kYear) << "the clock is not in hand";
    }
    commit_three(*engine, std::to_string(jump.count()));
    count += 3;
    while (engine->maintain()) {
    }
    expect_sources(*engine, count);
    engine->backup(folder_.path() / ("backup " + std::to_string(jump.count())));
    engine->close();
    engine = sqlite_engine(folder_.path() / "kb", options());
    expect_sources(*engine, count);
  }
}

// F10
TEST_F(WallClock, ThatNeverRestsKeepsNoCommitWaitingAndLosesNone) {
  const RestlessClock clock;
  const auto engine = sqlite_engine(folder_.path() / "kb", options());
  for (int i = 0; i < 20; ++i) commit_three(*engine, std::to_string(i));
  while (engine->maintain()) {
  }
  expect_sources(*engine, 60);
}

// F10
TEST_F(WallClock, ThatNeverRestsDoesNotProlongTheWaitForAnotherWriter) {
  const auto holder = sqlite_engine(folder_.path() / "kb");
  const RestlessClock clock;
  SqliteOptions waiting;
  waiting.lock_timeout = std::chrono::milliseconds(30);
  EXPECT_EQ(error_of([&] { sqlite_engine(folder_.path() / "kb", waiting); }).errc(), Errc::locked);
}

class CacheAges : public WallClock {
 protected:
  void put(const std::string& key, std::optional<seconds> time_to_live) {
    std::vector<CacheEntry> entries;
    entries.emplace_back(hash128(key), "value");
    runtime_.run(cache_->put(CacheKind::chat, std::move(entries), time_to_live));
  }
  bool has(const std::string& key) {
    return runtime_.run(cache_->get(CacheKind::chat, std::vector<Hash128>(1, hash128(key)))).at(0).has_value();
  }

  Runtime runtime_;
  std::shared_ptr<Cache> cache_ = sqlite_cache(runtime_.pool(), folder_.path());
};

// F10
TEST_F(CacheAges, AreOverAfterAJumpForwardAndNeverOutlastAJumpBack) {
  put("hour", hours(1));
  put("lasting", std::nullopt);
  EXPECT_TRUE(has("hour"));
  set_wall_clock_ahead(hours(2));
  EXPECT_FALSE(has("hour"));
  EXPECT_TRUE(has("lasting"));
  put("of the future", hours(1));
  EXPECT_TRUE(has("of the future"));
  set_wall_clock_ahead(seconds(0));
  EXPECT_FALSE(has("of the future")) << "it would last for three hours";
  put("of the future", hours(1));
  EXPECT_TRUE(has("of the future"));
  EXPECT_TRUE(has("lasting"));
}

// F10
TEST_F(WallClock, DoesNotAgeWhatTheProcessKeepsInMemory) {
  Runtime runtime;
  const std::shared_ptr<Cache> cache = memory_cache();
  std::vector<CacheEntry> entries;
  entries.emplace_back(hash128("a"), "value");
  runtime.run(cache->put(CacheKind::chat, std::move(entries), hours(1)));
  for (const hours jump : {10 * kYear, -10 * kYear}) {
    set_wall_clock_ahead(jump);
    EXPECT_TRUE(runtime.run(cache->get(CacheKind::chat, std::vector<Hash128>(1, hash128("a")))).at(0).has_value());
  }
}

}  // namespace
}  // namespace ragstone::test
