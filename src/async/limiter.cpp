#include <ragstone/async/detail/gate.hpp>
#include <ragstone/async/limiter.hpp>
#include <ragstone/base/error.hpp>

#include <list>
#include <mutex>

namespace ragstone {
namespace detail {

/// A freed permit passes straight to the first in line, so that nobody can take it in between.
class LimiterCore {
 public:
  explicit LimiterCore(std::size_t permits) : limit(permits), free_(permits) {}

  /// One acquisition, from its place in line to its permit or its giving up.
  class Turn {
   public:
    explicit Turn(std::shared_ptr<LimiterCore> core) : core_(std::move(core)) {
      std::lock_guard lock(core_->mutex_);
      granted_ = core_->free_ > 0;
      if (granted_) {
        --core_->free_;
      } else {
        place_ = core_->line_.insert(core_->line_.end(), this);
      }
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
      std::unique_lock lock(core_->mutex_);
      if (!granted_) {
        core_->line_.erase(place_);
      } else if (!taken_) {
        lock.unlock();
        core_->release();
      }
    }

    const Gate& gate() const noexcept { return gate_; }
    /// The permit, if it came.
    bool take() {
      std::lock_guard lock(core_->mutex_);
      taken_ = granted_;
      return taken_;
    }

   private:
    friend class LimiterCore;

    std::shared_ptr<LimiterCore> core_;
    std::list<Turn*>::iterator place_;
    Gate gate_;
    bool granted_ = false;
    bool taken_ = false;
  };

  bool try_take() {
    std::lock_guard lock(mutex_);
    if (free_ == 0) return false;
    --free_;
    return true;
  }

  void release() {
    std::unique_lock lock(mutex_);
    if (line_.empty()) {
      ++free_;
      return;
    }
    Turn* first = line_.front();
    line_.pop_front();
    first->granted_ = true;
    const Gate gate = first->gate_;
    lock.unlock();
    gate.open();
  }

  std::size_t available() const {
    std::lock_guard lock(mutex_);
    return free_;
  }

  std::size_t waiting() const {
    std::lock_guard lock(mutex_);
    return line_.size();
  }

  const std::size_t limit;

 private:
  mutable std::mutex mutex_;
  std::size_t free_;  // 0 whenever somebody is in line
  std::list<Turn*> line_;
};

namespace {

Task<Permit> acquire(std::shared_ptr<LimiterCore> core, CallContext context) {
  if (!core) co_return Permit();
  if (core->try_take()) co_return Permit(core);
  LimiterCore::Turn turn(core);
  if (turn.take()) co_return Permit(core);
  const Wake wake = co_await turn.gate().wait(context.deadline());
  if (turn.take()) co_return Permit(core);
  throw_unless_opened(wake, "limiter");
  throw_cancelled();
}

}  // namespace
}  // namespace detail

Permit& Permit::operator=(Permit&& other) noexcept {
  if (this != &other) {
    release();
    core_ = std::move(other.core_);
  }
  return *this;
}

void Permit::release() noexcept {
  if (core_) core_->release();
  core_.reset();
}

Limiter::Limiter(std::size_t permits) {
  if (permits == 0) throw Error(Errc::invalid_argument, "Limiter: needs at least one permit");
  core_ = std::make_shared<detail::LimiterCore>(permits);
}

Task<Permit> Limiter::acquire(CallContext context) const { return detail::acquire(core_, std::move(context)); }

Permit Limiter::try_acquire() const { return core_ && core_->try_take() ? Permit(core_) : Permit(); }

std::size_t Limiter::limit() const noexcept { return core_ ? core_->limit : 0; }
std::size_t Limiter::available() const { return core_ ? core_->available() : 0; }
std::size_t Limiter::waiting() const { return core_ ? core_->waiting() : 0; }

}  // namespace ragstone
