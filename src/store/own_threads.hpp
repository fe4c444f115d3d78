#pragma once

#include <ragstone/base/parallel.hpp>

namespace ragstone {

/// Threads that live as long as one run(), with the priority of the thread that calls it: for work of many seconds.
/// Where the system gives fewer than width(), those that there are do the work, the calling one at least.
class OwnThreads final : public Parallel {
 public:
  /// At least 1.
  explicit OwnThreads(std::size_t width) : width_(width) {}
  /// As many as processors, less one that is left to queries.
  static OwnThreads all_but_one();

  std::size_t width() const noexcept override { return width_; }
  void run(std::size_t count, const std::function<void(std::size_t)>& work) const override;

 private:
  std::size_t width_;
};

}  // namespace ragstone
