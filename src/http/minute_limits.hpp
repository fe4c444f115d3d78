#pragma once

#include "http/token_bucket.hpp"
#include <ragstone/http/rate_gate.hpp>

namespace ragstone::detail {

/// What limits per minute, of requests and of tokens, have left. Nine tenths of the tokens are for all calls; one tenth
/// is for queries where those have none left, so that none waits until a large request of ingest is made up for. No
/// clock of its own; not thread-safe.
class MinuteLimits {
 public:
  using TimePoint = TokenBucket::TimePoint;
  using Duration = TokenBucket::Duration;

  explicit MinuteLimits(const RateLimits& limits) noexcept
      : requests_(limits.requests_per_minute),
        tokens_(kShared * limits.tokens_per_minute),
        reserve_((1 - kShared) * limits.tokens_per_minute) {}

  /// As TokenBucket::wait(), for one request.
  Duration wait(TimePoint now, CallPriority priority, double tokens) noexcept;
  /// Once wait() was 0. Whether the tokens are of the reserve.
  bool take(TimePoint now, double tokens) noexcept;
  void give_back(double tokens, bool of_reserve) noexcept;
  void correct(double more_tokens) noexcept { tokens_.correct(more_tokens); }

 private:
  static constexpr double kShared = 0.9;

  TokenBucket requests_;
  TokenBucket tokens_;
  TokenBucket reserve_;
};

}  // namespace ragstone::detail
