#include <ragstone/async/detail/gate.hpp>
#include <ragstone/async/detail/operation.hpp>
#include <ragstone/async/detail/runtime_core.hpp>
#include <ragstone/async/runtime.hpp>
#include <ragstone/async/task_scope.hpp>
#include <ragstone/base/error.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include <boost/asio/this_coro.hpp>

namespace ragstone {
namespace detail {

class TaskScopeCore : public std::enable_shared_from_this<TaskScopeCore> {
 public:
  explicit TaskScopeCore(std::shared_ptr<RuntimeCore> runtime)
      : runtime_(std::move(runtime)), executor_(runtime_->serial_executor()) {}

  bool spawn(Task<void> task);

  void cancel() {
    std::vector<std::shared_ptr<Operation>> running;
    {
      std::lock_guard lock(mutex_);
      cancelled_ = true;
      running.assign(operations_.begin(), operations_.end());
    }
    for (const auto& operation : running) operation->cancel();
  }

  void leave(const std::shared_ptr<Operation>& operation) {
    std::vector<Gate> joiners;
    {
      std::lock_guard lock(mutex_);
      operations_.erase(operation);
      if (operations_.empty()) joiners.swap(joiners_);
    }
    for (const Gate& joiner : joiners) joiner.open();
  }

  void count_failure() {
    std::lock_guard lock(mutex_);
    ++failed_;
  }

  /// Nothing if no task runs, otherwise what opens when none does.
  std::optional<Gate> idle() {
    std::lock_guard lock(mutex_);
    if (operations_.empty()) return std::nullopt;
    return joiners_.emplace_back();
  }

  std::size_t running() const {
    std::lock_guard lock(mutex_);
    return operations_.size();
  }

  std::uint64_t failed() const {
    std::lock_guard lock(mutex_);
    return failed_;
  }

  const boost::asio::any_io_executor& executor() const noexcept { return executor_; }

 private:
  const std::shared_ptr<RuntimeCore> runtime_;
  const boost::asio::any_io_executor executor_;
  mutable std::mutex mutex_;
  std::unordered_set<std::shared_ptr<Operation>> operations_;
  std::vector<Gate> joiners_;
  std::uint64_t failed_ = 0;
  bool cancelled_ = false;
};

namespace {

/// Keeps a task in its scope's list until it has ended or was destroyed.
class Membership final : public EndReport {
 public:
  Membership(std::shared_ptr<TaskScopeCore> scope, std::shared_ptr<Operation> operation)
      : scope_(std::move(scope)), operation_(std::move(operation)) {}
  ~Membership() override { deliver(); }

  void deliver() override {
    if (operation_) scope_->leave(operation_);
    operation_.reset();
  }
  void count_failure() { scope_->count_failure(); }

 private:
  std::shared_ptr<TaskScopeCore> scope_;
  std::shared_ptr<Operation> operation_;
};

Task<void> run_member(std::shared_ptr<Membership> membership, Task<void> task) {
  try {
    co_await boost::asio::this_coro::throw_if_cancelled(true);
    co_await std::move(task);
  } catch (...) {
    if (!is_cancelled(std::current_exception())) membership->count_failure();
  }
}

Task<void> join(std::shared_ptr<TaskScopeCore> scope, CallContext context) {
  while (true) {
    const std::optional<Gate> idle = scope->idle();
    if (!idle) co_return;
    const Wake wake = co_await idle->wait(context.deadline());
    throw_unless_opened(wake, "join");
  }
}

}  // namespace

bool TaskScopeCore::spawn(Task<void> task) {
  auto operation = std::make_shared<Operation>(executor_);
  {
    std::lock_guard lock(mutex_);
    if (cancelled_) return false;
    operations_.insert(operation);
  }
  auto membership = std::make_shared<Membership>(shared_from_this(), operation);
  Task<void> body = run_member(membership, std::move(task));
  return runtime_->start(operation, std::move(body), std::move(membership));
}

}  // namespace detail

TaskScope::TaskScope(Runtime& runtime) : core_(std::make_shared<detail::TaskScopeCore>(runtime.core_)) {}

TaskScope::~TaskScope() { core_->cancel(); }

bool TaskScope::spawn(Task<void> task) { return core_->spawn(std::move(task)); }
void TaskScope::cancel() { core_->cancel(); }
Task<void> TaskScope::join(CallContext context) const { return detail::join(core_, std::move(context)); }
std::size_t TaskScope::running() const { return core_->running(); }
std::uint64_t TaskScope::failed() const { return core_->failed(); }
boost::asio::any_io_executor TaskScope::executor() const { return core_->executor(); }

}  // namespace ragstone
