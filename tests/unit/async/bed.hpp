#pragma once

#include <ragstone/async/runtime.hpp>
#include <ragstone/base/error.hpp>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <gtest/gtest.h>

namespace ragstone::test {

/// Counts the objects of a test that are alive: frames, callables, results.
class Live {
 public:
  explicit Live(std::shared_ptr<int> token) : token_(std::move(token)) {}

 private:
  std::shared_ptr<int> token_;
};

/// Where tasks can run. All asynchronous behaviour is tested on each.
enum class Place {
  one_thread,  ///< Tasks co_spawned on a caller's io_context with one thread.
  strand,      ///< Tasks co_spawned on strands over a caller's four threads.
  raw_pool,    ///< Tasks started by Runtime::spawn on a caller's bare four-thread pool.
  own_loop,    ///< Tasks started by Runtime::spawn on the Runtime's own loop.
};

std::string name_of(Place place);

/// A task that was started on a Bed.
class Started {
 public:
  /// From any one thread.
  void cancel();

 protected:
  std::function<void()> cancel_;

  friend class Bed;
};

template <class T>
class Running : public Started {
 public:
  /// Blocks for the result.
  T get() { return future_.get(); }

 private:
  friend class Bed;
  std::future<T> future_;
};

/// An executor of some kind with a Runtime on it. Its destructor checks that nothing was left behind: no operation, no
/// job, no object from live().
class Bed {
 public:
  explicit Bed(Place place, std::size_t pool_threads = 3);
  ~Bed();

  Runtime& runtime() { return *runtime_; }
  Pool pool() const { return runtime_->pool(); }
  /// An object that must be gone when the Bed is.
  Live live() const { return Live(live_); }
  std::size_t alive() const { return static_cast<std::size_t>(live_.use_count() - 1); }

  template <class T>
  Running<T> start(Task<T> task) {
    auto promise = std::make_shared<std::promise<T>>();
    auto signal = std::make_shared<boost::asio::cancellation_signal>();
    Running<T> running;
    running.future_ = promise->get_future();
    auto handler = [promise, signal](std::exception_ptr error, auto... value) {
      if (error) {
        promise->set_exception(std::move(error));
      } else {
        promise->set_value(std::move(value)...);
      }
    };
    auto completion = boost::asio::bind_cancellation_slot(signal->slot(), std::move(handler));
    if (place_ == Place::raw_pool || place_ == Place::own_loop) {
      runtime_->spawn(std::move(task), std::move(completion));
      running.cancel_ = [signal] { signal->emit(boost::asio::cancellation_type::terminal); };
    } else {
      const auto executor = caller_executor();
      boost::asio::co_spawn(executor, std::move(task), std::move(completion));
      running.cancel_ = [signal, executor] {
        boost::asio::post(executor, [signal] { signal->emit(boost::asio::cancellation_type::terminal); });
      };
    }
    return running;
  }

  template <class T>
  T run(Task<T> task) {
    return start(std::move(task)).get();
  }

 private:
  /// Where a caller with an executor of its own starts tasks.
  boost::asio::any_io_executor caller_executor();

  Place place_;
  std::shared_ptr<int> live_ = std::make_shared<int>();
  boost::asio::io_context context_;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
  std::thread thread_;
  std::optional<boost::asio::thread_pool> threads_;
  std::optional<Runtime> runtime_;
};

/// A suite that runs at every Place.
class EveryPlace : public testing::TestWithParam<Place> {};

#define RAGSTONE_EVERY_PLACE(suite)                                                                             \
  INSTANTIATE_TEST_SUITE_P(, suite,                                                                             \
                           testing::Values(Place::one_thread, Place::strand, Place::raw_pool, Place::own_loop), \
                           [](const auto& place) { return name_of(place.param); })

/// Suspends until the executor gets to it again.
Task<void> yield(int times = 1);
/// Waits; ends early only by cancellation.
Task<void> pause(std::chrono::microseconds duration);
/// Waits until cancelled.
Task<void> forever();

/// Whether `call` throws operation_aborted.
template <class F>
bool is_aborted(F call) {
  try {
    call();
  } catch (...) {
    return is_cancelled(std::current_exception());
  }
  return false;
}

/// The code of the Error that `call` throws, if it throws one.
template <class F>
std::optional<Errc> code_of(F call) {
  try {
    call();
  } catch (const Error& error) {
    return error.errc();
  } catch (...) {
  }
  return std::nullopt;
}

}  // namespace ragstone::test
