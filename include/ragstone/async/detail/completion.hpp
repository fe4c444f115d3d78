#pragma once

#include <ragstone/async/detail/operation.hpp>
#include <ragstone/async/detail/runtime_core.hpp>
#include <ragstone/async/task.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

namespace ragstone::detail {

template <class T>
class CompletionTraits {
 public:
  using Signature = void(std::exception_ptr, T);
  using Value = T;
};

template <>
class CompletionTraits<void> {
 public:
  using Signature = void(std::exception_ptr);
  using Value = std::monostate;
};

template <class T>
using CompletionSignature = typename CompletionTraits<T>::Signature;

/// A completion handler, what it will be called with, and the executor that it wants to run on, which is kept from
/// running out of work.
template <class T, class Handler>
class Completion final : public EndReport {
 public:
  using Value = typename CompletionTraits<T>::Value;

  Completion(Handler handler, const boost::asio::any_io_executor& executor)
      : work_(boost::asio::make_work_guard(handler, executor)), handler_(std::move(handler)) {}

  void set(Value value) { value_.emplace(std::move(value)); }
  void set(std::exception_ptr error) { error_ = std::move(error); }

  /// Once only. The handler is posted, so that what it throws leaves the context's run() and not a coroutine.
  void deliver() override {
    if (!value_) value_.emplace();
    auto call = [handler = std::move(handler_), error = std::move(error_), value = std::move(*value_)]() mutable {
      if constexpr (std::is_void_v<T>) {
        std::move(handler)(std::move(error));
      } else {
        std::move(handler)(std::move(error), std::move(value));
      }
    };
    boost::asio::post(work_.get_executor(), std::move(call));
  }

 private:
  using Executor = boost::asio::associated_executor_t<Handler, boost::asio::any_io_executor>;

  boost::asio::executor_work_guard<Executor> work_;
  Handler handler_;
  std::optional<Value> value_;
  std::exception_ptr error_;
};

template <class T, class Handler>
Task<void> complete(Task<T> task, std::shared_ptr<Completion<T, Handler>> completion) {
  try {
    co_await boost::asio::this_coro::throw_if_cancelled(true);
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      completion->set(std::monostate());
    } else {
      completion->set(co_await std::move(task));
    }
  } catch (...) {
    completion->set(std::current_exception());
  }
}

/// The exception of an operation that was refused because its Runtime is about to end.
std::exception_ptr runtime_closed();

/// Asio's initiation function of Runtime::spawn.
template <class T>
class InitiateSpawn {
 public:
  explicit InitiateSpawn(std::shared_ptr<RuntimeCore> core) : core_(std::move(core)) {}

  template <class Handler>
  void operator()(Handler&& handler, Task<T> task) const {
    using Completed = Completion<T, std::decay_t<Handler>>;
    auto executor = core_->serial_executor();
    auto operation = std::make_shared<Operation>(executor);
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) {
      slot.assign([weak = std::weak_ptr<Operation>(operation)](boost::asio::cancellation_type type) {
        if (auto live = weak.lock()) live->cancel(type);
      });
    }
    auto completion = std::make_shared<Completed>(std::forward<Handler>(handler), executor);
    if (!core_->start(operation, complete(std::move(task), completion), completion)) {
      completion->set(runtime_closed());
      completion->deliver();
    }
  }

 private:
  std::shared_ptr<RuntimeCore> core_;
};

}  // namespace ragstone::detail
