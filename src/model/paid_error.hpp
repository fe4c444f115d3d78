#pragma once

#include <ragstone/async/task.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/model/usage.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

namespace ragstone {

/// What several calls have used together.
class UsageSum {
 public:
  void add(const Usage& usage) {
    total_ = calls_ == 0 ? usage : total_ + usage;
    ++calls_;
  }

  const Usage& total() const noexcept { return total_; }
  std::size_t calls() const noexcept { return calls_; }

 private:
  Usage total_;
  std::size_t calls_ = 0;
};

/// `error` as that of a call that failed, or was cancelled, after it had used something. What the error itself already
/// tells is added. Of no usage nothing is told, nor by errors that are neither Error nor boost's system_error.
std::exception_ptr paid(std::exception_ptr error, const Usage& used);

/// `error` without what it tells of usage, once that was told by a run: who called must not tell it again.
std::exception_ptr unpaid(std::exception_ptr error);

/// What paid() has put into an error.
std::optional<Usage> usage_of(const std::exception_ptr& error) noexcept;

/// Awaits `task`. What its error tells of usage goes into `used`, since a deadline may put another in its place.
template <class T>
Task<T> noting_usage(Task<T> task, UsageSum* used) {
  try {
    co_return co_await std::move(task);
  } catch (...) {
    if (const auto told = usage_of(std::current_exception())) used->add(*told);
    throw;
  }
}

}  // namespace ragstone
