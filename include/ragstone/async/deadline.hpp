#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/detail/task_batch.hpp>
#include <ragstone/async/task.hpp>

#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace ragstone {

/// Runs `task` on this coroutine's executor and bounds its time by the context's deadline: when that passes, the task
/// is cancelled, its end awaited, and Errc::timeout thrown. A task that ends with a value, or with an error of its own,
/// in spite of that wins. Without a deadline it is just the task. Cancellation: as the task's.
template <class T>
Task<T> with_deadline(Task<T> task, CallContext context) {
  if (!context.deadline()) co_return co_await std::move(task);
  std::vector<Task<T>> tasks;
  tasks.push_back(std::move(task));
  auto batch = std::make_shared<detail::TypedBatch<T>>(std::move(tasks));
  const auto deadline = context.deadline();
  const detail::BatchEnd end = co_await detail::run_batch(batch, 1, detail::OnError::cancel_others, deadline);
  if (!batch->all_succeeded()) detail::throw_unfinished(batch->error(0), end);
  if constexpr (!std::is_void_v<T>) co_return std::move(*batch->value(0));
}

/// with_deadline() for a duration from the start of the task.
template <class T>
Task<T> with_timeout(Task<T> task, CallContext::Clock::duration timeout) {
  CallContext context;
  context = context.with_timeout(timeout);
  co_return co_await with_deadline(std::move(task), context);
}

}  // namespace ragstone
