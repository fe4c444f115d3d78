#include "support/errors.hpp"
#include <ragstone/async/offload.hpp>
#include <ragstone/async/runtime.hpp>
#include <ragstone/base/error.hpp>

#include <array>
#include <atomic>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

RuntimeOptions with_threads(std::size_t threads) {
  RuntimeOptions options;
  options.threads = threads;
  return options;
}

TEST(PoolHelpers, DoEachPieceOnce) {
  Runtime runtime(with_threads(4));
  const auto helpers = runtime.pool().helpers(Lane::foreground);
  EXPECT_EQ(helpers->width(), 4u);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::atomic<int>> done(1 + static_cast<std::size_t>(round) % 20);
    helpers->run(done.size(), [&](std::size_t piece) { ++done[piece]; });
    for (const std::atomic<int>& times : done) EXPECT_EQ(times, 1);
  }
}

TEST(PoolHelpers, WorkAtTheSameTime) {
  Runtime runtime(with_threads(2));
  std::latch both(2);
  std::array<std::thread::id, 2> threads;
  runtime.pool().helpers(Lane::foreground)->run(2, [&](std::size_t piece) {
    threads[piece] = std::this_thread::get_id();
    both.arrive_and_wait();  // one thread alone would wait for ever
  });
  EXPECT_NE(threads[0], std::thread::id());
  EXPECT_NE(threads[1], std::thread::id());
  EXPECT_NE(threads[0], threads[1]);
}

Task<void> wait_for(Pool pool, std::shared_ptr<std::latch> latch) {
  Work<void> work;
  work.set([latch](const StopToken&) { latch->wait(); });
  co_await offload(pool, Lane::foreground, std::move(work));
}

TEST(PoolHelpers, ThatAreBusyAreNotWaitedFor) {
  Runtime runtime(with_threads(2));
  const auto latch = std::make_shared<std::latch>(1);
  std::vector<std::future<void>> busy;
  for (int i = 0; i < 2; ++i) busy.push_back(runtime.spawn(wait_for(runtime.pool(), latch), boost::asio::use_future));
  std::atomic<int> done = 0;
  const std::thread::id caller = std::this_thread::get_id();
  while (runtime.pool().stats(Lane::foreground).running < 2) std::this_thread::yield();
  runtime.pool().helpers(Lane::foreground)->run(5, [&](std::size_t) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    ++done;
  });
  EXPECT_EQ(done, 5);
  latch->count_down();
  for (auto& job : busy) job.get();
}

TEST(PoolHelpers, GiveTheFirstExceptionToTheCallerAndBeginNothingAfterIt) {
  Runtime runtime(with_threads(2));
  std::atomic<std::size_t> begun = 0;
  const auto work = [&](std::size_t) {
    ++begun;
    throw std::runtime_error("no more");
  };
  EXPECT_THROW(runtime.pool().helpers(Lane::foreground)->run(1000, work), std::runtime_error);
  EXPECT_LE(begun, 2u);
}

TEST(PoolHelpers, LeaveAllToTheCallerOnceTheRuntimeIsGone) {
  std::shared_ptr<const Parallel> helpers;
  {
    Runtime runtime(with_threads(2));
    helpers = runtime.pool().helpers(Lane::foreground);
  }
  int done = 0;
  helpers->run(3, [&](std::size_t) { ++done; });
  EXPECT_EQ(done, 3);
  Pool().helpers(Lane::foreground)->run(3, [&](std::size_t) { ++done; });
  EXPECT_EQ(done, 6);
}

}  // namespace
}  // namespace ragstone::test
