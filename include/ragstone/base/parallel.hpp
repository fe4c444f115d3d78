#pragma once

#include <cstddef>
#include <functional>

namespace ragstone {

/// Threads that help with a piece of work.
class Parallel {
 public:
  virtual ~Parallel() = default;

  /// How many work at a time, at most, the caller included.
  virtual std::size_t width() const noexcept = 0;

  /// Calls work(0) to work(count - 1), each once, on the calling thread and others; returns when all have returned.
  /// An exception of one of them is thrown here, and calls that have not begun may be left out then.
  virtual void run(std::size_t count, const std::function<void(std::size_t)>& work) const = 0;
};

}  // namespace ragstone
