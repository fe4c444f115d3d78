#pragma once

#include <ragstone/async/task.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>

namespace ragstone::detail {

/// How a wait ended.
enum class Wake { opened, cancelled, expired };

/// Throws `operation_aborted` for cancelled, Errc::timeout naming `operation` for expired.
void throw_unless_opened(Wake wake, const char* operation);

/// Throws `operation_aborted`.
[[noreturn]] void throw_cancelled();
std::exception_ptr cancelled_error();

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

/// A door that is opened from any thread, and waited at by one coroutine on its serial executor. The executor's context
/// may be destroyed while the coroutine waits; opening the gate afterwards does nothing.
class Gate {
 public:
  Gate();

  /// Never resumes the coroutine inside this call.
  void open() const;
  /// Makes it serve another wait. An open() for the wait before may still be on its way and ends the new one for
  /// nothing, so who shuts a gate looks again whether what it waited for is there.
  void shut() const;
  bool is_open() const;
  /// Opened wins over cancelled and expired. At most one coroutine waits at a time.
  Task<Wake> wait(Deadline deadline) const;

 private:
  class State;
  class Sleeper;

  static Task<Wake> wait_at(std::shared_ptr<State> state, Deadline deadline);

  std::shared_ptr<State> state_;
};

}  // namespace ragstone::detail
