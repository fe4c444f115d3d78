#include "support/counting_executor.hpp"

#include "unit/async/bed.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/async/offload.hpp>

#include <ctime>

#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>
#include <poll.h>

namespace ragstone::test {
namespace {

namespace asio = boost::asio;

void burn(std::chrono::nanoseconds cpu) {
  const std::clock_t end = std::clock() + cpu.count() * CLOCKS_PER_SEC / 1'000'000'000;
  while (std::clock() < end) {
  }
}

TEST(CountingExecutor, CountsHandlersThatUseTooMuchCpu) {
  asio::io_context context;
  HandlerMeter meter(std::chrono::milliseconds(5), std::chrono::milliseconds(5));
  const asio::any_io_executor executor = CountingExecutor(context.get_executor(), meter);
  asio::post(executor, [] { burn(std::chrono::milliseconds(30)); });
  asio::post(executor, [] {});
  context.run();
  EXPECT_EQ(meter.handlers(), 2u);
  EXPECT_EQ(meter.slow(), 1u);
  EXPECT_EQ(meter.blocking(), 0u);
  EXPECT_GT(meter.longest_cpu(), std::chrono::milliseconds(5));
}

TEST(CountingExecutor, CountsHandlersThatSleep) {
  asio::io_context context;
  HandlerMeter meter(std::chrono::milliseconds(5), std::chrono::milliseconds(5));
  const asio::any_io_executor executor = CountingExecutor(context.get_executor(), meter);
  asio::post(executor, [] { ::poll(nullptr, 0, 30); });
  context.run();
  EXPECT_EQ(meter.slow(), 0u);
  EXPECT_EQ(meter.blocking(), 1u);
}

Task<int> heavy(Pool pool, Lane lane) {
  Work<int> work;
  work.set([](const StopToken&) {
    burn(std::chrono::milliseconds(2));
    return 1;
  });
  co_return co_await offload(pool, lane, std::move(work));
}

Task<int> heavy_batch(Pool pool) {
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 200; ++i) tasks.push_back(heavy(pool, i % 4 == 0 ? Lane::background : Lane::foreground));
  GatherOptions options;
  options.limit = 50;
  int sum = 0;
  const std::vector<int> ones = co_await gather(std::move(tasks), options);
  for (const int one : ones) sum += one;
  co_return sum;
}

Task<void> small_batch() {
  std::vector<Task<void>> tasks;
  for (int i = 0; i < 5'000; ++i) tasks.push_back(yield());
  co_await gather(std::move(tasks));
}

// AS-1: work in the pool costs the caller's executor next to nothing, and neither do large batches.
TEST(CountingExecutor, SeesNoLongOrBlockingHandlerOfThePoolOrOfGather) {
  asio::io_context context;
  HandlerMeter meter;
  {
    Runtime runtime(CountingExecutor(context.get_executor(), meter));
    auto sum = runtime.spawn(heavy_batch(runtime.pool()), asio::use_future);
    context.run();
    EXPECT_EQ(sum.get(), 200);
  }
  context.restart();
  const asio::any_io_executor executor = CountingExecutor(context.get_executor(), meter);
  auto done = asio::co_spawn(executor, small_batch(), asio::use_future);
  context.run();
  done.get();
  EXPECT_GT(meter.handlers(), 5'000u);
  EXPECT_EQ(meter.slow(), 0u) << meter.longest_cpu().count() << " ns";
  EXPECT_EQ(meter.blocking(), 0u) << meter.longest_sleep().count() << " ns";
}

}  // namespace
}  // namespace ragstone::test
