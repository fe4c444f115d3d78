#pragma once

#include <ragstone/async/event.hpp>
#include <ragstone/async/task.hpp>

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace ragstone {

/// One observed run: emits `start` when made and exactly one terminal event. A scope that dies without end() or fail()
/// emits `error`: `internal` while an exception passes, otherwise cancelled.
///
/// Without observers it does nothing and allocates nothing. Used by one coroutine; not thread-safe.
///
/// An observer that raises its errors (Observer::raise_errors) fails the run: the constructor, token(), retry() and
/// custom() throw what it threw, and end() does so after the run's `end` event. fail() never throws.
///
///     RunScope run(context, EventKind::retrieve, "MediumChunk");
///     auto hits = co_await search(query, run.context());
///     run.end(attributes);
class RunScope {
 public:
  RunScope(const CallContext& parent, EventKind kind, std::string_view name, Metadata attributes = {});
  RunScope(const RunScope&) = delete;
  RunScope& operator=(const RunScope&) = delete;
  ~RunScope();

  /// What to pass to the calls that this run makes.
  const CallContext& context() const noexcept { return context_; }
  /// Whether attributes are worth collecting.
  bool observed() const noexcept { return context_.observed(); }

  /// Middle events; ignored after the terminal one.
  void token(std::string_view text);
  void retry(Metadata attributes = {});
  void custom(Metadata attributes = {});

  /// The terminal events; only the first counts.
  void end(Metadata attributes = {});
  void fail(std::exception_ptr error, Metadata attributes = {});

 private:
  void emit(EventPhase phase, Metadata attributes, std::string_view text = {}, std::exception_ptr error = nullptr);

  CallContext context_;
  CallContext told_;  ///< The same without observers, for events.
  EventKind kind_;
  std::string name_;
  int exceptions_in_flight_ = 0;
  bool open_ = false;
  bool tokens_wanted_ = false;
};

/// Awaits `task` as the work of `run`: when it fails, the run fails with its exception. `run` outlives the task.
template <class T>
Task<T> in_run(RunScope& run, Task<T> task) {
  try {
    co_return co_await std::move(task);
  } catch (...) {
    run.fail(std::current_exception());
    throw;
  }
}

}  // namespace ragstone
