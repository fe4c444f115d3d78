#include "http/token_bucket.hpp"

#include <algorithm>

namespace ragstone::detail {

TokenBucket::TokenBucket(double per_minute) noexcept
    : rate_(per_minute / 60), capacity_(std::max(1.0, rate_)), level_(capacity_) {}

TokenBucket::Duration TokenBucket::wait(TimePoint now, double amount) noexcept {
  if (rate_ <= 0) return Duration::zero();
  fill(now);
  const double missing = std::min(amount, capacity_) - level_;
  if (missing <= 1e-9) return Duration::zero();
  constexpr double kLongest = 3'600;  // a debt of the caller's own making may be any number, and a Duration may not
  const std::chrono::duration<double> seconds(std::min(missing / rate_, kLongest));
  return std::chrono::duration_cast<Duration>(seconds) + Duration(1);
}

void TokenBucket::take(double amount) noexcept {
  if (rate_ > 0) level_ -= amount;
}

void TokenBucket::give_back(double amount) noexcept { level_ = std::min(capacity_, level_ + amount); }

void TokenBucket::correct(double more) noexcept {
  if (rate_ <= 0) return;
  const double lowest = std::min(level_, -60 * rate_);
  level_ = std::clamp(level_ - more, lowest, capacity_);
}

void TokenBucket::fill(TimePoint now) noexcept {
  if (last_) level_ = std::min(capacity_, level_ + std::chrono::duration<double>(now - *last_).count() * rate_);
  last_ = now;
}

}  // namespace ragstone::detail
