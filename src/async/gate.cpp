#include <ragstone/async/detail/gate.hpp>
#include <ragstone/base/error.hpp>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ragstone::detail {

namespace asio = boost::asio;

void throw_cancelled() { throw boost::system::system_error(asio::error::operation_aborted); }

std::exception_ptr cancelled_error() {
  return std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted));
}

void throw_unless_opened(Wake wake, const char* operation) {
  if (wake == Wake::cancelled) throw_cancelled();
  if (wake == Wake::expired) throw Error(Errc::timeout, std::string(operation) + ": the deadline passed");
}

class Gate::State {
 public:
  std::mutex mutex;
  bool open = false;
  // Set while a coroutine sleeps at the gate. Whoever opens it takes the executor, which keeps the context in work, and
  // dispatches without holding the mutex: otherwise the sleeper, woken at once, would block its executor on that mutex.
  std::optional<asio::any_io_executor> executor;
  std::atomic<int> posting = 0;
  asio::steady_timer* timer = nullptr;  // touched on the executor only
};

/// Lives in the frame of the waiting coroutine.
class Gate::Sleeper {
 public:
  Sleeper(std::shared_ptr<State> state, const asio::any_io_executor& executor, Deadline deadline)
      : state_(std::move(state)), timer_(executor, deadline.value_or(std::chrono::steady_clock::time_point::max())) {
    std::lock_guard lock(state_->mutex);
    if (state_->open) return;
    state_->executor.emplace(asio::prefer(executor, asio::execution::outstanding_work.tracked));
    state_->timer = &timer_;
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  ~Sleeper() {
    {
      std::lock_guard lock(state_->mutex);
      state_->executor.reset();
    }
    state_->timer = nullptr;
    // A frame that is destroyed asleep goes with its executor's context, which a post in progress still needs.
    while (asleep_ && state_->posting > 0) std::this_thread::yield();
  }

  bool must_wait() const {
    std::lock_guard lock(state_->mutex);
    return !state_->open;
  }
  asio::steady_timer& timer() noexcept { return timer_; }
  void set_asleep(bool asleep) noexcept { asleep_ = asleep; }

 private:
  std::shared_ptr<State> state_;
  asio::steady_timer timer_;
  bool asleep_ = false;
};

Gate::Gate() : state_(std::make_shared<State>()) {}

void Gate::open() const {
  std::optional<asio::any_io_executor> executor;
  {
    std::lock_guard lock(state_->mutex);
    if (std::exchange(state_->open, true) || !state_->executor) return;
    executor.swap(state_->executor);
    ++state_->posting;
  }
  // Cancelling a timer runs nothing but queues the sleeper, so it may happen here and now.
  asio::dispatch(*executor, [state = state_] {
    if (state->timer) state->timer->cancel();
  });
  executor.reset();
  --state_->posting;
}

void Gate::shut() const {
  std::lock_guard lock(state_->mutex);
  state_->open = false;
}

bool Gate::is_open() const {
  std::lock_guard lock(state_->mutex);
  return state_->open;
}

Task<Wake> Gate::wait(Deadline deadline) const { return wait_at(state_, deadline); }

Task<Wake> Gate::wait_at(std::shared_ptr<State> state, Deadline deadline) {
  const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Sleeper sleeper(state, executor, deadline);
  if (!sleeper.must_wait()) co_return Wake::opened;
  if (cancellation.cancelled() != asio::cancellation_type::none) co_return Wake::cancelled;
  boost::system::error_code ended;
  auto token = asio::redirect_error(asio::use_awaitable, ended);
  while (true) {
    sleeper.set_asleep(true);
    co_await sleeper.timer().async_wait(token);
    sleeper.set_asleep(false);
    if (!sleeper.must_wait()) co_return Wake::opened;
    if (!ended) co_return Wake::expired;
    if (cancellation.cancelled() != asio::cancellation_type::none) co_return Wake::cancelled;
    // It was opened for the wait before, and shut since.
  }
}

}  // namespace ragstone::detail
