#pragma once

#include <ragstone/async/event.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/log.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string_view>
#include <utility>

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

  /// Passes the event on. What on_event() throws is counted in failed() and goes no further, unless raise_errors() was
  /// asked for.
  void notify(const Event& event);

  /// Tells `log` of the first failure with each kind of event. To be called before the observer is used.
  void log_failures_to(LogSink log) { log_ = std::move(log); }
  /// What on_event() throws fails the run that it was told of, after all other observers were told. A failing `error`
  /// event changes nothing: its run has failed. To be called before the observer is used.
  void raise_errors() noexcept { raises_ = true; }

  /// False: `token` events are not made for it.
  virtual bool wants_tokens() const noexcept { return true; }

  /// Events whose handling threw.
  std::uint64_t failed() const noexcept { return failed_.load(std::memory_order_relaxed); }
  /// Events that were never handled because a queue was full.
  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

 protected:
  void count_dropped() noexcept { dropped_.fetch_add(1, std::memory_order_relaxed); }

 private:
  virtual void on_event(const Event& event) = 0;
  void report(const Event& event) noexcept;

  LogSink log_;
  bool raises_ = false;
  std::atomic<std::uint64_t> failed_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::atomic<std::uint32_t> reported_kinds_ = 0;  ///< A bit for each EventKind.
};

/// Writes one line per event to `write`: kind, phase, name, run id, tags, attributes, error. Of a token's text only the
/// length is written. `write` is called from one thread at a time.
std::shared_ptr<Observer> log_observer(std::function<void(std::string_view)> write);

/// The same to a log, spdlog's among them (spdlog_sink()): failed runs as warnings, tokens not at all, the rest as
/// `level`. A cancelled run has not failed.
std::shared_ptr<Observer> log_observer(LogSink log, LogLevel level = LogLevel::debug);

/// Shows people what happens: a line on `out` when a run ends, indented below the run that it is part of (which ends
/// after it), with its time, its attributes and the error, if it failed. `out` outlives the observer, and is written to
/// from one thread at a time.
///
///       store_read sqlite 2.8 ms
///     retrieve MediumChunk 3.1 ms hits=6
std::shared_ptr<Observer> console_observer(std::ostream& out);

/// Hands events to a slow observer on `executor`, one at a time and in order, instead of in the middle of a call. Once
/// `capacity` events wait, the oldest waiting `token` event makes room for each new one and is counted in dropped();
/// other events are never dropped. A queued handler comes too late to fail a run: raise_errors() has no effect on it.
/// The executor's context must outlive the observer.
/// Errors: Errc::invalid_argument for a null observer, an empty executor or a capacity of 0.
std::shared_ptr<Observer> queued_observer(std::shared_ptr<Observer> target, boost::asio::any_io_executor executor,
                                          std::size_t capacity = 1024);

}  // namespace ragstone
