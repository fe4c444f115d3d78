#include "http/token_bucket.hpp"
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
  explicit RateGateCore(const RateLimits& limits)
      : limits_(limits), requests_(limits.requests_per_minute), tokens_(limits.tokens_per_minute) {}

  /// One call, from its place in line on.
  class Turn {
   public:
    Turn(std::shared_ptr<RateGateCore> core, CallPriority priority, double tokens)
        : core_(std::move(core)), line_(core_->lines_[static_cast<std::size_t>(priority)]), tokens_(tokens) {
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
      const auto wait = std::max(core_->requests_.wait(now, 1), core_->tokens_.wait(now, tokens_));
      if (wait > Clock::duration::zero()) {
        until = now + wait;
        if (!gate_) gate_.emplace();
        return false;
      }
      core_->requests_.take(1);
      core_->tokens_.take(tokens_);
      ++core_->running_;
      passed_ = true;
      line_.erase(place_);
      core_->wake_first(lock);
      return true;
    }

    /// There is one once try_pass() returned false.
    const Gate& gate() const noexcept { return *gate_; }

   private:
    friend class RateGateCore;

    std::shared_ptr<RateGateCore> core_;
    std::list<Turn*>& line_;
    const double tokens_;
    std::list<Turn*>::iterator place_;
    std::optional<Gate> gate_;
    bool passed_ = false;
  };

  void leave() noexcept {
    std::unique_lock lock(mutex_);
    --running_;
    wake_first(lock);
  }

  void give_back(double tokens) noexcept {
    const std::lock_guard lock(mutex_);
    requests_.give_back(1);
    tokens_.give_back(tokens);
  }

  void correct(double more) noexcept {
    const std::lock_guard lock(mutex_);
    tokens_.correct(more);
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

  bool full() const noexcept { return limits_.max_concurrency > 0 && running_ >= limits_.max_concurrency; }

  void wake_first(std::unique_lock<std::mutex>& lock) noexcept {
    const Turn* turn = first();
    if (turn == nullptr || !turn->gate_ || full()) return;
    const Gate gate = *turn->gate_;
    lock.unlock();
    gate.open();
  }

  const RateLimits limits_;
  mutable std::mutex mutex_;
  std::size_t running_ = 0;
  TokenBucket requests_;
  TokenBucket tokens_;
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
  co_return RatePass(core, tokens);
}

}  // namespace
}  // namespace detail

RatePass& RatePass::operator=(RatePass&& other) noexcept {
  if (this != &other) {
    release();
    core_ = std::move(other.core_);
    tokens_ = other.tokens_;
  }
  return *this;
}

void RatePass::release() noexcept {
  if (core_) core_->leave();
  core_.reset();
}

void RatePass::give_back() noexcept {
  if (core_) core_->give_back(static_cast<double>(tokens_));
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
