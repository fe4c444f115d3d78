#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/detail/gate.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/base/ids.hpp>

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ragstone {

/// Values that somebody is about to have, by key: those who want the same wait for that one. Thread-safe.
///
/// One caller leads a flight; if it goes without landing it (cancelled, timed out), those who wait are told to try
/// again themselves.
template <class Value>
class Flights : public std::enable_shared_from_this<Flights<Value>> {
  struct Flight {
    std::vector<detail::Gate> waiters;
    std::optional<Value> value;
    std::exception_ptr error;
  };

 public:
  /// The duty to land a flight. The destructor gives it up.
  class Lead {
   public:
    Lead(std::shared_ptr<Flights> flights, Hash128 key, std::shared_ptr<Flight> flight)
        : flights_(std::move(flights)), key_(key), flight_(std::move(flight)) {}
    Lead(Lead&&) noexcept = default;
    Lead& operator=(Lead&&) = delete;
    ~Lead() { end(); }

    void land(Value value) {
      flight_->value = std::move(value);
      end();
    }
    /// A failure that is no fault of the leader's caller: all who wait get it.
    void fail(std::exception_ptr error) {
      flight_->error = std::move(error);
      end();
    }

   private:
    void end() noexcept {
      if (!flights_) return;
      std::vector<detail::Gate> waiters = flights_->finish(key_);
      for (const detail::Gate& waiter : waiters) waiter.open();
      flights_.reset();
    }

    std::shared_ptr<Flights> flights_;
    Hash128 key_;
    std::shared_ptr<Flight> flight_;
  };

  /// A seat in another's flight.
  class Seat {
   public:
    Seat(std::shared_ptr<Flight> flight, detail::Gate gate) : flight_(std::move(flight)), gate_(std::move(gate)) {}

    /// The value; none if the leader gave up. Errors: the flight's; Errc::timeout at the deadline.
    Task<std::optional<Value>> wait(CallContext context) {
      const detail::Wake wake = co_await gate_.wait(context.deadline());
      detail::throw_unless_opened(wake, "waiting for an equal call");
      if (flight_->error) std::rethrow_exception(flight_->error);
      co_return flight_->value;
    }

   private:
    std::shared_ptr<Flight> flight_;
    detail::Gate gate_;
  };

  /// A lead for a key that nobody flies, otherwise a seat.
  void join(const Hash128& key, std::optional<Lead>& lead, std::optional<Seat>& seat) {
    const std::lock_guard lock(mutex_);
    auto& flight = flights_[key];
    if (!flight) {
      flight = std::make_shared<Flight>();
      lead.emplace(this->shared_from_this(), key, flight);
    } else {
      flight->waiters.emplace_back();
      seat.emplace(flight, flight->waiters.back());
    }
  }

 private:
  /// Nobody joins a flight any more once it is finished.
  std::vector<detail::Gate> finish(const Hash128& key) noexcept {
    const std::lock_guard lock(mutex_);
    const auto found = flights_.find(key);
    std::vector<detail::Gate> waiters = std::move(found->second->waiters);
    flights_.erase(found);
    return waiters;
  }

  std::mutex mutex_;
  std::unordered_map<Hash128, std::shared_ptr<Flight>> flights_;
};

/// Whether a leader's failure concerns those who wait as well.
inline bool concerns_all(const std::exception_ptr& error) noexcept {
  return !is_cancelled(error) && errc_of(error) != Errc::timeout;
}

}  // namespace ragstone
