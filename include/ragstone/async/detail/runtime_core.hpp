#pragma once

#include <ragstone/async/detail/operation.hpp>
#include <ragstone/async/pool.hpp>
#include <ragstone/async/task.hpp>

#include <cstddef>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

namespace ragstone::detail {

/// Where an operation's end is made known, after the Runtime has struck it off its list. An operation that is destroyed
/// before its end only drops its report.
class EndReport {
 public:
  EndReport() = default;
  EndReport(const EndReport&) = delete;
  EndReport& operator=(const EndReport&) = delete;
  virtual ~EndReport() = default;

  virtual void deliver() = 0;
};

/// What a Runtime shares with the operations that it started; dropped by the last of them.
class RuntimeCore : public std::enable_shared_from_this<RuntimeCore> {
 public:
  RuntimeCore() = default;
  RuntimeCore(const RuntimeCore&) = delete;
  RuntimeCore& operator=(const RuntimeCore&) = delete;
  virtual ~RuntimeCore() = default;

  /// Errors: Errc::closed after the Runtime's end.
  virtual boost::asio::any_io_executor serial_executor() = 0;
  virtual Pool pool() const = 0;
  virtual bool owns_loop() const noexcept = 0;
  virtual std::size_t operations() const = 0;
  /// Throws Errc::invalid_argument where Runtime::run() must not block.
  virtual void require_blocking_run() const = 0;

  /// Starts `body` on the operation's executor, never inside this call. `body` begins with exceptions for cancellation
  /// switched off (this_coro::throw_if_cancelled), so that it always gets to put its result into the report; it must
  /// not throw. False, and both are dropped, if the Runtime is about to end.
  virtual bool start(std::shared_ptr<Operation> operation, Task<void> body, std::shared_ptr<EndReport> report) = 0;

  /// start() on a fresh serial executor. Errors: Errc::closed.
  void start_now(Task<void> body, std::shared_ptr<EndReport> report);
};

}  // namespace ragstone::detail
