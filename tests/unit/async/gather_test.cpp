#include "support/rounds.hpp"
#include "unit/async/bed.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/async/offload.hpp>
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

using namespace std::chrono_literals;

class Gather : public EveryPlace {};
RAGSTONE_EVERY_PLACE(Gather);

GatherOptions at_most(std::size_t limit) {
  GatherOptions options;
  options.limit = limit;
  return options;
}

/// What the tasks of a test did; touched on one serial executor.
class Log {
 public:
  int running = 0;
  int most_running = 0;
  int begun = 0;
  int ended = 0;
  int cancelled = 0;
};

class Entry {
 public:
  explicit Entry(std::shared_ptr<Log> log) : log_(std::move(log)) {
    ++log_->begun;
    log_->most_running = std::max(log_->most_running, ++log_->running);
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry() {
    --log_->running;
    ++log_->ended;
  }

 private:
  std::shared_ptr<Log> log_;
};

class Failure : public std::runtime_error {
 public:
  explicit Failure(int i) : std::runtime_error("task " + std::to_string(i)), index(i) {}
  int index;
};

/// A task with a random delay that fails if it is told to.
Task<int> item(int i, int delay, bool fails, std::shared_ptr<Log> log, Live live) {
  const Entry entry(log);
  const Live kept(live);
  if (delay % 3 == 1) co_await yield(delay);
  if (delay % 3 == 2) co_await pause(std::chrono::microseconds(10 * delay));
  if (fails) throw Failure(i);
  co_return i* i;
}

/// A task that waits until so many run at once, for a while.
Task<int> together(int i, int count, std::shared_ptr<Log> log, Live live) {
  const Entry entry(log);
  const Live kept(live);
  for (int turns = 0; turns < 100'000 && log->most_running < count; ++turns) co_await yield(1);
  co_return i;
}

Task<int> patient(std::shared_ptr<Log> log, Live live) {
  const Entry entry(log);
  const Live kept(live);
  try {
    co_await forever();
  } catch (...) {
    ++log->cancelled;
    throw;
  }
  co_return 0;
}

Task<void> only_count(std::shared_ptr<Log> log) {
  const Entry entry(log);
  co_await yield();
}

TEST_P(Gather, KeepsInputOrder) {
  Bed bed(GetParam());
  auto log = std::make_shared<Log>();
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 50; ++i) tasks.push_back(item(i, 50 - i, false, log, bed.live()));
  const std::vector<int> squares = bed.run(gather(std::move(tasks), at_most(7)));
  ASSERT_EQ(squares.size(), 50u);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(squares[static_cast<std::size_t>(i)], i * i);
  EXPECT_EQ(log->most_running, 7);
}

TEST_P(Gather, OfNothingReturnsNothing) {
  Bed bed(GetParam());
  EXPECT_TRUE(bed.run(gather(std::vector<Task<int>>())).empty());
  EXPECT_TRUE(bed.run(gather_outcomes(std::vector<Task<int>>())).empty());
}

TEST_P(Gather, RunsTasksWithoutResults) {
  Bed bed(GetParam());
  auto log = std::make_shared<Log>();
  std::vector<Task<void>> tasks;
  for (int i = 0; i < 500; ++i) tasks.push_back(only_count(log));
  bed.run(gather(std::move(tasks)));
  EXPECT_EQ(log->ended, 500);
}

TEST_P(Gather, FirstErrorCancelsTheOthersAndAwaitsThem) {  // BT-3
  Bed bed(GetParam());
  auto log = std::make_shared<Log>();
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 200; ++i) tasks.push_back(patient(log, bed.live()));
  tasks.push_back(item(200, 4, true, log, bed.live()));
  for (int i = 0; i < 10; ++i) tasks.push_back(patient(log, bed.live()));
  try {
    bed.run(gather(std::move(tasks), at_most(201)));
    ADD_FAILURE() << "no error";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.index, 200);
  }
  EXPECT_EQ(log->begun, 201) << "a task began after the failure";
  EXPECT_EQ(log->running, 0) << "the error was thrown while a task still ran";
  EXPECT_EQ(log->cancelled, 200);
}

TEST_P(Gather, CancellationReachesEveryTask) {  // AS-4
  Bed bed(GetParam());
  auto log = std::make_shared<Log>();
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 300; ++i) tasks.push_back(patient(log, bed.live()));
  auto running = bed.start(gather(std::move(tasks), at_most(250)));
  running.cancel();
  EXPECT_TRUE(is_aborted([&] { running.get(); }));
  EXPECT_EQ(log->running, 0);
  EXPECT_EQ(log->cancelled, log->begun);
}

TEST_P(Gather, OutcomesEndWithTheirCallersCancellation) {
  Bed bed(GetParam());
  auto log = std::make_shared<Log>();
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(patient(log, bed.live()));
  auto running = bed.start(gather_outcomes(std::move(tasks)));
  running.cancel();
  EXPECT_TRUE(is_aborted([&] { running.get(); }));
  EXPECT_EQ(log->running, 0);
}

/// Cancels itself from inside by failing a nested gather; the outer one goes on.
Task<int> nested(int i, std::shared_ptr<Log> log, Live live) {
  std::vector<Task<int>> tasks;
  for (int j = 0; j < 4; ++j) tasks.push_back(patient(log, live));
  tasks.push_back(item(i, i, true, log, live));
  const auto values = co_await gather(std::move(tasks));
  co_return values.front();
}

TEST_P(Gather, NestsWithoutMixingCancellations) {
  Bed bed(GetParam());
  auto log = std::make_shared<Log>();
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 30; ++i) tasks.push_back(nested(i, log, bed.live()));
  const auto outcomes = bed.run(gather_outcomes(std::move(tasks), at_most(4)));
  for (int i = 0; i < 30; ++i) {
    try {
      outcomes[static_cast<std::size_t>(i)].value();
      ADD_FAILURE() << "no error";
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.index, i);
    }
  }
  EXPECT_EQ(log->running, 0);
}

// BT-1: an outcome per task, in input order, whatever fails and however long it takes.
TEST_P(Gather, OutcomesMatchTheirTasksUnderRandomFailuresAndDelays) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Bed bed(GetParam());
  for (std::size_t round = 0; round < rounds(30); ++round) {
    auto log = std::make_shared<Log>();
    const int count = static_cast<int>(random() % 80);
    const std::size_t limit = random() % 12;
    std::vector<bool> fails;
    std::vector<Task<int>> tasks;
    for (int i = 0; i < count; ++i) {
      fails.push_back(random() % 3 == 0);
      tasks.push_back(item(i, static_cast<int>(random() % 30), fails.back(), log, bed.live()));
    }
    const auto outcomes = bed.run(gather_outcomes(std::move(tasks), at_most(limit)));
    ASSERT_EQ(outcomes.size(), static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      const auto& outcome = outcomes[static_cast<std::size_t>(i)];
      ASSERT_EQ(outcome.has_value(), !fails[static_cast<std::size_t>(i)]);
      if (outcome) {
        EXPECT_EQ(outcome.value(), i * i);
      } else {
        EXPECT_EQ(message_of(outcome.error()), "task " + std::to_string(i));
      }
    }
    EXPECT_EQ(log->running, 0);
    EXPECT_EQ(log->ended, count);
    EXPECT_LE(log->most_running, limit > 0 ? static_cast<int>(limit) : count);
  }
}

// BT-3 under random failures, delays and cancellations from outside.
TEST_P(Gather, NothingRunsAfterItsEnd) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Bed bed(GetParam());
  for (std::size_t round = 0; round < rounds(30); ++round) {
    auto log = std::make_shared<Log>();
    const int count = 1 + static_cast<int>(random() % 80);
    bool any_fails = false;
    std::vector<Task<int>> tasks;
    for (int i = 0; i < count; ++i) {
      const bool fails = random() % 40 == 0;
      any_fails = any_fails || fails;
      tasks.push_back(item(i, static_cast<int>(random() % 30), fails, log, bed.live()));
    }
    auto running = bed.start(gather(std::move(tasks), at_most(random() % 12)));
    const bool cancels = random() % 2 == 0;
    if (cancels) {
      if (random() % 2 == 0) bed.run(yield(static_cast<int>(random() % 40)));
      running.cancel();
    }
    try {
      EXPECT_EQ(running.get().size(), static_cast<std::size_t>(count));
      EXPECT_FALSE(any_fails);
    } catch (const Failure&) {
      EXPECT_TRUE(any_fails);
    } catch (...) {
      EXPECT_TRUE(cancels && is_cancelled(std::current_exception()));
    }
    EXPECT_EQ(log->running, 0);
    EXPECT_EQ(log->begun, log->ended);
  }
}

TEST_P(Gather, TenThousandTasksAtALimitOfAThousand) {  // AS-2
  Bed bed(GetParam());
  auto log = std::make_shared<Log>();
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 10'000; ++i) tasks.push_back(together(i, 1000, log, bed.live()));
  const auto values = bed.run(gather(std::move(tasks), at_most(1000)));
  EXPECT_EQ(values.size(), 10'000u);
  EXPECT_EQ(log->most_running, 1000);
}

TEST(Outcome, DefaultHoldsNothing) {
  Outcome<int> outcome;
  EXPECT_FALSE(outcome.has_value());
  EXPECT_THROW(outcome.value(), std::bad_optional_access);
  EXPECT_THROW(Outcome<void>().value(), std::bad_optional_access);
}

}  // namespace
}  // namespace ragstone::test
