#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/task.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

namespace ragstone {

class Runtime;

namespace detail {
class TaskScopeCore;
}

/// Owns tasks that outlive the call which started them: builds, background syncs. They share one serial executor.
///
/// The destructor cancels and does not wait; whoever must know that the tasks have ended awaits join() first. The
/// Runtime's destructor cancels and joins them too. Thread-safe.
class TaskScope {
 public:
  explicit TaskScope(Runtime& runtime);
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;
  ~TaskScope();

  /// Starts a task, never inside this call. A task reports through what it writes to: an exception other than
  /// cancellation is only counted, in failed(). False, and the task is dropped unstarted, after cancel().
  bool spawn(Task<void> task);

  /// Cancels all tasks, and refuses new ones from now on.
  void cancel();
  /// Waits until no task runs. Cancellation: terminal, of the waiting only. Errors: Errc::timeout at the deadline.
  Task<void> join(CallContext context = {}) const;

  std::size_t running() const;
  std::uint64_t failed() const;
  boost::asio::any_io_executor executor() const;

 private:
  std::shared_ptr<detail::TaskScopeCore> core_;
};

}  // namespace ragstone
