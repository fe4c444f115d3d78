#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace ragstone {

/// When a request is sent once more. Numbers are openai-python's where it has them; the delay has full jitter instead
/// (AWS Architecture Blog, "Exponential Backoff And Jitter").
class RetryOptions {
 public:
  RetryOptions() = default;

  std::uint32_t max_retries = 2;
  std::chrono::milliseconds initial_delay{500};  ///< Doubles with each retry.
  std::chrono::milliseconds max_delay{8'000};
  /// A server that asks for a longer wait is not asked again: its error is the answer.
  std::chrono::seconds longest_retry_after{120};
  /// Retries of a client within budget_window, at most this part of its calls, but always budget_floor of them: a storm
  /// of failures is not made worse.
  double budget_ratio = 0.1;
  std::uint32_t budget_floor = 10;
  std::chrono::milliseconds budget_window{20'000};
  /// After so many attempts that failed one after the other, calls fail at once for breaker_pause; then one is tried.
  /// 0: never.
  std::uint32_t breaker_failures = 50;
  std::chrono::milliseconds breaker_pause{1'000};
};

/// How an attempt ended, as far as retrying is concerned.
class AttemptEnd {
 public:
  AttemptEnd() = default;

  int status = 0;                   ///< HTTP's; 0: no reply, or one that broke off.
  std::string_view retry_after_ms;  ///< Headers of these names; empty where there are none.
  std::string_view retry_after;
  std::string_view should_retry;  ///< x-should-retry
};

/// Whether a call like this may succeed when repeated: no reply, 408, 409, 429, 500 and above.
bool is_retryable_status(int status) noexcept;

/// What `retry-after-ms`, else `Retry-After` (seconds or an HTTP date, from `now` on) asks for. None if absent,
/// malformed or not above 0.
std::optional<std::chrono::milliseconds> requested_delay(const AttemptEnd& end,
                                                         std::chrono::system_clock::time_point now) noexcept;

/// How long to wait before the next attempt; none: the attempt's error is final. `retries` were made before; `random`
/// is in [0, 1). What the server asked for is kept, with up to a tenth on top.
std::optional<std::chrono::milliseconds> retry_delay(const RetryOptions& options, const AttemptEnd& end,
                                                     std::uint32_t retries, double random,
                                                     std::chrono::system_clock::time_point now) noexcept;

/// What all calls of one client share: the budget of retries, and the circuit breaker. No I/O, no clock of its own; not
/// thread-safe.
class RetryBudget {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit RetryBudget(RetryOptions options = {}) : options_(options) {}

  /// Whether a call that began now would be refused: how long the breaker stays open.
  std::optional<std::chrono::milliseconds> refusal(TimePoint now) const noexcept;
  /// A call begins. None: go on; else the refusal().
  std::optional<std::chrono::milliseconds> begin_call(TimePoint now) noexcept;
  /// Whether a retry is within the budget; it is counted then.
  bool begin_retry(TimePoint now) noexcept;
  void attempt_succeeded() noexcept;
  void attempt_failed(TimePoint now) noexcept;
  /// The attempt was given up without an answer: another may be tried in its place.
  void attempt_abandoned() noexcept { probing_ = false; }

 private:
  void move_window(TimePoint now) noexcept;
  bool has_tripped() const noexcept;

  RetryOptions options_;
  std::optional<TimePoint> half_begin_;  ///< The window is two halves, this one and the one before.
  std::uint64_t calls_[2] = {0, 0};
  std::uint64_t retries_[2] = {0, 0};
  std::uint32_t failures_ = 0;
  TimePoint open_until_{};
  bool probing_ = false;
};

static_assert(!std::is_aggregate_v<RetryOptions> && !std::is_aggregate_v<AttemptEnd>);

}  // namespace ragstone
