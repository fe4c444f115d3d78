#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <utility>

#include <boost/asio/any_io_executor.hpp>

namespace ragstone::test {

/// Measures the handlers that run through CountingExecutors (requirement AS-1): how many used more thread CPU than
/// allowed, and how many slept in a blocking call. Sleeping is what remains of a handler's wall time after its CPU
/// time and its time in the run queue, so a busy machine is not mistaken for a blocking call; a wait for a contended
/// mutex is one. Thread-safe.
class HandlerMeter {
 public:
  using Duration = std::chrono::nanoseconds;

  /// The limits are 5 ms, and ten times that under sanitizers.
  HandlerMeter();
  HandlerMeter(Duration cpu_limit, Duration sleep_limit) : cpu_limit_(cpu_limit), sleep_limit_(sleep_limit) {}
  HandlerMeter(const HandlerMeter&) = delete;
  HandlerMeter& operator=(const HandlerMeter&) = delete;

  std::uint64_t handlers() const noexcept { return handlers_; }
  /// Handlers above the CPU limit.
  std::uint64_t slow() const noexcept { return slow_; }
  /// Handlers that gave up their thread and slept for longer than the sleep limit.
  std::uint64_t blocking() const noexcept { return blocking_; }
  Duration longest_cpu() const noexcept { return Duration(longest_cpu_); }
  Duration longest_sleep() const noexcept { return Duration(longest_sleep_); }

  /// Measures from its construction to its destruction, on one thread; inside another one it does nothing.
  class Scope {
   public:
    explicit Scope(HandlerMeter& meter);
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope();

   private:
    HandlerMeter& meter_;
    bool outermost_;
    std::int64_t wall_ = 0;
    std::int64_t cpu_ = 0;
    std::int64_t queued_ = 0;
    std::int64_t switches_ = 0;
  };

 private:
  void add(Duration cpu, Duration sleep);

  Duration cpu_limit_;
  Duration sleep_limit_;
  std::atomic<std::uint64_t> handlers_ = 0;
  std::atomic<std::uint64_t> slow_ = 0;
  std::atomic<std::uint64_t> blocking_ = 0;
  std::atomic<Duration::rep> longest_cpu_ = 0;
  std::atomic<Duration::rep> longest_sleep_ = 0;
};

/// Wraps a caller's executor so that every function it executes is measured; itself an executor:
///
///     HandlerMeter meter;
///     Runtime runtime(CountingExecutor(context.get_executor(), meter));
///     ...
///     EXPECT_EQ(meter.slow(), 0u);
///     EXPECT_EQ(meter.blocking(), 0u);
///
/// A strand over it runs a batch of handlers as one function. The meter must outlive the wrapped context.
class CountingExecutor {
 public:
  CountingExecutor(boost::asio::any_io_executor inner, HandlerMeter& meter) noexcept
      : inner_(std::move(inner)), meter_(&meter) {}

  template <class F>
  void execute(F function) const {
    inner_.execute([meter = meter_, function = std::move(function)]() mutable {
      const HandlerMeter::Scope scope(*meter);
      std::move(function)();
    });
  }

  template <class Property>
  auto query(const Property& property) const
      -> decltype(boost::asio::query(std::declval<const boost::asio::any_io_executor&>(), property)) {
    return boost::asio::query(inner_, property);
  }

  template <class Property>
  requires(boost::asio::can_require_v<const boost::asio::any_io_executor&, const Property&>) CountingExecutor
      require(const Property& property)
  const { return CountingExecutor(boost::asio::require(inner_, property), *meter_); }

  template <class Property>
  requires(boost::asio::can_prefer_v<const boost::asio::any_io_executor&, const Property&>) CountingExecutor
      prefer(const Property& property)
  const { return CountingExecutor(boost::asio::prefer(inner_, property), *meter_); }

  friend bool operator==(const CountingExecutor& a, const CountingExecutor& b) noexcept {
    return a.meter_ == b.meter_ && a.inner_ == b.inner_;
  }
  friend bool operator!=(const CountingExecutor& a, const CountingExecutor& b) noexcept { return !(a == b); }

 private:
  boost::asio::any_io_executor inner_;
  HandlerMeter* meter_;
};

}  // namespace ragstone::test
