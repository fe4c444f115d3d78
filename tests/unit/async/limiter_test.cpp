#include "support/rounds.hpp"
#include "unit/async/bed.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/async/limiter.hpp>

#include <algorithm>
#include <atomic>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

using namespace std::chrono_literals;

class LimiterTest : public EveryPlace {};
RAGSTONE_EVERY_PLACE(LimiterTest);

/// How many hold a permit now and at most; touched from many threads.
class Gauge {
 public:
  void enter() {
    const int now = ++inside_;
    int most = most_;
    while (most < now && !most_.compare_exchange_weak(most, now)) {
    }
  }
  void leave() { --inside_; }
  int inside() const { return inside_; }
  int most() const { return most_; }

 private:
  std::atomic<int> inside_ = 0;
  std::atomic<int> most_ = 0;
};

class Visit {
 public:
  explicit Visit(std::shared_ptr<Gauge> gauge) : gauge_(std::move(gauge)) { gauge_->enter(); }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit() { gauge_->leave(); }

 private:
  std::shared_ptr<Gauge> gauge_;
};

Task<void> visit(Limiter limiter, std::shared_ptr<Gauge> gauge, int yields, Live live, CallContext context) {
  const Live kept(live);
  const Permit permit = co_await limiter.acquire(context);
  const Visit inside(gauge);
  co_await yield(yields);
}

Task<void> hold(Limiter limiter, std::shared_ptr<std::promise<void>> held) {
  const Permit permit = co_await limiter.acquire();
  held->set_value();
  co_await forever();
}

Running<void> hold_one(Bed& bed, const Limiter& limiter) {
  auto held = std::make_shared<std::promise<void>>();
  auto running = bed.start(hold(limiter, held));
  held->get_future().get();
  return running;
}

void until_waiting(Bed& bed, const Limiter& limiter, std::size_t count) {
  while (limiter.waiting() < count) bed.run(yield());
}

Task<void> take_number(Limiter limiter, int number, std::shared_ptr<std::vector<int>> order) {
  const Permit permit = co_await limiter.acquire();
  order->push_back(number);
}

TEST_P(LimiterTest, ServesInOrderOfArrival) {
  Bed bed(GetParam());
  const Limiter limiter(1);
  auto holder = hold_one(bed, limiter);
  auto order = std::make_shared<std::vector<int>>();
  std::vector<Running<void>> callers;
  for (int i = 0; i < 20; ++i) {
    callers.push_back(bed.start(take_number(limiter, i, order)));
    until_waiting(bed, limiter, static_cast<std::size_t>(i) + 1);
  }
  EXPECT_FALSE(limiter.try_acquire());
  holder.cancel();
  for (auto& caller : callers) caller.get();
  EXPECT_TRUE(std::ranges::is_sorted(*order));
  EXPECT_EQ(order->size(), 20u);
  EXPECT_TRUE(is_aborted([&] { holder.get(); }));
  EXPECT_EQ(limiter.available(), 1u);
}

TEST_P(LimiterTest, DeadlineEndsTheWaitOnly) {
  Bed bed(GetParam());
  const Limiter limiter(1);
  auto gauge = std::make_shared<Gauge>();
  auto holder = hold_one(bed, limiter);
  const CallContext context = CallContext().with_timeout(1ms);
  EXPECT_EQ(code_of([&] { bed.run(visit(limiter, gauge, 0, bed.live(), context)); }), Errc::timeout);
  EXPECT_EQ(limiter.waiting(), 0u);
  holder.cancel();
  EXPECT_TRUE(is_aborted([&] { holder.get(); }));
  bed.run(visit(limiter, gauge, 0, bed.live(), CallContext()));
  EXPECT_EQ(limiter.available(), 1u);
}

TEST_P(LimiterTest, CancelledCallersLeaveTheLine) {
  Bed bed(GetParam());
  const Limiter limiter(1);
  auto gauge = std::make_shared<Gauge>();
  auto holder = hold_one(bed, limiter);
  auto waiting = bed.start(visit(limiter, gauge, 0, bed.live(), CallContext()));
  until_waiting(bed, limiter, 1);
  waiting.cancel();
  EXPECT_TRUE(is_aborted([&] { waiting.get(); }));
  EXPECT_EQ(limiter.waiting(), 0u);
  holder.cancel();
  EXPECT_TRUE(is_aborted([&] { holder.get(); }));
  EXPECT_EQ(limiter.available(), 1u);
}

TEST_P(LimiterTest, ThatIsEmptyLimitsNothing) {
  Bed bed(GetParam());
  auto gauge = std::make_shared<Gauge>();
  bed.run(visit(Limiter(), gauge, 1, bed.live(), CallContext()));
  EXPECT_EQ(Limiter().limit(), 0u);
}

TEST(Limiter, NeedsAPermit) {
  EXPECT_EQ(code_of([] { Limiter limiter(0); }), Errc::invalid_argument);
}

TEST(Limiter, PermitsMoveAndAreGivenBackOnce) {
  const Limiter limiter(2);
  Permit first = limiter.try_acquire();
  Permit second = limiter.try_acquire();
  EXPECT_FALSE(limiter.try_acquire());
  Permit moved = std::move(first);
  moved = std::move(second);
  EXPECT_EQ(limiter.available(), 1u);
  moved.release();
  moved.release();
  EXPECT_EQ(limiter.available(), 2u);
}

Task<void> batch(Limiter limiter, std::shared_ptr<Gauge> gauge, Live live) {
  std::vector<Task<void>> tasks;
  for (int i = 0; i < 40; ++i) tasks.push_back(visit(limiter, gauge, i % 3, live, CallContext()));
  co_await gather(std::move(tasks));
}

// BT-2: one limit for a client, however many batches share it, on however many executors.
TEST_P(LimiterTest, IsSharedByBatchesOnDifferentExecutors) {
  Bed bed(GetParam());
  const Limiter limiter(3);
  auto gauge = std::make_shared<Gauge>();
  std::vector<Running<void>> batches;
  for (int i = 0; i < 8; ++i) batches.push_back(bed.start(batch(limiter, gauge, bed.live())));
  for (auto& running : batches) running.get();
  EXPECT_EQ(gauge->most(), 3);
  EXPECT_EQ(limiter.available(), 3u);
}

// BT-2, AS-4: whatever is cancelled or times out at whatever point, no permit is lost and none is invented.
TEST_P(LimiterTest, RacesLoseNoPermit) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Bed bed(GetParam());
  for (std::size_t round = 0; round < rounds(40); ++round) {
    const std::size_t permits = 1 + random() % 4;
    const Limiter limiter(permits);
    auto gauge = std::make_shared<Gauge>();
    std::vector<Running<void>> callers;
    for (int i = 0; i < 40; ++i) {
      CallContext context;
      if (random() % 4 == 0) context = context.with_timeout(std::chrono::microseconds(random() % 200));
      callers.push_back(bed.start(visit(limiter, gauge, static_cast<int>(random() % 5), bed.live(), context)));
      if (random() % 3 == 0) callers[random() % callers.size()].cancel();
    }
    for (auto& caller : callers) {
      try {
        caller.get();
      } catch (...) {
        const auto error = std::current_exception();
        EXPECT_TRUE(is_cancelled(error) || errc_of(error) == Errc::timeout) << message_of(error);
      }
    }
    EXPECT_LE(gauge->most(), static_cast<int>(permits));
    EXPECT_EQ(gauge->inside(), 0);
    EXPECT_EQ(limiter.waiting(), 0u);
    EXPECT_EQ(limiter.available(), permits);
  }
}

}  // namespace
}  // namespace ragstone::test
