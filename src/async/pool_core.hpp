#pragma once

#include "async/look_out.hpp"
#include <ragstone/async/pool.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_set>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>

namespace ragstone::detail {

/// The lanes, on threads of their own or on a caller's executors, and every job in them.
class PoolCore : public std::enable_shared_from_this<PoolCore> {
 public:
  /// `niceness`: of all threads but the foreground's.
  PoolCore(std::size_t foreground_threads, std::size_t background_threads, int niceness);
  /// The lanes of the writer and of upkeep are on `background`, too.
  PoolCore(boost::asio::any_io_executor foreground, boost::asio::any_io_executor background);

  /// False after shutdown().
  bool submit(Lane lane, std::shared_ptr<PoolJob> job);
  LaneStats stats(Lane lane) const;
  /// Whether a job of the foreground, on a thread of the pool's own, has not told its end yet.
  bool has_foreground_job() const noexcept { return foreground_jobs_ > 0; }
  /// Of the lanes' threads and of the event loop that asks them.
  LookOut& look_out() noexcept { return look_out_; }

  /// Asks every job to stop and waits for those that run; jobs that had not begun are skipped.
  void shutdown();

 private:
  using Clock = std::chrono::steady_clock;

  class LaneState {
   public:
    std::optional<boost::asio::thread_pool> threads;
    boost::asio::any_io_executor executor;
    LaneStats stats;
    bool looks_out = false;  ///< A thread is in next_soon() and takes what is handed to it.
    std::shared_ptr<PoolJob> handed;
    std::atomic<bool> is_handed = false;
    std::atomic<Clock::time_point> looked = Clock::time_point();  ///< When it did last: the scheduler may hold it up.
  };

  void run(LaneState& lane, const std::shared_ptr<PoolJob>& job);
  /// The next job, if it comes so soon that a thread which sleeps would take longer to wake up than to look out for it;
  /// or null. Who asks one question after the other asks soon.
  ///
  /// A job that no other follows costs up to kLookOut of CPU more, by one thread at a time, which gives way to whoever
  /// wants its core: on two cores 10 to 30 us were measured beside jobs of 100 us that came every 2 ms. Jobs that
  /// follow each other, or come 200 us later, take about 15 us less, and as much less CPU, since nobody is woken.
  std::shared_ptr<PoolJob> next_soon(LaneState& lane);
  bool is_own_foreground(const LaneState& lane) { return lane.threads && &lane == &lane_of(Lane::foreground); }
  LaneState& lane_of(Lane lane) { return lanes_[static_cast<std::size_t>(lane)]; }
  std::size_t running() const;  ///< Under the mutex.

  const int niceness_ = 0;
  LookOut look_out_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::array<LaneState, 4> lanes_;
  std::unordered_set<std::shared_ptr<PoolJob>> jobs_;
  std::atomic<int> foreground_jobs_ = 0;
  bool closed_ = false;
};

}  // namespace ragstone::detail
