#pragma once

#include <ragstone/async/lane.hpp>
#include <ragstone/base/ids.hpp>
#include <ragstone/base/metadata.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace ragstone {

class Observer;
class TokenCounter;

/// What travels with a call: deadline, lane, run ids, tags, metadata and observers. Passed by value to every
/// asynchronous function; never kept in globals or thread-locals. (Cancellation travels in Asio's cancellation slots.)
///
/// A handle to immutable data: a copy costs one reference count, every with_...() returns a changed copy, and the
/// empty context allocates nothing. Safe to use from any number of threads.
class CallContext {
 public:
  using Clock = std::chrono::steady_clock;

  CallContext() = default;

  /// No deadline unless one was set. An operation that passes it ends with Errc::timeout.
  std::optional<Clock::time_point> deadline() const noexcept;
  /// The earlier of `deadline` and the present one: a callee can only shorten what its caller granted.
  CallContext with_deadline(Clock::time_point deadline) const;
  /// with_deadline(now + timeout).
  CallContext with_timeout(Clock::duration timeout) const;

  /// Bounds each call of an embedder within the operation, from when its turn has come: waits for rate limits, and
  /// between attempts, do not count. None unless one was set.
  std::optional<Clock::duration> call_timeout() const noexcept;
  /// The shorter of `timeout` and the present one.
  CallContext with_call_timeout(Clock::duration timeout) const;
  /// The context of such a call, now that its turn has come: its deadline is call_timeout() from now, or what it was.
  CallContext in_turn() const;

  /// For work that goes on after the call which began it has ended, with limits of its own.
  CallContext without_deadline() const;

  /// Where an embedded store does what this call reads: `foreground` unless another was set.
  Lane lane() const noexcept;
  CallContext with_lane(Lane lane) const;

  /// The run that this context belongs to; all zero outside of any run.
  const Hash128& run_id() const noexcept;
  /// The run that started run_id(); all zero for a root.
  const Hash128& parent_run_id() const noexcept;
  /// Common to a root run and all its descendants.
  const Hash128& trace_id() const noexcept;
  /// Joins an existing trace: the next child() starts a root run in it.
  CallContext with_trace_id(const Hash128& id) const;
  /// The context of a new run below this one: a fresh run_id(), everything else inherited.
  CallContext child() const;

  /// Tags and metadata are inherited by child() and are part of every event.
  const std::vector<std::string>& tags() const noexcept;
  const Metadata& metadata() const noexcept;
  CallContext with_tag(std::string tag) const;
  /// Errors: Errc::invalid_argument, see Metadata::set().
  CallContext with_metadata(std::string name, Scalar value) const;

  /// In the order in which they were added, which is the order of notification.
  const std::vector<std::shared_ptr<Observer>>& observers() const noexcept;
  /// Adds an observer; one that is present already is not added again. Errors: Errc::invalid_argument for null.
  CallContext with_observer(std::shared_ptr<Observer> observer) const;
  CallContext without_observers() const;
  /// Counts the tokens of calls whose provider does not say; null: they stay unknown. See UsageMeterOptions::estimate.
  const std::shared_ptr<const TokenCounter>& token_counter() const noexcept;
  CallContext with_token_counter(std::shared_ptr<const TokenCounter> counter) const;

  /// Whether anybody listens. Without observers no event is made, and nothing is allocated for one.
  bool observed() const noexcept { return !observers().empty(); }

 private:
  class Data;

  static const Data& empty() noexcept;
  const Data& data() const noexcept { return data_ ? *data_ : empty(); }
  template <class Change>
  CallContext changed(Change change) const;

  std::shared_ptr<const Data> data_;
};

static_assert(!std::is_aggregate_v<CallContext>);

}  // namespace ragstone
