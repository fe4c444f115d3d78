#pragma once

#include <ragstone/base/stop.hpp>

#include <cstddef>

namespace ragstone::kernel {

/// Looks at a stop token about every 100 us of work, so that loops can ask at every step.
class StopPoll {
 public:
  explicit StopPoll(const StopToken& stop) : stop_(stop) {}

  /// `work` is in units of about a nanosecond. Throws the cancellation error once a stop was requested.
  void spend(std::size_t work) {
    spent_ += work;
    if (spent_ < kBudget) return;
    spent_ = 0;
    throw_if_stopped(stop_);
  }

 private:
  static constexpr std::size_t kBudget = 100'000;

  const StopToken& stop_;
  std::size_t spent_ = kBudget;
};

}  // namespace ragstone::kernel
