#pragma once

#include <ragstone/async/detail/task_batch.hpp>
#include <ragstone/async/outcome.hpp>
#include <ragstone/async/task.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace ragstone {

class GatherOptions {
 public:
  GatherOptions() = default;

  std::size_t limit = 0;  ///< Tasks running at once; 0: all.
};

static_assert(!std::is_aggregate_v<GatherOptions>);

namespace detail {

/// The value type of gather(): a vector of results, or nothing for tasks without results.
template <class T>
class GatherTraits {
 public:
  using Values = std::vector<T>;
};

template <>
class GatherTraits<void> {
 public:
  using Values = void;
};

}  // namespace detail

/// Runs all tasks side by side on this coroutine's executor and returns their results in input order.
///
/// Fails fast: the first error cancels the other tasks, waits for their end, and is thrown; tasks that had not begun
/// never begin. Cancellation: terminal; cancels the tasks and waits for their end.
template <class T>
Task<typename detail::GatherTraits<T>::Values> gather(std::vector<Task<T>> tasks, GatherOptions options = {}) {
  auto batch = std::make_shared<detail::TypedBatch<T>>(std::move(tasks));
  const detail::BatchEnd end =
      co_await detail::run_batch(batch, options.limit, detail::OnError::cancel_others, std::nullopt);
  if (end.cancelled && !batch->all_succeeded()) detail::throw_cancelled();
  if (end.first_failed) std::rethrow_exception(batch->error(*end.first_failed));
  if constexpr (!std::is_void_v<T>) {
    std::vector<T> values;
    values.reserve(batch->size());
    for (std::size_t i = 0; i < batch->size(); ++i) values.push_back(std::move(*batch->value(i)));
    co_return values;
  }
}

/// As gather(), but an error ends only its own task: a result or an exception for each, in input order.
template <class T>
Task<std::vector<Outcome<T>>> gather_outcomes(std::vector<Task<T>> tasks, GatherOptions options = {}) {
  auto batch = std::make_shared<detail::TypedBatch<T>>(std::move(tasks));
  const detail::BatchEnd end =
      co_await detail::run_batch(batch, options.limit, detail::OnError::keep_going, std::nullopt);
  if (end.cancelled && !batch->all_succeeded()) detail::throw_cancelled();
  std::vector<Outcome<T>> outcomes;
  outcomes.reserve(batch->size());
  for (std::size_t i = 0; i < batch->size(); ++i) {
    if (batch->value(i)) {
      outcomes.emplace_back(std::move(*batch->value(i)));
    } else {
      outcomes.emplace_back(batch->error(i));
    }
  }
  co_return outcomes;
}

}  // namespace ragstone
