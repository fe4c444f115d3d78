// N5 with the default options, in a time of the test's own: what a thousand clients of a server that fails do to it,
// and how soon they are served again.

#include <ragstone/http/retry.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

using namespace std::chrono_literals;

/// Clients that ask again and again, through one RetryBudget as the clients of a ModelServer do, in simulated time.
class Storm {
 public:
  using Time = RetryBudget::TimePoint;

  Storm(double failure_rate, std::string retry_after, unsigned seed)
      : failure_rate_(failure_rate), retry_after_(std::move(retry_after)), random_(seed) {
    for (int client = 0; client < 1'000; ++client) at(start_ + random_time(200ms), [this] { begin_call(); });
  }

  void run_until(Time end) {
    while (!events_.empty() && events_.begin()->first <= end) {
      now_ = events_.begin()->first;
      const auto event = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      event();
    }
    now_ = end;
  }
  void heal() { failure_rate_ = 0; }

  Time now() const { return now_; }
  std::size_t calls = 0;
  std::size_t attempts = 0;
  std::size_t refused = 0;  ///< Calls, by the breaker.
  std::optional<Time> last_failure;
  std::optional<Time> last_success;

 private:
  void at(Time time, std::function<void()> event) { events_.emplace(time, std::move(event)); }
  std::chrono::microseconds random_time(std::chrono::microseconds most) {
    return std::chrono::microseconds(random_() % static_cast<unsigned>(most.count()));
  }
  double random() { return std::uniform_real_distribution<double>()(random_); }

  void begin_call() {
    ++calls;
    if (budget_.begin_call(now_)) {
      ++refused;
      last_failure = now_;
      return next_call();
    }
    attempt(0);
  }
  void next_call() {
    at(now_ + 20ms + random_time(200ms), [this] { begin_call(); });
  }
  void attempt(std::uint32_t retries) {
    ++attempts;
    const bool fails = random() < failure_rate_;
    at(now_ + 20ms + random_time(100ms), [this, retries, fails] { end_attempt(retries, fails); });
  }
  void end_attempt(std::uint32_t retries, bool fails) {
    if (!fails) {
      budget_.attempt_succeeded();
      last_success = now_;
      return next_call();
    }
    budget_.attempt_failed(now_);
    AttemptEnd end;
    end.status = random_() % 2 == 0 ? 429 : 503;
    end.retry_after = retry_after_;
    const auto delay = retry_delay(options_, end, retries, random(), std::chrono::system_clock::time_point());
    if (delay && budget_.begin_retry(now_)) {
      at(now_ + *delay, [this, retries] { attempt(retries + 1); });
    } else {
      last_failure = now_;
      next_call();
    }
  }

  const RetryOptions options_;
  RetryBudget budget_{options_};
  double failure_rate_;
  const std::string retry_after_;
  std::mt19937 random_;
  const Time start_{1h};
  Time now_ = start_;
  std::multimap<Time, std::function<void()>> events_;
};

TEST(Storm, AThousandClientsMakeNoMoreThanATenthMoreAttemptsAndAreServedTwoSecondsAfterTheEnd) {
  unsigned seed = 0;
  for (const double failure_rate : {0.1, 0.5, 0.9, 1.0})
    for (const char* retry_after : {"", "1", "2"}) {
      SCOPED_TRACE(std::to_string(failure_rate) + ", Retry-After: " + retry_after);
      Storm storm(failure_rate, retry_after, ++seed);
      storm.run_until(storm.now() + 30s);
      EXPECT_LE(static_cast<double>(storm.attempts), 1.1 * static_cast<double>(storm.calls));
      EXPECT_LE(storm.attempts - std::min(storm.attempts, storm.calls - storm.refused),
                (storm.calls - storm.refused) / 10 + 10 * 4)
          << "also of the calls that were not refused, but for the floor";
      const Storm::Time healed = storm.now();
      storm.heal();
      storm.run_until(healed + 10s);
      EXPECT_LE(storm.last_failure.value(), healed + 2s) << "calls still fail";
      EXPECT_GE(storm.last_success.value(), healed + 9s);
    }
}

}  // namespace
}  // namespace ragstone
