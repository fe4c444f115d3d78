#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/detail/gate.hpp>
#include <ragstone/async/lane.hpp>
#include <ragstone/base/parallel.hpp>
#include <ragstone/base/stop.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace ragstone {

class Pool;

/// Counts of one lane at one moment.
class LaneStats {
 public:
  LaneStats() = default;

  std::size_t threads = 0;     ///< 0 if the lane runs on a caller's executor.
  std::size_t queued = 0;      ///< Submitted, not begun.
  std::size_t running = 0;     ///< Begun, not finished.
  std::uint64_t finished = 0;  ///< Ever, skipped ones included.
};

static_assert(!std::is_aggregate_v<LaneStats>);

namespace detail {

class PoolCore;

/// A unit of work in a pool. `done` opens when the pool is through with it.
class PoolJob {
 public:
  PoolJob() = default;
  PoolJob(const PoolJob&) = delete;
  PoolJob& operator=(const PoolJob&) = delete;
  virtual ~PoolJob() = default;

  /// Not called at all if a stop was requested before the job's turn.
  virtual void run(const StopToken& stop) noexcept = 0;

  std::stop_source stop;
  Gate done;
};

/// What offload() is made of: runs `job` on a lane and waits for it. Errors: as offload().
Task<void> offload_job(Pool pool, Lane lane, std::shared_ptr<PoolJob> job, CallContext context);

}  // namespace detail

/// Threads for work that would block an event loop: see offload(). A cheap handle; made by a Runtime and, once that
/// is gone, refusing work with Errc::closed. The empty handle refuses too. Thread-safe.
class Pool {
 public:
  Pool() = default;
  explicit Pool(std::shared_ptr<detail::PoolCore> core) : core_(std::move(core)) {}

  LaneStats stats(Lane lane) const;

  /// The same object behind a pointer whose last copy, wherever it is dropped, gives the object up on a thread of
  /// `lane`: for what is costly to destroy. Once the Runtime is gone, the object is given up where the copy is dropped.
  std::shared_ptr<const void> released_on(Lane lane, std::shared_ptr<const void> object) const;

  /// The threads of `lane` as helpers of a job that runs there. The job's own thread does all that no other is free
  /// for, so that it never waits for one that is busy; once the Runtime is gone, it does everything.
  std::shared_ptr<const Parallel> helpers(Lane lane) const;

  explicit operator bool() const noexcept { return core_ != nullptr; }

 private:
  friend Task<void> detail::offload_job(Pool pool, Lane lane, std::shared_ptr<detail::PoolJob> job,
                                        CallContext context);

  std::shared_ptr<detail::PoolCore> core_;
};

}  // namespace ragstone
