#include "http/minute_limits.hpp"
#include <ragstone/async/detail/gate.hpp>
#include <ragstone/http/rate_gate.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <list>
#include <mutex>
#include <optional>

namespace ragstone {
namespace detail {

using Clock = CallContext::Clock;

class RateGateCore {
 public:
  explicit RateGateCore(const RateLimits& limits) : max_concurrency_(limits.max_concurrency), limits_(limits) {}

  /// One call, from its place in line on.
  class Turn {
   public:
    Turn(std::shared_ptr<RateGateCore> core, CallPriority priority, double tokens)
        : core_(std::move(core)),
          line_(core_->lines_[static_cast<std::size_t>(priority)]),
          priority_(priority),
          tokens_(tokens) {
      const std::lock_guard lock(core_->mutex_);
      place_ = line_.insert(line_.end(), this);
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
      if (passed_) return;
      std::unique_lock lock(core_->mutex_);
      line_.erase(place_);
      core_->wake_first(lock);
    }

    /// Passes if it can; otherwise gate() opens, or `until` comes, when to try again.
    bool try_pass(std::optional<Clock::time_point>& until) {
      std::unique_lock lock(core_->mutex_);
      until.reset();
      if (gate_) gate_->shut();
      if (core_->first() != this || core_->full()) {
        if (!gate_) gate_.emplace();
        return false;
      }
      const auto now = Clock::now();
      const auto wait = core_->limits_.wait(now, priority_, tokens_);
      if (wait > Clock::duration::zero()) {
        until = now + wait;
        if (!gate_) gate_.emplace();
        return false;
      }
      of_reserve_ = core_->limits_.take(now, tokens_);
      ++core_->running_;
      passed_ = true;
      line_.erase(place_);
      core_->wake_first(lock);
      return true;
    }

    bool of_reserve() const noexcept { return of_reserve_; }

    /// There is one once try_pass() returned false.
    const Gate& gate() const noexcept { return *gate_; }

   private:
    friend class RateGateCore;

    std::shared_ptr<RateGateCore> core_;
    std::list<Turn*>& line_;
    const CallPriority priority_;
    const double tokens_;
    bool of_reserve_ = false;
    std::list<Turn*>::iterator place_;
    std::optional<Gate> gate_;
    bool passed_ = false;
  };

  void leave() noexcept {
    std::unique_lock lock(mutex_);
    --running_;
    wake_first(lock);
  }

  void give_back(double tokens, bool of_reserve) noexcept {
    const std::lock_guard lock(mutex_);
    limits_.give_back(tokens, of_reserve);
  }

  void correct(double more) noexcept {
    const std::lock_guard lock(mutex_);
    limits_.correct(more);
  }

  std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return lines_[0].size() + lines_[1].size();
  }

 private:
  Turn* first() const noexcept {
    for (const auto& line : lines_)
      if (!line.empty()) return line.front();
    return nullptr;
  }

  bool full() const noexcept { return max_concurrency_ > 0 && running_ >= max_concurrency_; }

  void wake_first(std::unique_lock<std::mutex>& lock) noexcept {
    const Turn* turn = first();
    if (turn == nullptr || !turn->gate_ || full()) return;
    const Gate gate = *turn->gate_;
    lock.unlock();
    gate.open();
  }

  const std::size_t max_concurrency_;
  mutable std::mutex mutex_;
  std::size_t running_ = 0;
  MinuteLimits limits_;
  std::array<std::list<Turn*>, 2> lines_;
};

namespace {

Task<RatePass> enter(std::shared_ptr<RateGateCore> core, CallPriority priority, std::uint64_t tokens,
                     CallContext context) {
  if (!core) co_return RatePass();
  RateGateCore::Turn turn(core, priority, static_cast<double>(tokens));
  std::optional<Clock::time_point> until;
  const auto deadline = context.deadline();
  while (!turn.try_pass(until)) {
    const bool ends_first = deadline && (!until || *deadline <= *until);
    if (ends_first) until = deadline;
    const Wake wake = co_await turn.gate().wait(until);
    if (wake == Wake::cancelled || (wake == Wake::expired && ends_first)) throw_unless_opened(wake, "rate limit");
  }
  co_return RatePass(core, tokens, turn.of_reserve());
}

}  // namespace
}  // namespace detail

RatePass& RatePass::operator=(RatePass&& other) noexcept {
  if (this != &other) {
    release();
    core_ = std::move(other.core_);
    tokens_ = other.tokens_;
    of_reserve_ = other.of_reserve_;
  }
  return *this;
}

void RatePass::release() noexcept {
  if (core_) core_->leave();
  core_.reset();
}

void RatePass::give_back() noexcept {
  if (core_) core_->give_back(static_cast<double>(tokens_), of_reserve_);
  release();
}

RateGate::RateGate(RateLimits limits) : core_(std::make_shared<detail::RateGateCore>(limits)) {}

Task<RatePass> RateGate::enter(CallPriority priority, std::uint64_t tokens, CallContext context) const {
  return detail::enter(core_, priority, tokens, std::move(context));
}

void RateGate::correct(std::uint64_t estimated, std::uint64_t used) const noexcept {
  if (core_) core_->correct(static_cast<double>(used) - static_cast<double>(estimated));
}

std::size_t RateGate::waiting() const { return core_ ? core_->waiting() : 0; }

}  // namespace ragstone
