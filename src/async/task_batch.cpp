#include <ragstone/async/detail/task_batch.hpp>
#include <ragstone/base/error.hpp>

#include <chrono>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ragstone::detail {

namespace asio = boost::asio;

namespace {

// Children started or cancelled in one handler, so that a large batch never occupies its executor for long.
constexpr std::size_t kBurst = 8;

/// What the parent shares with its children; everything happens on their one serial executor.
class Nursery : public std::enable_shared_from_this<Nursery> {
 public:
  Nursery(asio::any_io_executor executor, std::shared_ptr<TaskBatch> batch, std::size_t limit, OnError on_error)
      : executor_(std::move(executor)),
        batch_(std::move(batch)),
        limit_(limit == 0 ? batch_->size() : limit),
        on_error_(on_error),
        children_(batch_->size()) {}

  /// No more starts; those running are cancelled by the next steps.
  void stop() noexcept { stopping_ = true; }

  /// Starts or cancels a few children; true if there are more to start or cancel right now.
  bool step() {
    for (std::size_t done = 0; done < kBurst; ++done) {
      if (stopping_ && cancelled_ < next_) {
        cancel_one();
      } else if (can_start()) {
        start_one();
      } else {
        return false;
      }
    }
    return true;
  }

  bool idle() const noexcept { return active_ == 0; }
  std::optional<std::size_t> first_failed() const noexcept { return first_failed_; }

  /// The timer on which the parent sleeps; null once it is gone.
  void wake_by(asio::steady_timer* timer) noexcept { timer_ = timer; }

 private:
  class Child {
   public:
    asio::cancellation_signal signal;
    bool running = false;
  };

  bool can_start() const noexcept { return !stopping_ && next_ < batch_->size() && active_ < limit_; }

  void start_one() {
    const std::size_t i = next_++;
    ++active_;
    children_[i].running = true;
    auto ended = [self = shared_from_this(), i](std::exception_ptr) { self->end_of(i); };
    asio::co_spawn(executor_, batch_->run(i),
                   asio::bind_cancellation_slot(children_[i].signal.slot(), std::move(ended)));
  }

  void cancel_one() {
    Child& child = children_[cancelled_++];
    if (child.running) child.signal.emit(asio::cancellation_type::terminal);
  }

  void end_of(std::size_t i) {
    --active_;
    children_[i].running = false;
    if (on_error_ == OnError::cancel_others && !first_failed_ && batch_->failed(i)) {
      first_failed_ = i;
      stop();
      wake_parent();
    }
    if (can_start()) start_one();
    if (idle()) wake_parent();
  }

  void wake_parent() {
    if (timer_) timer_->cancel();
  }

  asio::any_io_executor executor_;
  std::shared_ptr<TaskBatch> batch_;
  const std::size_t limit_;
  const OnError on_error_;
  std::vector<Child> children_;
  std::size_t next_ = 0;       // the first child that was not started
  std::size_t cancelled_ = 0;  // once stopping, the first child that was not cancelled
  std::size_t active_ = 0;
  bool stopping_ = false;
  std::optional<std::size_t> first_failed_;
  asio::steady_timer* timer_ = nullptr;
};

/// Lives in the parent's frame.
class ParentTimer {
 public:
  ParentTimer(std::shared_ptr<Nursery> nursery, const asio::any_io_executor& executor)
      : nursery_(std::move(nursery)), timer_(executor) {
    nursery_->wake_by(&timer_);
  }
  ParentTimer(const ParentTimer&) = delete;
  ParentTimer& operator=(const ParentTimer&) = delete;
  ~ParentTimer() { nursery_->wake_by(nullptr); }

  asio::steady_timer* operator->() noexcept { return &timer_; }

 private:
  std::shared_ptr<Nursery> nursery_;
  asio::steady_timer timer_;
};

}  // namespace

Task<BatchEnd> run_batch(std::shared_ptr<TaskBatch> batch, std::size_t limit, OnError on_error, Deadline deadline) {
  using Clock = std::chrono::steady_clock;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != asio::cancellation_type::none) throw_cancelled();
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);

  auto nursery = std::make_shared<Nursery>(executor, batch, limit, on_error);
  ParentTimer timer(nursery, executor);
  BatchEnd end;
  boost::system::error_code ignored;
  auto token = asio::redirect_error(asio::use_awaitable, ignored);
  while (true) {
    end.cancelled = cancellation.cancelled() != asio::cancellation_type::none;
    end.expired = end.expired || (deadline && *deadline <= Clock::now());
    if (end.cancelled || end.expired) nursery->stop();
    if (nursery->step()) {
      co_await asio::post(executor, asio::use_awaitable);
      continue;
    }
    if (nursery->idle()) break;
    timer->expires_at(end.expired ? Clock::time_point::max() : deadline.value_or(Clock::time_point::max()));
    co_await timer->async_wait(token);
  }
  end.first_failed = nursery->first_failed();
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return end;
}

void throw_unfinished(std::exception_ptr error, const BatchEnd& end) {
  if (error && !is_cancelled(error)) std::rethrow_exception(error);
  if (end.expired && !end.cancelled) throw Error(Errc::timeout, "the deadline passed");
  throw_cancelled();
}

}  // namespace ragstone::detail
