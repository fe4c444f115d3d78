#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/task.hpp>

#include <memory>

namespace ragstone {

class TaskScope;

namespace detail {
class SharedOperationCore;
}

/// One piece of work that any number of callers want, done once at a time. It belongs to a TaskScope, not to a caller:
/// a caller's cancellation or deadline ends that caller's waiting and nothing else.
///
/// A cheap handle; copies share the operation. Thread-safe.
class SharedOperation {
 public:
  SharedOperation();

  /// Starts `task` unless a run is in progress (then `task` is dropped unstarted); the result waits for the run. The
  /// call itself starts it, `scope` is not kept. Errors: those of the run, to all who wait; `operation_aborted` if its
  /// scope is cancelled; Errc::timeout at the deadline; Errc::closed if the scope takes no tasks any more.
  Task<void> run(TaskScope& scope, Task<void> task, CallContext context = {}) const;

  /// Starts `task` unless a run is in progress; false if `task` was dropped. Errors: Errc::closed.
  bool start(TaskScope& scope, Task<void> task) const;
  /// The result waits for the run that is in progress at the time of this call, if any. Errors: as run().
  Task<void> wait(CallContext context = {}) const;
  bool running() const;

 private:
  std::shared_ptr<detail::SharedOperationCore> core_;
};

}  // namespace ragstone
