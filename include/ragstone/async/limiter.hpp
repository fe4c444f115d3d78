#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/task.hpp>

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

namespace ragstone {

namespace detail {
class LimiterCore;
}

/// The right to use what a Limiter guards, given back when it is destroyed.
class Permit {
 public:
  Permit() = default;
  explicit Permit(std::shared_ptr<detail::LimiterCore> core) noexcept : core_(std::move(core)) {}
  Permit(Permit&& other) noexcept = default;
  Permit& operator=(Permit&& other) noexcept;
  ~Permit() { release(); }

  /// Gives it back early.
  void release() noexcept;
  explicit operator bool() const noexcept { return core_ != nullptr; }

 private:
  std::shared_ptr<detail::LimiterCore> core_;
};

/// Bounds how many operations run at once. Belongs to a client (one connection, one model server), not to a call:
/// copies share the permits, also across executors and threads. First come, first served. Thread-safe.
class Limiter {
 public:
  /// No limit: acquire() gives an empty Permit at once.
  Limiter() = default;
  /// Errors: Errc::invalid_argument for 0.
  explicit Limiter(std::size_t permits);

  /// Waits for a permit. Cancellation: terminal; no permit is lost. Errors: Errc::timeout at the deadline.
  Task<Permit> acquire(CallContext context = {}) const;
  /// Never waits; false (an empty Permit) if none is free or others wait. Needs a limit.
  Permit try_acquire() const;

  /// 0: no limit.
  std::size_t limit() const noexcept;
  std::size_t available() const;
  std::size_t waiting() const;

 private:
  std::shared_ptr<detail::LimiterCore> core_;
};

static_assert(!std::is_aggregate_v<Permit> && !std::is_aggregate_v<Limiter>);

}  // namespace ragstone
