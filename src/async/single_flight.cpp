#include <ragstone/async/detail/gate.hpp>
#include <ragstone/async/single_flight.hpp>
#include <ragstone/async/task_scope.hpp>
#include <ragstone/base/error.hpp>

#include <exception>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace ragstone {
namespace detail {

class SharedOperationCore {
 public:
  /// One run; those who wait for it keep it, also when the next has begun.
  class Run {
   public:
    Run() = default;

    std::vector<Gate> waiters;
    std::exception_ptr error;
  };

  /// One who waits for a run.
  class Ticket {
   public:
    Ticket() = default;

    std::shared_ptr<Run> run;
    Gate gate;
  };

  /// A ticket for the run in progress.
  std::optional<Ticket> current_ticket() {
    std::lock_guard lock(mutex_);
    return run_ ? std::optional<Ticket>(ticket()) : std::nullopt;
  }

  /// A ticket for the run in progress, or for a new one, which the caller must then start: `begun` is that run.
  Ticket join_or_begin(std::shared_ptr<Run>& begun) {
    std::lock_guard lock(mutex_);
    if (!run_) begun = run_ = std::make_shared<Run>();
    return ticket();
  }

  /// A new run unless one is in progress.
  std::shared_ptr<Run> begin() {
    std::lock_guard lock(mutex_);
    if (run_) return nullptr;
    return run_ = std::make_shared<Run>();
  }

  void end(const std::shared_ptr<Run>& run, std::exception_ptr error) {
    {
      std::lock_guard lock(mutex_);
      run_.reset();
      run->error = std::move(error);
    }
    for (const Gate& waiter : run->waiters) waiter.open();  // nobody joins a run that is no longer the current one
  }

  bool running() const {
    std::lock_guard lock(mutex_);
    return run_ != nullptr;
  }

 private:
  Ticket ticket() {
    Ticket made;
    made.run = run_;
    run_->waiters.push_back(made.gate);
    return made;
  }

  mutable std::mutex mutex_;
  std::shared_ptr<Run> run_;  // in progress
};

namespace {

using Run = SharedOperationCore::Run;
using Ticket = SharedOperationCore::Ticket;

/// Ends the run however its coroutine ends: one that never began, or was destroyed, counts as cancelled.
class RunOwner {
 public:
  RunOwner(std::shared_ptr<SharedOperationCore> core, std::shared_ptr<Run> run)
      : core_(std::move(core)), run_(std::move(run)) {}
  RunOwner(RunOwner&&) noexcept = default;
  RunOwner& operator=(RunOwner&&) = delete;
  ~RunOwner() {
    if (run_) core_->end(run_, ended_ ? std::move(error_) : cancelled_error());
  }

  void end(std::exception_ptr error) {
    error_ = std::move(error);
    ended_ = true;
  }

 private:
  std::shared_ptr<SharedOperationCore> core_;
  std::shared_ptr<Run> run_;
  std::exception_ptr error_;
  bool ended_ = false;
};

Task<void> drive(RunOwner owner, Task<void> task) {
  try {
    co_await std::move(task);
    owner.end(nullptr);
  } catch (...) {
    owner.end(std::current_exception());
  }
}

void start_run(std::shared_ptr<SharedOperationCore> core, std::shared_ptr<Run> run, TaskScope& scope, Task<void> task) {
  RunOwner owner(std::move(core), std::move(run));
  if (!scope.spawn(drive(std::move(owner), std::move(task))))
    throw Error(Errc::closed, "the owner of the operation was closed");
}

Task<void> nothing() { co_return; }

Task<void> wait_for(Ticket ticket, CallContext context) {
  const Wake wake = co_await ticket.gate.wait(context.deadline());
  throw_unless_opened(wake, "waiting for a shared operation");
  if (ticket.run->error) std::rethrow_exception(ticket.run->error);
}

}  // namespace
}  // namespace detail

SharedOperation::SharedOperation() : core_(std::make_shared<detail::SharedOperationCore>()) {}

Task<void> SharedOperation::run(TaskScope& scope, Task<void> task, CallContext context) const {
  std::shared_ptr<detail::Run> begun;
  detail::Ticket ticket = core_->join_or_begin(begun);
  if (begun) detail::start_run(core_, std::move(begun), scope, std::move(task));
  return detail::wait_for(std::move(ticket), std::move(context));
}

bool SharedOperation::start(TaskScope& scope, Task<void> task) const {
  std::shared_ptr<detail::Run> begun = core_->begin();
  if (!begun) return false;
  detail::start_run(core_, std::move(begun), scope, std::move(task));
  return true;
}

Task<void> SharedOperation::wait(CallContext context) const {
  std::optional<detail::Ticket> ticket = core_->current_ticket();
  if (!ticket) return detail::nothing();
  return detail::wait_for(std::move(*ticket), std::move(context));
}

bool SharedOperation::running() const { return core_->running(); }

}  // namespace ragstone
