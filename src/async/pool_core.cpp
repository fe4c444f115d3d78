#include "async/pool_core.hpp"

#include "async/thread_priority.hpp"

#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

namespace ragstone {
namespace {

// About twice what it takes to wake an event loop that then asks again (benchmark words, through Retriever).
constexpr std::chrono::microseconds kLookOut(50);
// A thread that looks out gives way to others; where they take longer, waking one that sleeps is faster.
constexpr std::chrono::microseconds kHeldUp(20);

class Release final : public detail::PoolJob {
 public:
  explicit Release(std::shared_ptr<const void> object) : object_(std::move(object)) {}

  void run(const StopToken&) noexcept override { object_.reset(); }

 private:
  std::shared_ptr<const void> object_;
};

}  // namespace

LaneStats Pool::stats(Lane lane) const { return core_ ? core_->stats(lane) : LaneStats(); }

std::shared_ptr<const void> Pool::released_on(Lane lane, std::shared_ptr<const void> object) const {
  if (!core_ || !object) return object;
  const void* address = object.get();
  auto job = std::make_shared<Release>(std::move(object));
  return std::shared_ptr<const void>(address, [core = core_, lane, job = std::move(job)](const void*) mutable noexcept {
    try {
      core->submit(lane, std::move(job));
    } catch (...) {  // no memory for the job: the object has been given up here
    }
  });
}

namespace detail {

namespace asio = boost::asio;

PoolCore::PoolCore(std::size_t foreground_threads, std::size_t background_threads, int niceness) : niceness_(niceness) {
  const std::array<std::size_t, 4> counts{foreground_threads, background_threads, 1, 1};
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    lanes_[i].threads.emplace(counts[i]);
    lanes_[i].executor = lanes_[i].threads->get_executor();
    lanes_[i].stats.threads = counts[i];
  }
}

PoolCore::PoolCore(asio::any_io_executor foreground, asio::any_io_executor background) {
  lane_of(Lane::foreground).executor = std::move(foreground);
  lane_of(Lane::writer).executor = background;
  lane_of(Lane::upkeep).executor = background;
  lane_of(Lane::background).executor = std::move(background);
}

bool PoolCore::submit(Lane lane, std::shared_ptr<PoolJob> job) {
  LaneState& target = lane_of(lane);
  {
    std::lock_guard lock(mutex_);
    if (closed_) return false;
    jobs_.insert(job);
    ++target.stats.queued;
    if (is_own_foreground(target)) ++foreground_jobs_;
    if (target.looks_out && Clock::now() - target.looked.load() < kHeldUp) {
      target.looks_out = false;
      target.handed = std::move(job);
      target.is_handed = true;
      return true;
    }
  }
  asio::post(target.executor, [self = shared_from_this(), &target, job = std::move(job)]() mutable {
    const bool may_look_out = self->is_own_foreground(target);
    while (job) {
      self->run(target, std::exchange(job, nullptr));
      job = may_look_out ? self->next_soon(target) : nullptr;
    }
  });
  return true;
}

std::shared_ptr<PoolJob> PoolCore::next_soon(LaneState& lane) {
  {
    std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    if (closed_ || lane.stats.queued > 0 || lane.looks_out || lane.handed || !look_out_.is_worthwhile(now))
      return nullptr;
    lane.looks_out = true;
    lane.is_handed = false;
    lane.looked = now;
  }
  const auto end = lane.looked.load() + kLookOut;
  while (!lane.is_handed && lane.looked.load() < end) lane.looked = look_out_.give_way(lane.looked);
  std::lock_guard lock(mutex_);
  lane.looks_out = false;
  return std::move(lane.handed);
}

void PoolCore::run(LaneState& lane, const std::shared_ptr<PoolJob>& job) {
  {
    std::lock_guard lock(mutex_);
    --lane.stats.queued;
    ++lane.stats.running;
  }
  if (lane.threads && !is_own_foreground(lane)) {
    static thread_local bool is_lowered = false;
    if (!std::exchange(is_lowered, true)) lower_priority(niceness_);
  }
  const StopToken stop = job->stop.get_token();
  if (!stop.stop_requested()) job->run(stop);
  {
    std::lock_guard lock(mutex_);
    jobs_.erase(job);
    --lane.stats.running;
    ++lane.stats.finished;
    idle_.notify_all();
  }
  job->done.open();
  if (is_own_foreground(lane)) --foreground_jobs_;
}

LaneStats PoolCore::stats(Lane lane) const {
  std::lock_guard lock(mutex_);
  return lanes_[static_cast<std::size_t>(lane)].stats;
}

std::size_t PoolCore::running() const {
  std::size_t running = 0;
  for (const LaneState& lane : lanes_) running += lane.stats.running;
  return running;
}

void PoolCore::shutdown() {
  std::vector<std::shared_ptr<PoolJob>> jobs;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    jobs.assign(jobs_.begin(), jobs_.end());
  }
  for (const auto& job : jobs) job->stop.request_stop();
  jobs.clear();
  {
    // Threads of our own get to every job, also to one that submit() is about to post; a caller's may have stopped.
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return lanes_[0].threads ? jobs_.empty() : running() == 0; });
  }
  for (LaneState& lane : lanes_)
    if (lane.threads) lane.threads->join();
}

}  // namespace detail
}  // namespace ragstone
