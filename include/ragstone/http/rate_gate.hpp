#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/task.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace ragstone {

/// What a server, or an account there, grants. 0: no limit.
class RateLimits {
 public:
  RateLimits() = default;

  std::size_t max_concurrency = 0;  ///< Calls at once.
  double requests_per_minute = 0;
  double tokens_per_minute = 0;  ///< A tenth is kept for queries.
};

/// Who goes first when calls wait.
enum class CallPriority {
  query,   ///< Somebody waits for the answer.
  ingest,  ///< Nobody does.
};

namespace detail {
class RateGateCore;
}

/// The right to make one call; its place is free again when it is destroyed.
class RatePass {
 public:
  RatePass() = default;
  RatePass(std::shared_ptr<detail::RateGateCore> core, std::uint64_t tokens, bool of_reserve) noexcept
      : core_(std::move(core)), tokens_(tokens), of_reserve_(of_reserve) {}
  RatePass(RatePass&&) noexcept = default;
  RatePass& operator=(RatePass&& other) noexcept;
  ~RatePass() { release(); }

  void release() noexcept;
  /// release() of a call that was not made: what it took of the limits per minute is there again.
  void give_back() noexcept;

 private:
  std::shared_ptr<detail::RateGateCore> core_;
  std::uint64_t tokens_ = 0;
  bool of_reserve_ = false;
};

/// Bounds the calls of a client, all its users together: at once, per minute, and by tokens per minute. Calls for
/// queries go before those for ingest; among equals first come, first served. Within a second no more than a second's
/// share is let through, so that a minute never sees much more than its limit. A call that takes more tokens goes
/// alone, and calls behind it wait until that is made up for: queries only if they use up the tenth that is theirs as
/// well.
///
/// A cheap handle; copies share the limits. Thread-safe.
class RateGate {
 public:
  /// No limits.
  RateGate() = default;
  explicit RateGate(RateLimits limits);

  /// Waits for the call's turn. `tokens`: what it will use, estimated. Cancellation: terminal; no place is lost.
  /// Errors: Errc::timeout at the deadline.
  Task<RatePass> enter(CallPriority priority, std::uint64_t tokens, CallContext context = {}) const;

  /// The call used so many tokens instead of the estimate, as a server says: later calls wait for no more than a
  /// minute's share of them.
  void correct(std::uint64_t estimated, std::uint64_t used) const noexcept;

  std::size_t waiting() const;

 private:
  std::shared_ptr<detail::RateGateCore> core_;
};

static_assert(!std::is_aggregate_v<RateLimits> && !std::is_aggregate_v<RatePass> && !std::is_aggregate_v<RateGate>);

}  // namespace ragstone
