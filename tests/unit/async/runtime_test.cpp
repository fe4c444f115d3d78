#include "support/rounds.hpp"
#include "unit/async/bed.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/async/offload.hpp>
#include <ragstone/async/runtime.hpp>

#include <algorithm>
#include <future>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

namespace ragstone::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

class RuntimeTest : public EveryPlace {};
RAGSTONE_EVERY_PLACE(RuntimeTest);

Task<std::string> shout(std::string text) {
  co_await yield();
  co_return text + "!";
}

Task<std::string> stumble() {
  co_await yield();
  throw std::out_of_range("stumbled");
  co_return std::string();
}

Task<int> block_again(Runtime& runtime) {
  co_await yield();
  co_return runtime.run(shout("never")).empty() ? 0 : 1;
}

TEST(Runtime, RunsATaskOnItsOwnLoop) {
  Runtime runtime;
  EXPECT_TRUE(runtime.owns_loop());
  EXPECT_EQ(runtime.run(shout("hello")), "hello!");
  EXPECT_THROW(runtime.run(stumble()), std::out_of_range);
  runtime.run(yield(10));
  EXPECT_EQ(runtime.operations(), 0u);
}

TEST(Runtime, RunIsRefusedInsideTheLoop) {
  Runtime runtime;
  EXPECT_EQ(code_of([&] { runtime.run(block_again(runtime)); }), Errc::invalid_argument);
}

TEST(Runtime, RunIsRefusedOnACallersExecutor) {
  asio::io_context context;
  Runtime runtime(context.get_executor());
  EXPECT_FALSE(runtime.owns_loop());
  EXPECT_EQ(code_of([&] { runtime.run(shout("never")); }), Errc::invalid_argument);
}

TEST(Runtime, RefusesWrongOptions) {
  EXPECT_EQ(code_of([] { Runtime runtime{asio::any_io_executor()}; }), Errc::invalid_argument);
  asio::io_context context;
  RuntimeOptions options;
  options.foreground_executor = context.get_executor();
  EXPECT_EQ(code_of([&] { Runtime runtime(options); }), Errc::invalid_argument);
}

TEST(Runtime, UsesACallersPools) {
  asio::thread_pool threads(2);
  RuntimeOptions options;
  options.foreground_executor = threads.get_executor();
  options.background_executor = threads.get_executor();
  Runtime runtime(options);
  Work<int> work;
  work.set([](const StopToken&) { return 5; });
  EXPECT_EQ(runtime.run(offload(runtime.pool(), Lane::background, std::move(work))), 5);
  EXPECT_EQ(runtime.pool().stats(Lane::background).threads, 0u);
}

TEST(Runtime, HasABackgroundThreadLeftWhereUpkeepTakesLong) {
  RuntimeOptions options;
  options.threads = 1;
  Runtime runtime(options);
  std::promise<void> release;
  Work<int> longest;
  longest.set([&](const StopToken&) {
    release.get_future().wait();
    return 1;
  });
  auto busy = runtime.spawn(offload(runtime.pool(), Lane::upkeep, std::move(longest)), asio::use_future);
  Work<int> work;
  work.set([](const StopToken&) { return 5; });
  EXPECT_EQ(runtime.run(offload(runtime.pool(), Lane::background, std::move(work))), 5);
  release.set_value();
  EXPECT_EQ(busy.get(), 1);
}

Task<std::string> await_inside(Runtime& runtime) {
  const std::string eager = co_await runtime.spawn(shout("a"), asio::use_awaitable);
  auto deferred = runtime.spawn(shout("b"), asio::deferred);
  const std::string lazy = co_await std::move(deferred)(asio::use_awaitable);
  co_return eager + lazy;
}

Task<int> niceness(Pool pool, Lane lane) {
  Work<int> work;
  work.set([](const StopToken&) { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); });
  co_return co_await offload(pool, lane, std::move(work));
}

TEST(RuntimeLanes, ThreadsForIngestGiveWayToThoseForQueries) {
  const int own = ::getpriority(PRIO_PROCESS, 0);
  RuntimeOptions options;
  options.background_niceness = 15;
  Runtime runtime(options);
  EXPECT_EQ(runtime.run(niceness(runtime.pool(), Lane::foreground)), own);
  EXPECT_EQ(runtime.run(niceness(runtime.pool(), Lane::background)), std::max(own, 15));
  EXPECT_EQ(runtime.run(niceness(runtime.pool(), Lane::writer)), std::max(own, 15));
  RuntimeOptions equal;
  equal.background_niceness = 0;
  Runtime other(equal);
  EXPECT_EQ(other.run(niceness(other.pool(), Lane::background)), std::max(own, 0));
}

TEST_P(RuntimeTest, SpawnTakesAnyToken) {
  Bed bed(GetParam());
  EXPECT_EQ(bed.runtime().spawn(shout("future"), asio::use_future).get(), "future!");
  EXPECT_EQ(bed.run(await_inside(bed.runtime())), "a!b!");
  EXPECT_THROW(bed.runtime().spawn(stumble(), asio::use_future).get(), std::out_of_range);
  bed.runtime().spawn(yield(3), asio::use_future).get();
  bed.runtime().spawn(yield(3), asio::detached);
}

TEST_P(RuntimeTest, SpawnCallsAHandlerOnItsExecutorAndNeverInsideTheCall) {
  asio::thread_pool own(1);
  Bed bed(GetParam());
  std::promise<std::thread::id> where;
  bool returned = false;
  std::mutex mutex;
  {
    std::lock_guard lock(mutex);
    auto handler = [&](std::exception_ptr error, std::string text) {
      std::lock_guard inside(mutex);
      EXPECT_TRUE(returned);
      EXPECT_FALSE(error);
      EXPECT_EQ(text, "handler!");
      where.set_value(std::this_thread::get_id());
    };
    bed.runtime().spawn(shout("handler"), asio::bind_executor(own.get_executor(), handler));
    returned = true;
  }
  std::promise<std::thread::id> own_thread;
  asio::post(own, [&] { own_thread.set_value(std::this_thread::get_id()); });
  EXPECT_EQ(where.get_future().get(), own_thread.get_future().get());
}

Task<void> wait_on(Live live, std::shared_ptr<std::promise<void>> begun) {
  const Live kept(live);
  begun->set_value();
  co_await forever();
}

TEST(Runtime, DestructorCancelsWhatRunsOnItsOwnLoop) {
  auto token = std::make_shared<int>();
  std::future<void> ended;
  {
    Runtime runtime;
    auto begun = std::make_shared<std::promise<void>>();
    ended = runtime.spawn(wait_on(Live(token), begun), asio::use_future);
    begun->get_future().get();
    EXPECT_EQ(runtime.operations(), 1u);
  }
  EXPECT_TRUE(is_aborted([&] { ended.get(); }));
  EXPECT_EQ(token.use_count(), 1);
}

Task<void> ignore_cancellation(Live live) {
  const Live kept(live);
  co_await asio::this_coro::throw_if_cancelled(false);
  while (true) {
    try {
      co_await forever();
    } catch (...) {
    }
  }
}

TEST(Runtime, DestructorDropsWhatIgnoresCancellationAfterTheGracePeriod) {
  auto token = std::make_shared<int>();
  std::future<void> ended;
  {
    RuntimeOptions options;
    options.shutdown_grace = 5ms;
    Runtime runtime(options);
    ended = runtime.spawn(ignore_cancellation(Live(token)), asio::use_future);
    runtime.run(yield(3));
  }
  EXPECT_THROW(ended.get(), std::future_error);
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Runtime, DestructorLeavesACallersExecutorToFinish) {
  auto token = std::make_shared<int>();
  asio::io_context context;
  std::future<void> ended;
  {
    Runtime runtime(context.get_executor());
    auto begun = std::make_shared<std::promise<void>>();
    ended = runtime.spawn(wait_on(Live(token), begun), asio::use_future);
    const auto started = begun->get_future();
    while (started.wait_for(0s) != std::future_status::ready) {
      context.poll();
      context.restart();
    }
  }
  context.restart();
  context.run();
  EXPECT_TRUE(is_aborted([&] { ended.get(); }));
  EXPECT_EQ(token.use_count(), 1);
}

Task<int> sleep_in_pool(Pool pool, Live live) {
  Work<int> work;
  work.set([live](const StopToken& stop) {
    while (!stop.stop_requested()) std::this_thread::yield();
    return 1;
  });
  co_return co_await offload(pool, Lane::foreground, std::move(work));
}

Task<void> sleep_in_many_ways(Pool pool, Live live) {
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 4; ++i) tasks.push_back(sleep_in_pool(pool, live));
  co_await gather(std::move(tasks));
}

// The caller's context may go first, with operations suspended in it; what other threads still do for them is harmless.
TEST(Runtime, CallersContextMayDieWithOperationsInIt) {
  auto token = std::make_shared<int>();
  auto context = std::make_unique<asio::io_context>();
  auto runtime = std::make_unique<Runtime>(context->get_executor());
  auto ended = runtime->spawn(sleep_in_many_ways(runtime->pool(), Live(token)), asio::use_future);
  while (runtime->pool().stats(Lane::foreground).running == 0) {
    context->poll();
    context->restart();
  }
  context.reset();
  EXPECT_THROW(ended.get(), std::future_error);
  runtime.reset();
  EXPECT_EQ(token.use_count(), 1);
}

TEST_P(RuntimeTest, HonoursCancellationBeforeTheFirstStep) {
  Bed bed(GetParam());
  for (std::size_t i = 0; i < rounds(50); ++i) {
    auto running = bed.start(forever());
    running.cancel();
    EXPECT_TRUE(is_aborted([&] { running.get(); }));
  }
}

TEST(Runtime, DiesCleanlyAtAnyMoment) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (std::size_t round = 0; round < rounds(20); ++round) {
    auto token = std::make_shared<int>();
    asio::thread_pool threads(2);
    {
      std::optional<Runtime> runtime;
      if (random() % 2 == 0) {
        runtime.emplace();
      } else {
        runtime.emplace(threads.get_executor());
      }
      for (std::size_t i = random() % 10; i > 0; --i)
        runtime->spawn(sleep_in_many_ways(runtime->pool(), Live(token)), asio::detached);
      for (std::size_t i = random() % 1000; i > 0; --i) std::this_thread::yield();
    }
    threads.join();
    EXPECT_EQ(token.use_count(), 1);
  }
}

}  // namespace
}  // namespace ragstone::test
