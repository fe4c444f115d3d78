#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace ragstone::detail {

/// Wakes one sleeping coroutine again and again, from any thread: it sleeps on timer(), and ring() ends the sleep. A
/// ring that comes while nobody sleeps is lost, so the sleeper checks before; both do so under the lock of what they
/// share.
class Doorbell {
 public:
  /// `at_home`: ring() is only called on the sleeper's own executor.
  Doorbell(boost::asio::any_io_executor executor, bool at_home) : state_(std::make_shared<State>()), at_home_(at_home) {
    state_->executor.emplace(executor);
    state_->timer.emplace(std::move(executor));
  }
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;
  ~Doorbell() { silence(); }

  /// On the sleeper's executor.
  boost::asio::steady_timer& timer() noexcept { return *state_->timer; }

  /// Never runs the sleeper inside this call.
  void ring() const {
    const std::lock_guard lock(state_->mutex);
    if (!state_->executor || state_->rung) return;
    if (at_home_) {
      state_->timer->cancel();  // resumes the sleeper by the executor's queue
      return;
    }
    state_->rung = true;
    boost::asio::post(*state_->executor, [state = state_] {
      const std::lock_guard timer_lock(state->mutex);
      state->rung = false;
      if (state->timer) state->timer->cancel();
    });
  }

  /// Gives up the executor; on it, or while its context is destroyed.
  void silence() noexcept {
    const std::lock_guard lock(state_->mutex);
    state_->executor.reset();
    state_->timer.reset();
  }

 private:
  class State {
   public:
    std::mutex mutex;
    std::optional<boost::asio::any_io_executor> executor;
    std::optional<boost::asio::steady_timer> timer;
    bool rung = false;
  };

  std::shared_ptr<State> state_;
  const bool at_home_;
};

}  // namespace ragstone::detail
