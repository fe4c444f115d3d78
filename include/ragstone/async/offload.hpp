#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/pool.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/base/stop.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace ragstone {

/// Synchronous work for a pool: holds a callable `T(const StopToken&)`, which polls the token at least every few
/// milliseconds and ends early (throw_if_stopped) once nobody wants the result.
///
/// Filled by set() only: a lambda passed straight to an awaited function is destroyed twice by g++ 12.
///
///     Work<Hits> work;
///     work.set([core, query](const StopToken& stop) { return core->search(query, stop); });
///     Hits hits = co_await offload(pool, Lane::foreground, std::move(work), context);
template <class T>
class Work {
 public:
  Work() = default;
  Work(Work&&) noexcept = default;
  Work& operator=(Work&&) noexcept = default;

  template <class F>
  requires std::is_invocable_r_v<T, F&, const StopToken&>
  void set(F callable) { call_ = std::make_unique<Holder<F>>(std::move(callable)); }

  /// Runs the callable. It must have been set.
  T operator()(const StopToken& stop) { return call_->run(stop); }
  /// Destroys the callable.
  void reset() noexcept { call_.reset(); }

  explicit operator bool() const noexcept { return call_ != nullptr; }

 private:
  class Callable {
   public:
    virtual ~Callable() = default;
    virtual T run(const StopToken& stop) = 0;
  };

  template <class F>
  class Holder final : public Callable {
   public:
    explicit Holder(F callable) : callable_(std::move(callable)) {}
    T run(const StopToken& stop) override { return callable_(stop); }

   private:
    F callable_;
  };

  std::unique_ptr<Callable> call_;
};

namespace detail {

template <class T>
class WorkJob final : public PoolJob {
 public:
  explicit WorkJob(Work<T> work) : work_(std::move(work)) {}

  void run(const StopToken& token) noexcept override {
    try {
      if constexpr (std::is_void_v<T>) {
        work_(token);
        result_.emplace();
      } else {
        result_.emplace(work_(token));
      }
    } catch (...) {
      error_ = std::current_exception();
    }
    work_.reset();
  }

  /// After `done`: the result or its exception, `operation_aborted` for a job that was skipped.
  T take() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    if (!result_) throw_cancelled();
    if constexpr (!std::is_void_v<T>) return std::move(*result_);
  }

 private:
  Work<T> work_;
  std::optional<std::conditional_t<std::is_void_v<T>, std::monostate, T>> result_;
  std::exception_ptr error_;
};

/// Throws Errc::invalid_argument.
[[noreturn]] void throw_no_work();

}  // namespace detail

/// Runs `work` on a lane of `pool`; the coroutine goes on, on its own executor, with the result or the exception.
///
/// Cancellation: terminal; the coroutine ends at once with `operation_aborted` while the job, if it has begun, gets a
/// stop request, and its late result is dropped. The same at the context's deadline, with Errc::timeout.
/// What `work` captured is destroyed on the pool's thread. Errors: those of `work`; Errc::closed once the Runtime is
/// gone; Errc::invalid_argument for work that was never set.
template <class T>
Task<T> offload(Pool pool, Lane lane, Work<T> work, CallContext context = {}) {
  if (!work) detail::throw_no_work();
  auto job = std::make_shared<detail::WorkJob<T>>(std::move(work));
  co_await detail::offload_job(pool, lane, job, context);
  co_return job->take();
}

}  // namespace ragstone
