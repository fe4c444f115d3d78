#include "support/rounds.hpp"
#include "unit/async/bed.hpp"
#include <ragstone/async/single_flight.hpp>
#include <ragstone/async/task_scope.hpp>

#include <optional>
#include <random>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

using namespace std::chrono_literals;

class TaskScopeTest : public EveryPlace {};
RAGSTONE_EVERY_PLACE(TaskScopeTest);
class SharedOperationTest : public EveryPlace {};
RAGSTONE_EVERY_PLACE(SharedOperationTest);

Task<void> wait_forever(Live live) {
  const Live kept(live);
  co_await forever();
}

Task<void> count(std::shared_ptr<std::atomic<int>> counter, int yields, Live live) {
  const Live kept(live);
  co_await yield(yields);
  ++*counter;
}

Task<void> fall() {
  co_await yield();
  throw std::out_of_range("fell");
}

TEST_P(TaskScopeTest, JoinWaitsForAllTasks) {
  Bed bed(GetParam());
  TaskScope scope(bed.runtime());
  auto counter = std::make_shared<std::atomic<int>>(0);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(scope.spawn(count(counter, i % 7, bed.live())));
  bed.run(scope.join());
  EXPECT_EQ(*counter, 50);
  EXPECT_EQ(scope.running(), 0u);
  bed.run(scope.join());
}

TEST_P(TaskScopeTest, CancelEndsTasksAndRefusesNewOnes) {
  Bed bed(GetParam());
  TaskScope scope(bed.runtime());
  for (int i = 0; i < 5; ++i) scope.spawn(wait_forever(bed.live()));
  scope.cancel();
  EXPECT_FALSE(scope.spawn(wait_forever(bed.live())));
  bed.run(scope.join());
  EXPECT_EQ(scope.failed(), 0u);
  EXPECT_EQ(bed.alive(), 0u);
}

TEST_P(TaskScopeTest, CountsFailures) {
  Bed bed(GetParam());
  TaskScope scope(bed.runtime());
  scope.spawn(fall());
  bed.run(scope.join());
  EXPECT_EQ(scope.failed(), 1u);
}

TEST_P(TaskScopeTest, JoinHonoursADeadline) {
  Bed bed(GetParam());
  TaskScope scope(bed.runtime());
  scope.spawn(wait_forever(bed.live()));
  const CallContext context = CallContext().with_timeout(1ms);
  EXPECT_EQ(code_of([&] { bed.run(scope.join(context)); }), Errc::timeout);
  EXPECT_EQ(scope.running(), 1u);
}

TEST_P(TaskScopeTest, DestructorCancelsAndDoesNotWait) {
  Bed bed(GetParam());
  {
    TaskScope scope(bed.runtime());
    scope.spawn(wait_forever(bed.live()));
  }
  while (bed.alive() > 0) bed.run(yield());
}

TEST_P(TaskScopeTest, RuntimeEndsTasksOfALivingScope) {
  Bed bed(GetParam());
  auto token = std::make_shared<int>();
  std::optional<TaskScope> scope;
  {
    Runtime runtime;
    scope.emplace(runtime);
    scope->spawn(wait_forever(Live(token)));
  }
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_FALSE(scope->spawn(wait_forever(Live(token))));
  bed.run(scope->join());
}

Task<void> step(std::shared_ptr<std::atomic<int>> runs, std::shared_ptr<std::atomic<bool>> go, Live live) {
  const Live kept(live);
  ++*runs;
  while (!*go) co_await yield();
}

TEST_P(SharedOperationTest, RunsOnceForAllWhoWait) {
  Bed bed(GetParam());
  TaskScope scope(bed.runtime());
  const SharedOperation operation;
  auto runs = std::make_shared<std::atomic<int>>(0);
  auto go = std::make_shared<std::atomic<bool>>(false);
  std::vector<Running<void>> callers;
  for (int i = 0; i < 10; ++i) callers.push_back(bed.start(operation.run(scope, step(runs, go, bed.live()))));
  EXPECT_TRUE(operation.running());
  EXPECT_FALSE(operation.start(scope, step(runs, go, bed.live())));
  *go = true;
  for (auto& caller : callers) caller.get();
  EXPECT_EQ(*runs, 1);
  EXPECT_FALSE(operation.running());
  bed.run(operation.run(scope, step(runs, go, bed.live())));
  EXPECT_EQ(*runs, 2);
  bed.run(operation.wait());
}

TEST_P(SharedOperationTest, WaitersEndAloneAndTheRunGoesOn) {
  Bed bed(GetParam());
  TaskScope scope(bed.runtime());
  const SharedOperation operation;
  auto runs = std::make_shared<std::atomic<int>>(0);
  auto go = std::make_shared<std::atomic<bool>>(false);
  auto cancelled = bed.start(operation.run(scope, step(runs, go, bed.live())));
  const CallContext context = CallContext().with_timeout(1ms);
  EXPECT_EQ(code_of([&] { bed.run(operation.wait(context)); }), Errc::timeout);
  cancelled.cancel();
  EXPECT_TRUE(is_aborted([&] { cancelled.get(); }));
  EXPECT_TRUE(operation.running());
  auto patient = bed.start(operation.wait());
  *go = true;
  patient.get();
  EXPECT_EQ(*runs, 1);
}

TEST_P(SharedOperationTest, ErrorsGoToAllWaiters) {
  Bed bed(GetParam());
  TaskScope scope(bed.runtime());
  const SharedOperation operation;
  std::vector<Running<void>> callers;
  for (int i = 0; i < 5; ++i) callers.push_back(bed.start(operation.run(scope, fall())));
  for (auto& caller : callers) EXPECT_THROW(caller.get(), std::out_of_range);
  EXPECT_EQ(scope.failed(), 0u);
}

TEST_P(SharedOperationTest, EndsWithItsOwner) {
  Bed bed(GetParam());
  const SharedOperation operation;
  auto scope = std::make_unique<TaskScope>(bed.runtime());
  auto caller = bed.start(operation.run(*scope, wait_forever(bed.live())));
  scope->cancel();
  EXPECT_TRUE(is_aborted([&] { caller.get(); }));
  EXPECT_EQ(code_of([&] { operation.start(*scope, wait_forever(bed.live())); }), Errc::closed);
  EXPECT_FALSE(operation.running());
}

TEST_P(SharedOperationTest, RacesEndEveryWaiter) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Bed bed(GetParam());
  TaskScope scope(bed.runtime());
  const SharedOperation operation;
  auto counter = std::make_shared<std::atomic<int>>(0);
  for (std::size_t round = 0; round < rounds(30); ++round) {
    std::vector<Running<void>> callers;
    for (int i = 0; i < 20; ++i) {
      CallContext context;
      if (random() % 4 == 0) context = context.with_timeout(std::chrono::microseconds(random() % 100));
      auto task = count(counter, static_cast<int>(random() % 4), bed.live());
      callers.push_back(bed.start(operation.run(scope, std::move(task), context)));
      if (random() % 4 == 0) callers[random() % callers.size()].cancel();
    }
    for (auto& caller : callers) {
      try {
        caller.get();
      } catch (...) {
        const auto error = std::current_exception();
        EXPECT_TRUE(is_cancelled(error) || errc_of(error) == Errc::timeout) << message_of(error);
      }
    }
  }
  bed.run(operation.wait());
  EXPECT_FALSE(operation.running());
  EXPECT_GT(*counter, 0);
}

}  // namespace
}  // namespace ragstone::test
