#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>

namespace ragstone::detail {

/// A coroutine that runs on its own serial executor and can be cancelled from any thread. The executor is given up when
/// the coroutine ends or is destroyed, so that whoever still holds the operation may outlive the executor's context.
class Operation : public std::enable_shared_from_this<Operation> {
 public:
  explicit Operation(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  /// Thread-safe; returns before the coroutine knows. Nothing happens once it has ended.
  void cancel(boost::asio::cancellation_type type = boost::asio::cancellation_type::terminal);

  /// For the one who starts and ends the coroutine, on its executor.
  boost::asio::any_io_executor executor() const { return *executor_; }
  /// The signal is used on the executor only.
  boost::asio::cancellation_slot slot() noexcept { return signal_.slot(); }
  /// Passes on a cancellation that came before the coroutine had taken the slot.
  void repeat_early_cancellation();
  void close();

 private:
  std::mutex mutex_;
  std::optional<boost::asio::any_io_executor> executor_;
  boost::asio::cancellation_signal signal_;
  std::optional<boost::asio::cancellation_type> early_;  ///< On the executor, until the coroutine starts.
  bool started_ = false;
};

}  // namespace ragstone::detail
