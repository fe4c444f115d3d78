#include <ragstone/async/observer.hpp>
#include <ragstone/base/error.hpp>

#include <algorithm>
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
  void on_event(const Event& event) override {
    std::unique_lock lock(mutex_);
    if (events_.size() >= capacity_) drop_a_token();
    events_.push_back(event);
    if (std::exchange(delivering_, true)) return;
    lock.unlock();
    deliver_later();
  }

  void drop_a_token() {
    const auto is_token = [](const Event& event) { return event.phase() == EventPhase::token; };
    const auto oldest = std::ranges::find_if(events_, is_token);
    if (oldest == events_.end()) return;
    events_.erase(oldest);
    count_dropped();
  }

  void deliver_later() {
    boost::asio::post(executor_, [self = shared_from_this()] { self->deliver_one(); });
  }

  // One at a time, so that a long queue leaves room for the executor's other work.
  void deliver_one() {
    std::unique_lock lock(mutex_);
    const Event event = std::move(events_.front());
    events_.pop_front();
    lock.unlock();
    target_->notify(event);
    lock.lock();
    delivering_ = !events_.empty();
    if (!delivering_) return;
    lock.unlock();
    deliver_later();
  }

  std::shared_ptr<Observer> target_;
  boost::asio::any_io_executor executor_;
  const std::size_t capacity_;
  std::mutex mutex_;
  std::deque<Event> events_;
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
