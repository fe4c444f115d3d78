#pragma once

#include <ragstone/async/detail/blocking_result.hpp>
#include <ragstone/async/detail/completion.hpp>
#include <ragstone/async/detail/runtime_core.hpp>
#include <ragstone/async/pool.hpp>
#include <ragstone/async/task.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>

namespace ragstone {

class RuntimeOptions {
 public:
  RuntimeOptions() = default;

  /// Threads of the foreground lane; the background lane has one less, and at least one. 0: one per hardware thread,
  /// at least 2.
  std::size_t threads = 0;
  /// By how much the threads of the other lanes give way to the foreground's where there are more of them than cores
  /// (Linux: their nice value, 0 to 19), so that ingest and builds do not slow queries down. Above 0 they give way to
  /// any thread that wakes up, too (Linux 6.12 and later). Of the Runtime's own threads only.
  int background_niceness = 15;
  /// How long the destructor lets cancelled operations finish on the Runtime's own loop before it drops them.
  std::chrono::milliseconds shutdown_grace{5000};
  /// A caller's executors for the lanes, instead of threads of the Runtime's own. Both or none; their context must
  /// outlive the Runtime.
  boost::asio::any_io_executor foreground_executor;
  boost::asio::any_io_executor background_executor;
};

static_assert(!std::is_aggregate_v<RuntimeOptions>);

/// Where Ragstone runs: an event loop, its own or the caller's, and a pool for work that would block it.
///
/// Outlives everything that was made from it; its destructor cancels what still runs and waits for it. Thread-safe.
class Runtime {
 public:
  /// Starts a loop thread of its own and the pool's threads.
  explicit Runtime(RuntimeOptions options = {});
  /// Runs on the caller's executor, whatever its kind, and starts no loop; the caller's context must outlive the
  /// Runtime. Errors: Errc::invalid_argument for an empty executor.
  explicit Runtime(boost::asio::any_io_executor executor, RuntimeOptions options = {});
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Cancels all operations and asks all jobs to stop; waits for the jobs. On its own loop it lets the operations end,
  /// within `shutdown_grace`, and drops what is left. On a caller's executor they end, or are destroyed, with that
  /// executor's context. Must not run in the loop's thread or inside a job.
  ~Runtime();

  /// Its own loop's executor, or a fresh strand over the caller's: where a Task may run.
  boost::asio::any_io_executor serial_executor() const;
  Pool pool() const;
  bool owns_loop() const noexcept;
  /// Operations started by run(), spawn() and task scopes that have not ended.
  std::size_t operations() const;

  /// Runs a task on the Runtime's own loop and blocks until it has ended. Errors: the task's;
  /// Errc::invalid_argument in the loop's thread, or if the Runtime owns no loop.
  template <class T>
  T run(Task<T> task) {
    core_->require_blocking_run();
    auto result = std::make_shared<detail::BlockingResult<T>>();
    core_->start_now(detail::store_result(std::move(task), result),
                     std::make_shared<detail::BlockingReport<T>>(result));
    return result->wait();
  }

  /// Starts a task on a fresh serial_executor(): the form behind every `async_...` function. `token` is any Asio
  /// completion token for void(std::exception_ptr, T), or void(std::exception_ptr) for tasks without a result; its
  /// handler runs on its associated executor, by default the task's; the context of that outlives the Runtime. Honours
  /// the token's cancellation slot, whose signal may be emitted from any one thread at a time. Errors: the task's;
  /// Errc::closed while the Runtime dies.
  template <class T, class Token>
  auto spawn(Task<T> task, Token&& token) {
    return boost::asio::async_initiate<Token, detail::CompletionSignature<T>>(detail::InitiateSpawn<T>(core_), token,
                                                                              std::move(task));
  }

 private:
  friend class TaskScope;

  std::shared_ptr<detail::RuntimeCore> core_;
};

}  // namespace ragstone
