#include <ragstone/async/observer.hpp>
#include <ragstone/base/error.hpp>

#include <cstdint>
#include <deque>
#include <mutex>
#include <utility>

#include <boost/asio/post.hpp>

namespace ragstone {
namespace {

class QueuedObserver final : public Observer, public std::enable_shared_from_this<QueuedObserver> {
 public:
  QueuedObserver(std::shared_ptr<Observer> target, boost::asio::any_io_executor executor, std::size_t capacity)
      : target_(std::move(target)), executor_(std::move(executor)), capacity_(capacity) {}

 private:
  struct Waiting {
    std::uint64_t number = 0;  // in the order of arrival
    Event event;
  };

  bool wants_tokens() const noexcept override { return target_->wants_tokens(); }

  void on_event(const Event& event) override {
    {
      const std::lock_guard lock(mutex_);
      if (tokens_.size() + others_.size() >= capacity_ && !tokens_.empty()) {
        tokens_.pop_front();
        count_dropped();
      }
      (event.phase() == EventPhase::token ? tokens_ : others_).push_back(Waiting{next_++, event});
      if (std::exchange(delivering_, true)) return;
    }
    deliver_later();
  }

  Event take_oldest() {
    const bool is_token = others_.empty() || (!tokens_.empty() && tokens_.front().number < others_.front().number);
    std::deque<Waiting>& from = is_token ? tokens_ : others_;
    Event event = std::move(from.front().event);
    from.pop_front();
    return event;
  }

  void deliver_later() {
    boost::asio::post(executor_, [self = shared_from_this()] { self->deliver_one(); });
  }

  // One at a time, so that a long queue leaves room for the executor's other work.
  void deliver_one() {
    std::unique_lock lock(mutex_);
    const Event event = take_oldest();
    lock.unlock();
    try {
      target_->notify(event);
    } catch (...) {  // it raises its errors, and has counted this one; here is no run that they could fail
    }
    lock.lock();
    delivering_ = !tokens_.empty() || !others_.empty();
    if (!delivering_) return;
    lock.unlock();
    deliver_later();
  }

  std::shared_ptr<Observer> target_;
  boost::asio::any_io_executor executor_;
  const std::size_t capacity_;
  std::mutex mutex_;
  std::deque<Waiting> tokens_;
  std::deque<Waiting> others_;
  std::uint64_t next_ = 0;
  bool delivering_ = false;  // there is a deliver_one() to come
};

}  // namespace

std::shared_ptr<Observer> queued_observer(std::shared_ptr<Observer> target, boost::asio::any_io_executor executor,
                                          std::size_t capacity) {
  if (!target || !executor) throw Error(Errc::invalid_argument, "queued_observer: needs an observer and an executor");
  if (capacity == 0) throw Error(Errc::invalid_argument, "queued_observer: the capacity is at least 1");
  return std::make_shared<QueuedObserver>(std::move(target), std::move(executor), capacity);
}

}  // namespace ragstone
