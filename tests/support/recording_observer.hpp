#pragma once

#include <ragstone/async/observer.hpp>

#include <mutex>
#include <vector>

namespace ragstone::test {

/// Keeps all events in the order of their arrival. Thread-safe.
class RecordingObserver final : public Observer {
 public:
  std::vector<Event> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }

  /// The phases of all events, in order.
  std::vector<EventPhase> phases() const {
    std::vector<EventPhase> phases;
    for (const Event& event : events()) phases.push_back(event.phase());
    return phases;
  }

 private:
  void on_event(const Event& event) override {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
  }

  mutable std::mutex mutex_;
  std::vector<Event> events_;
};

}  // namespace ragstone::test
