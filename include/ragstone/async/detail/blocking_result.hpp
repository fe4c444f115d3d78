#pragma once

#include <ragstone/async/detail/gate.hpp>
#include <ragstone/async/detail/runtime_core.hpp>
#include <ragstone/async/task.hpp>

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/asio/this_coro.hpp>

namespace ragstone::detail {

/// Where a thread waits for a coroutine's result.
template <class T>
class BlockingResult {
 public:
  using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  /// The result; `operation_aborted` if the coroutine was destroyed before its end.
  T wait() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return done_; });
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    if (!value_) throw_cancelled();
    if constexpr (!std::is_void_v<T>) return std::move(*value_);
  }

  void set(Value value) { value_.emplace(std::move(value)); }
  void set(std::exception_ptr error) { error_ = std::move(error); }

  void finish() {
    std::lock_guard lock(mutex_);
    done_ = true;
    ended_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool done_ = false;
  std::optional<Value> value_;
  std::exception_ptr error_;
};

/// Ends the wait when the operation has ended or was destroyed.
template <class T>
class BlockingReport final : public EndReport {
 public:
  explicit BlockingReport(std::shared_ptr<BlockingResult<T>> result) : result_(std::move(result)) {}
  ~BlockingReport() override { result_->finish(); }

  void deliver() override { result_->finish(); }

 private:
  std::shared_ptr<BlockingResult<T>> result_;
};

template <class T>
Task<void> store_result(Task<T> task, std::shared_ptr<BlockingResult<T>> result) {
  try {
    co_await boost::asio::this_coro::throw_if_cancelled(true);
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      result->set(std::monostate());
    } else {
      result->set(co_await std::move(task));
    }
  } catch (...) {
    result->set(std::current_exception());
  }
}

}  // namespace ragstone::detail
