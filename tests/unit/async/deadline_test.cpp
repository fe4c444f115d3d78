#include "support/rounds.hpp"
#include "unit/async/bed.hpp"
#include <ragstone/async/deadline.hpp>

#include <random>
#include <stdexcept>
#include <string>

#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

using namespace std::chrono_literals;

class Deadline : public EveryPlace {};
RAGSTONE_EVERY_PLACE(Deadline);

/// What a task under a deadline ends with that was started before it: it gets longer and longer until it was.
template <class Make>
auto soon(Bed& bed, Make make, bool* started) {
  for (auto time = 50ms;; time *= 4) {
    try {
      return bed.run(with_timeout(make(), time));
    } catch (const Error&) {
      if (*started || time > 1h) throw;
    }
  }
}

Task<int> answer(std::chrono::microseconds after, Live live) {
  const Live kept(live);
  co_await pause(after);
  co_return 42;
}

Task<int> never(std::shared_ptr<bool> ended, Live live, bool* started = nullptr) {
  const Live kept(live);
  if (started) *started = true;
  try {
    co_await forever();
  } catch (...) {
    *ended = true;
    throw;
  }
  co_return 0;
}

/// Ends with its value although it was cancelled.
Task<int> stubborn(bool* started) {
  *started = true;
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  try {
    co_await forever();
  } catch (...) {
  }
  co_await yield(5);
  co_return 7;
}

Task<int> spiteful(bool* started) {
  *started = true;
  try {
    co_await forever();
  } catch (...) {
  }
  throw std::out_of_range("the shelf fell");
  co_return 0;
}

Task<void> nothing() { co_await yield(); }

TEST_P(Deadline, LetsAQuickTaskPass) {
  Bed bed(GetParam());
  EXPECT_EQ(bed.run(with_timeout(answer(10us, bed.live()), 1h)), 42);
  bed.run(with_timeout(nothing(), 1h));
}

TEST_P(Deadline, IsTheTaskItselfWithoutADeadline) {
  Bed bed(GetParam());
  EXPECT_EQ(bed.run(with_deadline(answer(10us, bed.live()), CallContext())), 42);
}

TEST_P(Deadline, CancelsAndAwaitsASlowTask) {  // AS-4
  Bed bed(GetParam());
  auto ended = std::make_shared<bool>(false);
  bool started = false;
  EXPECT_EQ(code_of([&] {
              soon(
                  bed, [&] { return never(ended, bed.live(), &started); }, &started);
            }),
            Errc::timeout);
  EXPECT_TRUE(*ended);
}

TEST_P(Deadline, ThatHasPassedStartsNothing) {
  Bed bed(GetParam());
  auto ended = std::make_shared<bool>(false);
  EXPECT_EQ(code_of([&] { bed.run(with_timeout(never(ended, bed.live()), -1s)); }), Errc::timeout);
  EXPECT_FALSE(*ended);
}

TEST_P(Deadline, GivesWayToAValueThatComesInSpiteOfIt) {
  Bed bed(GetParam());
  bool started = false;
  EXPECT_EQ(soon(
                bed, [&] { return stubborn(&started); }, &started),
            7);
}

TEST_P(Deadline, GivesWayToATasksOwnError) {
  Bed bed(GetParam());
  bool started = false;
  EXPECT_THROW(soon(
                   bed, [&] { return spiteful(&started); }, &started),
               std::out_of_range);
}

TEST_P(Deadline, CancellationFromOutsideStaysACancellation) {
  Bed bed(GetParam());
  auto ended = std::make_shared<bool>(false);
  auto running = bed.start(with_timeout(never(ended, bed.live()), 1h));
  bed.run(yield(3));
  running.cancel();
  EXPECT_TRUE(is_aborted([&] { running.get(); }));
}

Task<int> twice(std::shared_ptr<bool> ended, Live live) {
  try {
    co_await with_timeout(never(ended, live), 1ms);
  } catch (const Error&) {
  }
  co_return co_await answer(1us, live);
}

TEST_P(Deadline, LeavesItsCallerUncancelled) {
  Bed bed(GetParam());
  auto ended = std::make_shared<bool>(false);
  EXPECT_EQ(bed.run(with_timeout(twice(ended, bed.live()), 1h)), 42);
}

TEST_P(Deadline, RacesWithTheTasksEnd) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Bed bed(GetParam());
  for (std::size_t i = 0; i < rounds(200); ++i) {
    const std::chrono::microseconds work(random() % 200);
    const std::chrono::microseconds limit(random() % 200);
    try {
      EXPECT_EQ(bed.run(with_timeout(answer(work, bed.live()), limit)), 42);
    } catch (const Error& error) {
      EXPECT_EQ(error.errc(), Errc::timeout);
    }
  }
}

}  // namespace
}  // namespace ragstone::test
