#pragma once

#include <ragstone/async/event.hpp>
#include <ragstone/async/run_scope.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>

namespace ragstone {

/// Sees what calls do: put one into a CallContext. Called inline, on the executor of the call, in the order of a
/// run's events; calls on different executors notify concurrently, so on_event() must be thread-safe. It must be
/// quick and must not block; wrap a slow one with queued_observer().
class Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  virtual ~Observer() = default;

  /// Passes the event on. What on_event() throws is counted in failed() and goes no further.
  void notify(const Event& event) noexcept;

  /// Events whose handling threw.
  std::uint64_t failed() const noexcept { return failed_.load(std::memory_order_relaxed); }
  /// Events that were never handled because a queue was full.
  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

 protected:
  void count_dropped() noexcept { dropped_.fetch_add(1, std::memory_order_relaxed); }

 private:
  virtual void on_event(const Event& event) = 0;

  std::atomic<std::uint64_t> failed_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
};

/// Writes one line per event to `write`: kind, phase, name, run id, tags, attributes, error. Of a token's text only the
/// length is written. `write` is called from one thread at a time.
std::shared_ptr<Observer> log_observer(std::function<void(std::string_view)> write);

/// Hands events to a slow observer on `executor`, one at a time and in order, instead of in the middle of a call. Once
/// `capacity` events wait, the oldest waiting `token` event makes room for each new one and is counted in dropped();
/// other events are never dropped. The executor's context must outlive the observer.
/// Errors: Errc::invalid_argument for a null observer, an empty executor or a capacity of 0.
std::shared_ptr<Observer> queued_observer(std::shared_ptr<Observer> target, boost::asio::any_io_executor executor,
                                          std::size_t capacity = 1024);

}  // namespace ragstone
