#pragma once

#include <chrono>
#include <optional>

namespace ragstone::detail {

/// What a limit per minute has left. Fills steadily up to a second's share. More than is there may be taken once it is
/// full; then it must fill up from below zero. No clock of its own; not thread-safe.
class TokenBucket {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  /// 0: no limit.
  explicit TokenBucket(double per_minute) noexcept;

  /// When to ask again whether `amount` can be taken; 0: it can. At most an hour.
  Duration wait(TimePoint now, double amount) noexcept;
  void take(double amount) noexcept;
  /// Of what was taken, and not used.
  void give_back(double amount) noexcept;
  /// So much more was used than was taken, by what a server says; less if it is below 0. Whatever that is, it makes
  /// nobody wait for more than a minute's share.
  void correct(double more) noexcept;

 private:
  void fill(TimePoint now) noexcept;

  double rate_;  // per second
  double capacity_;
  double level_;
  std::optional<TimePoint> last_;
};

}  // namespace ragstone::detail
