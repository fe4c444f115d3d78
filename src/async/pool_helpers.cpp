#include "async/pool_core.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

namespace ragstone {
namespace {

/// One run() and those who help with it. Helpers that come after its end find nothing to do.
class SharedWork {
 public:
  SharedWork(std::size_t count, const std::function<void(std::size_t)>& work) : work_(&work), count_(count) {}

  /// Does pieces of the work until none is left.
  void help() {
    std::unique_lock lock(mutex_);
    while (next_ < count_) {
      const std::size_t number = next_++;
      ++running_;
      lock.unlock();
      std::exception_ptr error;
      try {
        (*work_)(number);
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      if (error) next_ = count_;
      if (error && !error_) error_ = error;
      if (--running_ == 0) idle_.notify_all();
    }
  }

  /// After help(): waits for the pieces that others have begun.
  void finish() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return running_ == 0; });
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable idle_;
  const std::function<void(std::size_t)>* const work_;  ///< Gone after the last piece.
  const std::size_t count_;
  std::size_t next_ = 0;
  std::size_t running_ = 0;
  std::exception_ptr error_;
};

class HelpJob final : public detail::PoolJob {
 public:
  explicit HelpJob(std::shared_ptr<SharedWork> work) : work_(std::move(work)) {}

  void run(const StopToken&) noexcept override { work_->help(); }

 private:
  const std::shared_ptr<SharedWork> work_;
};

class PoolHelpers final : public Parallel {
 public:
  PoolHelpers(std::shared_ptr<detail::PoolCore> core, Lane lane) : core_(std::move(core)), lane_(lane) {
    const std::size_t own = core_ ? core_->stats(lane).threads : 1;
    width_ = own > 0 ? own : std::max(1U, std::thread::hardware_concurrency());
  }

  std::size_t width() const noexcept override { return width_; }

  void run(std::size_t count, const std::function<void(std::size_t)>& work) const override {
    const auto shared = std::make_shared<SharedWork>(count, work);
    try {
      for (std::size_t i = 1; i < std::min(count, width_); ++i)
        if (!core_->submit(lane_, std::make_shared<HelpJob>(shared))) break;
    } catch (const std::bad_alloc&) {
      // Fewer help.
    }
    shared->help();
    shared->finish();
  }

 private:
  const std::shared_ptr<detail::PoolCore> core_;
  const Lane lane_;
  std::size_t width_ = 1;
};

}  // namespace

std::shared_ptr<const Parallel> Pool::helpers(Lane lane) const { return std::make_shared<PoolHelpers>(core_, lane); }

}  // namespace ragstone
