#pragma once

#include <ragstone/async/detail/gate.hpp>
#include <ragstone/async/task.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace ragstone::detail {

/// Tasks that run side by side, and what became of each.
class TaskBatch {
 public:
  TaskBatch() = default;
  TaskBatch(const TaskBatch&) = delete;
  TaskBatch& operator=(const TaskBatch&) = delete;
  virtual ~TaskBatch() = default;

  virtual std::size_t size() const noexcept = 0;
  /// Runs task i and keeps its result; never throws.
  virtual Task<void> run(std::size_t i) = 0;
  virtual bool failed(std::size_t i) const noexcept = 0;
};

template <class T>
class TypedBatch final : public TaskBatch {
 public:
  using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  explicit TypedBatch(std::vector<Task<T>> tasks)
      : tasks_(std::move(tasks)), values_(tasks_.size()), errors_(tasks_.size()) {}

  std::size_t size() const noexcept override { return tasks_.size(); }
  bool failed(std::size_t i) const noexcept override { return errors_[i] != nullptr; }

  Task<void> run(std::size_t i) override {
    try {
      if constexpr (std::is_void_v<T>) {
        co_await std::move(tasks_[i]);
        values_[i].emplace();
      } else {
        values_[i].emplace(co_await std::move(tasks_[i]));
      }
    } catch (...) {
      errors_[i] = std::current_exception();
    }
  }

  bool all_succeeded() const noexcept {
    return std::ranges::all_of(values_, [](const auto& value) { return value.has_value(); });
  }
  /// Empty for a task that failed or never ran.
  std::optional<Value>& value(std::size_t i) { return values_[i]; }
  std::exception_ptr error(std::size_t i) { return std::move(errors_[i]); }

 private:
  std::vector<Task<T>> tasks_;
  std::vector<std::optional<Value>> values_;
  std::vector<std::exception_ptr> errors_;
};

enum class OnError { cancel_others, keep_going };

/// Why a batch ended before all its tasks ran to their own end.
class BatchEnd {
 public:
  BatchEnd() = default;

  bool cancelled = false;                   ///< The parent was cancelled.
  bool expired = false;                     ///< The deadline passed.
  std::optional<std::size_t> first_failed;  ///< In time; only with OnError::cancel_others.
};

/// Runs a batch on the coroutine's own executor, at most `limit` tasks at once (0: all), and returns when all that were
/// started have ended, also after a cancellation, the deadline or a failure, upon which those still running are
/// cancelled and no other is started. Throws `operation_aborted` only if cancelled before the start.
Task<BatchEnd> run_batch(std::shared_ptr<TaskBatch> batch, std::size_t limit, OnError on_error, Deadline deadline);

/// Throws what a lone task's failure means: `error`, unless that is only the answer to the batch's own cancellation;
/// then Errc::timeout if the deadline passed, `operation_aborted` otherwise. `error` is null for a task that never ran.
[[noreturn]] void throw_unfinished(std::exception_ptr error, const BatchEnd& end);

}  // namespace ragstone::detail
