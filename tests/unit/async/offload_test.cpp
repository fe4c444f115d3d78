#include "support/rounds.hpp"
#include "unit/async/bed.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/async/offload.hpp>
#include <ragstone/base/error.hpp>

#include <atomic>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

using namespace std::chrono_literals;

class Offload : public EveryPlace {};
RAGSTONE_EVERY_PLACE(Offload);

Task<std::string> hello(Pool pool, std::string name) {
  Work<std::string> work;
  work.set([name](const StopToken&) { return "hello " + name; });
  co_return co_await offload(pool, Lane::foreground, std::move(work));
}

Task<void> touch(Pool pool, std::shared_ptr<std::atomic<bool>> touched) {
  Work<void> work;
  work.set([touched](const StopToken&) { touched->store(true); });
  co_await offload(pool, Lane::background, std::move(work));
}

Task<int> fail(Pool pool) {
  Work<int> work;
  work.set([](const StopToken&) -> int { throw std::out_of_range("no such shelf"); });
  co_return co_await offload(pool, Lane::foreground, std::move(work));
}

/// Blocks its thread until it is asked to stop.
class Obstinate {
 public:
  void wait(const StopToken& stop) {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, stop, [] { return false; });
    ++stopped_;
    changed_.notify_all();
  }

  void until_waiting(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= count; });
  }

  void until_stopped(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  int waiting_ = 0;
  int stopped_ = 0;
};

Task<void> block(Pool pool, Lane lane, std::shared_ptr<Obstinate> obstinate, Live live, CallContext context) {
  Work<void> work;
  work.set([obstinate, live](const StopToken& stop) { obstinate->wait(stop); });
  co_await offload(pool, lane, std::move(work), context);
}

Task<std::shared_ptr<int>> late_result(Pool pool, std::shared_ptr<Obstinate> obstinate, std::weak_ptr<int>& seen) {
  auto result = std::make_shared<int>(7);
  seen = result;
  Work<std::shared_ptr<int>> work;
  work.set([obstinate, result](const StopToken& stop) {
    obstinate->wait(stop);
    return result;
  });
  result.reset();
  co_return co_await offload(pool, Lane::foreground, std::move(work));
}

TEST_P(Offload, ReturnsTheResult) {
  Bed bed(GetParam());
  EXPECT_EQ(bed.run(hello(bed.pool(), "world")), "hello world");
}

TEST_P(Offload, RunsWorkWithoutResult) {
  Bed bed(GetParam());
  auto touched = std::make_shared<std::atomic<bool>>(false);
  bed.run(touch(bed.pool(), touched));
  EXPECT_TRUE(touched->load());
}

TEST_P(Offload, PassesExceptionsOn) {
  Bed bed(GetParam());
  EXPECT_THROW(bed.run(fail(bed.pool())), std::out_of_range);
}

TEST_P(Offload, CancellationEndsTheWaitAndAsksTheJobToStop) {  // AS-4
  Bed bed(GetParam());
  auto obstinate = std::make_shared<Obstinate>();
  auto running = bed.start(block(bed.pool(), Lane::foreground, obstinate, bed.live(), CallContext()));
  obstinate->until_waiting(1);
  running.cancel();
  EXPECT_TRUE(is_aborted([&] { running.get(); }));
  obstinate->until_stopped(1);
}

TEST_P(Offload, DeadlineEndsTheWaitAndAsksTheJobToStop) {  // AS-4
  Bed bed(GetParam());
  auto obstinate = std::make_shared<Obstinate>();
  const CallContext context = CallContext().with_timeout(2ms);
  EXPECT_EQ(code_of([&] { bed.run(block(bed.pool(), Lane::foreground, obstinate, bed.live(), context)); }),
            Errc::timeout);
}

TEST_P(Offload, PastDeadlineStartsNothing) {
  Bed bed(GetParam());
  const CallContext context = CallContext().with_timeout(-1s);
  auto obstinate = std::make_shared<Obstinate>();
  EXPECT_EQ(code_of([&] { bed.run(block(bed.pool(), Lane::foreground, obstinate, bed.live(), context)); }),
            Errc::timeout);
  EXPECT_EQ(bed.pool().stats(Lane::foreground).finished, 0u);
}

TEST_P(Offload, LateResultIsDropped) {
  std::weak_ptr<int> result;
  {
    Bed bed(GetParam());
    auto obstinate = std::make_shared<Obstinate>();
    auto running = bed.start(late_result(bed.pool(), obstinate, result));
    obstinate->until_waiting(1);
    running.cancel();
    EXPECT_TRUE(is_aborted([&] { running.get(); }));
  }
  EXPECT_TRUE(result.expired());
}

TEST_P(Offload, JobCancelledInTheQueueNeverRuns) {
  Bed bed(GetParam(), 1);
  auto obstinate = std::make_shared<Obstinate>();
  auto first = bed.start(block(bed.pool(), Lane::foreground, obstinate, bed.live(), CallContext()));
  obstinate->until_waiting(1);
  auto touched = std::make_shared<Obstinate>();
  auto second = bed.start(block(bed.pool(), Lane::foreground, touched, bed.live(), CallContext().with_timeout(1ms)));
  EXPECT_EQ(code_of([&] { second.get(); }), Errc::timeout);
  first.cancel();
  EXPECT_TRUE(is_aborted([&] { first.get(); }));
}

TEST_P(Offload, BackgroundWorkNeverBlocksTheForeground) {
  Bed bed(GetParam(), 2);
  auto obstinate = std::make_shared<Obstinate>();
  std::vector<Running<void>> builds;
  for (int i = 0; i < 8; ++i)
    builds.push_back(bed.start(block(bed.pool(), Lane::background, obstinate, bed.live(), CallContext())));
  obstinate->until_waiting(1);
  EXPECT_EQ(bed.run(hello(bed.pool(), "query")), "hello query");
  EXPECT_EQ(bed.pool().stats(Lane::background).threads, 1u);
  for (auto& build : builds) build.cancel();
  for (auto& build : builds) EXPECT_TRUE(is_aborted([&] { build.get(); }));
}

TEST_P(Offload, RefusesWorkThatWasNeverSet) {
  Bed bed(GetParam());
  EXPECT_EQ(code_of([&] { bed.run(offload(bed.pool(), Lane::foreground, Work<int>())); }), Errc::invalid_argument);
}

TEST_P(Offload, RefusesWorkOnceTheRuntimeIsGone) {
  Bed bed(GetParam());
  Pool pool;
  {
    Runtime gone;
    pool = gone.pool();
  }
  EXPECT_EQ(code_of([&] { bed.run(hello(pool, "nobody")); }), Errc::closed);
  EXPECT_EQ(code_of([&] { bed.run(hello(Pool(), "nobody")); }), Errc::closed);
}

Task<int> spin(Pool pool, Lane lane, int turns, Live live, CallContext context) {
  Work<int> work;
  work.set([turns, live](const StopToken& stop) {
    for (int i = 0; i < turns; ++i) {
      throw_if_stopped(stop);
      std::this_thread::yield();
    }
    return turns;
  });
  co_return co_await offload(pool, lane, std::move(work), context);
}

Task<int> ask_in_turn(Pool pool, int questions, Live live) {
  int sum = 0;
  for (int i = 0; i < questions; ++i) sum += co_await spin(pool, Lane::foreground, i % 3, live, CallContext());
  co_return sum;
}

// A thread that has just finished a job looks out for the next one.
TEST_P(Offload, JobsThatFollowOneAnotherRunOnceEach) {
  Bed bed(GetParam());
  const int questions = 300;
  const std::uint64_t before = bed.pool().stats(Lane::foreground).finished;
  std::vector<Running<int>> calls;
  for (int i = 0; i < 3; ++i) calls.push_back(bed.start(ask_in_turn(bed.pool(), questions, bed.live())));
  for (Running<int>& call : calls) EXPECT_EQ(call.get(), questions);
  const LaneStats stats = bed.pool().stats(Lane::foreground);
  EXPECT_EQ(stats.finished - before, 3U * questions);
  EXPECT_EQ(stats.queued, 0U);
}

// Jobs race against cancellations and deadlines at random points; every call ends in one of the promised ways and the
// pool and the Bed account for every job and object.
TEST_P(Offload, RacesOfJobsAndCancellationsLeaveNothingBehind) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Bed bed(GetParam());
  std::uint64_t submitted = 0;
  for (std::size_t round = 0; round < rounds(30); ++round) {
    std::vector<Running<int>> calls;
    std::vector<int> turns;
    for (int i = 0; i < 20; ++i) {
      turns.push_back(static_cast<int>(random() % 40));
      CallContext context;
      if (random() % 4 == 0) context = context.with_timeout(std::chrono::microseconds(random() % 400));
      const Lane lane = random() % 2 == 0 ? Lane::foreground : Lane::background;
      calls.push_back(bed.start(spin(bed.pool(), lane, turns.back(), bed.live(), context)));
    }
    for (std::size_t i = 0; i < calls.size(); ++i)
      if (random() % 2 == 0) calls[random() % calls.size()].cancel();
    for (std::size_t i = 0; i < calls.size(); ++i) {
      try {
        EXPECT_EQ(calls[i].get(), turns[i]);
      } catch (...) {
        const auto error = std::current_exception();
        EXPECT_TRUE(is_cancelled(error) || errc_of(error) == Errc::timeout) << message_of(error);
      }
    }
    submitted += calls.size();
  }
  const std::uint64_t finished =
      bed.pool().stats(Lane::foreground).finished + bed.pool().stats(Lane::background).finished;
  EXPECT_LE(finished, submitted);
}

}  // namespace
}  // namespace ragstone::test
