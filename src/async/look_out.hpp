#pragma once

#include <atomic>
#include <chrono>
#include <thread>

namespace ragstone::detail {

/// For threads that stay awake for a moment, since what they wait for comes soon and waking them would take longer.
/// Between two looks they give way to others. Where that takes long, a thread that computes has got the core, and keeps
/// it up to a tick of the scheduler, while one that sleeps would be woken at once: then nobody looks out for a while.
///
/// All methods may be called by several threads at the same time.
class LookOut {
 public:
  using Clock = std::chrono::steady_clock;

  bool is_worthwhile(Clock::time_point now) const noexcept {
    return now >= rest_until_.load(std::memory_order_relaxed);
  }

  /// Lets other threads run; `now`: when it is called. Returns when it is back.
  Clock::time_point give_way(Clock::time_point now) noexcept {
    std::this_thread::yield();
    const Clock::time_point back = Clock::now();
    gave_way(now, back);
    return back;
  }

  /// That other threads had the core from `left` to `back`.
  void gave_way(Clock::time_point left, Clock::time_point back) noexcept {
    if (back - left >= kLong) rest_until_.store(back + kRest, std::memory_order_relaxed);
  }

 private:
  // Threads that question and answer in turn have a core for less; a tick is 1 to 10 ms.
  static constexpr std::chrono::microseconds kLong{300};
  // So that such waits are a few percent of the time at most (benchmark ingest, queries while a group is built).
  static constexpr std::chrono::milliseconds kRest{200};

  std::atomic<Clock::time_point> rest_until_ = Clock::time_point();
};

}  // namespace ragstone::detail
