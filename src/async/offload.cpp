#include "async/pool_core.hpp"
#include <ragstone/async/offload.hpp>
#include <ragstone/base/error.hpp>

#include <utility>

namespace ragstone::detail {
namespace {

/// Tells the job that nobody wants its result any more, however the waiting coroutine ends.
class StopAtExit {
 public:
  explicit StopAtExit(std::shared_ptr<PoolJob> job) : job_(std::move(job)) {}
  StopAtExit(const StopAtExit&) = delete;
  StopAtExit& operator=(const StopAtExit&) = delete;
  ~StopAtExit() { job_->stop.request_stop(); }

 private:
  std::shared_ptr<PoolJob> job_;
};

}  // namespace

void throw_no_work() { throw Error(Errc::invalid_argument, "offload: the work was never set"); }

Task<void> offload_job(Pool pool, Lane lane, std::shared_ptr<PoolJob> job, CallContext context) {
  if (context.deadline() && *context.deadline() <= CallContext::Clock::now())
    throw_unless_opened(Wake::expired, "offload");
  if (!pool.core_ || !pool.core_->submit(lane, job)) throw Error(Errc::closed, "offload: the pool's Runtime is gone");
  const StopAtExit stop_at_exit(job);
  const Wake wake = co_await job->done.wait(context.deadline());
  throw_unless_opened(wake, "offload");
}

}  // namespace ragstone::detail
