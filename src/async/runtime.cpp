#include "async/pool_core.hpp"
#include <ragstone/async/runtime.hpp>
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ragstone {

namespace asio = boost::asio;

namespace detail {
namespace {

// About what it takes to wake a loop that sleeps (benchmark words, through Retriever).
constexpr std::chrono::microseconds kLookOut(30);

/// The Runtime's own event loop and its one thread.
class Loop {
 public:
  explicit Loop(std::shared_ptr<PoolCore> pool)
      : pool_(std::move(pool)), context_(1), work_(asio::make_work_guard(context_)), thread_([this] { run(); }) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() { thread_.join(); }

  asio::any_io_executor executor() { return context_.get_executor(); }
  bool in_thread() const noexcept { return std::this_thread::get_id() == thread_.get_id(); }

  /// Lets the loop run until it is out of work, or `until`.
  void finish(std::chrono::steady_clock::time_point until) {
    work_.reset();
    std::unique_lock lock(mutex_);
    if (!ended_.wait_until(lock, until, [this] { return done_; })) context_.stop();
  }

 private:
  void run() {
    while (context_.run_one() > 0) look_out();
    std::lock_guard lock(mutex_);
    done_ = true;
    ended_.notify_all();
  }

  /// Does what is ready. While the pool is at a job of the foreground, most of which are short, goes on for a little:
  /// a loop that sleeps would take longer to wake up.
  void look_out() {
    using Clock = LookOut::Clock;
    LookOut& others = pool_->look_out();
    auto end = Clock::time_point();
    while (true) {
      const bool is_busy = context_.poll() > 0;
      if (!pool_->has_foreground_job() || context_.stopped()) return;
      const auto now = Clock::now();
      if (is_busy || end == Clock::time_point()) end = now + kLookOut;
      if (now >= end || !others.is_worthwhile(now)) return;
      others.give_way(now);
    }
  }

  const std::shared_ptr<PoolCore> pool_;
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool done_ = false;
  std::thread thread_;
};

class Core final : public RuntimeCore {
 public:
  Core(asio::any_io_executor executor, const RuntimeOptions& options)
      : executor_(std::move(executor)), pool_(make_pool(options)), grace_(options.shutdown_grace) {
    if (!executor_) loop_.emplace(pool_);
  }

  asio::any_io_executor serial_executor() override {
    std::lock_guard lock(mutex_);
    if (ended_) std::rethrow_exception(runtime_closed());
    if (loop_) return loop_->executor();
    return asio::make_strand(executor_);
  }

  Pool pool() const override { return Pool(pool_); }
  bool owns_loop() const noexcept override { return !executor_; }

  std::size_t operations() const override {
    std::lock_guard lock(mutex_);
    return operations_.size();
  }

  void require_blocking_run() const override {
    if (!owns_loop())
      throw Error(Errc::invalid_argument, "Runtime::run: this Runtime runs on the caller's executor; use spawn");
    if (loop_->in_thread())
      throw Error(Errc::invalid_argument, "Runtime::run: called in the Runtime's own loop; co_await the task instead");
  }

  bool start(std::shared_ptr<Operation> operation, Task<void> body, std::shared_ptr<EndReport> report) override;

  void forget(const std::shared_ptr<Operation>& operation) {
    std::lock_guard lock(mutex_);
    operations_.erase(operation);
    if (operations_.empty()) idle_.notify_all();
  }

  void shutdown() {
    const auto until = std::chrono::steady_clock::now() + grace_;
    cancel_all();
    if (loop_) {
      std::unique_lock lock(mutex_);
      idle_.wait_until(lock, until, [this] { return operations_.empty(); });
    }
    pool_->shutdown();
    if (loop_) loop_->finish(until);
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
    }
    loop_.reset();
    executor_ = asio::any_io_executor();
  }

 private:
  static std::shared_ptr<PoolCore> make_pool(const RuntimeOptions& options) {
    if (options.foreground_executor && options.background_executor)
      return std::make_shared<PoolCore>(options.foreground_executor, options.background_executor);
    if (options.foreground_executor || options.background_executor)
      throw Error(Errc::invalid_argument, "Runtime: give executors for both lanes of the pool or for none");
    std::size_t threads = options.threads;
    if (threads == 0) threads = std::max<std::size_t>(2, std::thread::hardware_concurrency());
    return std::make_shared<PoolCore>(threads, std::max<std::size_t>(1, threads - 1), options.background_niceness);
  }

  void cancel_all() {
    std::vector<std::shared_ptr<Operation>> running;
    {
      std::lock_guard lock(mutex_);
      closing_ = true;
      running.assign(operations_.begin(), operations_.end());
    }
    for (const auto& operation : running) operation->cancel();
  }

  asio::any_io_executor executor_;  // the caller's; empty with a loop of our own
  std::shared_ptr<PoolCore> pool_;
  const std::chrono::milliseconds grace_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::unordered_set<std::shared_ptr<Operation>> operations_;
  bool closing_ = false;
  bool ended_ = false;
  std::optional<Loop> loop_;
};

/// Keeps an operation in its Runtime's list for as long as the coroutine's frame lives.
class Registration {
 public:
  Registration(std::shared_ptr<Core> core, std::shared_ptr<Operation> operation)
      : core_(std::move(core)), operation_(std::move(operation)) {}
  Registration(Registration&&) noexcept = default;
  Registration& operator=(Registration&&) = delete;
  ~Registration() { end(); }

  void end() {
    if (!operation_) return;
    operation_->close();
    core_->forget(operation_);
    operation_.reset();
  }

 private:
  std::shared_ptr<Core> core_;
  std::shared_ptr<Operation> operation_;
};

Task<void> supervise(Registration registration, Task<void> body, std::shared_ptr<EndReport> report) {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await asio::post(asio::use_awaitable);
  co_await std::move(body);
  registration.end();
  report->deliver();
}

bool Core::start(std::shared_ptr<Operation> operation, Task<void> body, std::shared_ptr<EndReport> report) {
  {
    std::lock_guard lock(mutex_);
    if (closing_) return false;
    operations_.insert(operation);
  }
  auto self = std::static_pointer_cast<Core>(shared_from_this());
  Registration registration(std::move(self), operation);
  Task<void> supervised = supervise(std::move(registration), std::move(body), std::move(report));
  const asio::any_io_executor executor = operation->executor();
  // On the executor, like every emission of the operation's signal.
  asio::post(executor, [operation = std::move(operation), supervised = std::move(supervised)]() mutable {
    auto slot = operation->slot();
    auto keep_alive = [operation](std::exception_ptr) {};
    asio::co_spawn(operation->executor(), std::move(supervised),
                   asio::bind_cancellation_slot(slot, std::move(keep_alive)));
    operation->repeat_early_cancellation();
  });
  return true;
}

asio::any_io_executor required(asio::any_io_executor executor) {
  if (!executor) throw Error(Errc::invalid_argument, "Runtime: empty executor");
  return executor;
}

}  // namespace
}  // namespace detail

Runtime::Runtime(RuntimeOptions options) : core_(std::make_shared<detail::Core>(asio::any_io_executor(), options)) {}

Runtime::Runtime(asio::any_io_executor executor, RuntimeOptions options)
    : core_(std::make_shared<detail::Core>(detail::required(std::move(executor)), options)) {}

Runtime::~Runtime() { static_cast<detail::Core&>(*core_).shutdown(); }

asio::any_io_executor Runtime::serial_executor() const { return core_->serial_executor(); }
Pool Runtime::pool() const { return core_->pool(); }
bool Runtime::owns_loop() const noexcept { return core_->owns_loop(); }
std::size_t Runtime::operations() const { return core_->operations(); }

}  // namespace ragstone
