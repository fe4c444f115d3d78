#include "http/minute_limits.hpp"

#include <algorithm>

namespace ragstone::detail {

MinuteLimits::Duration MinuteLimits::wait(TimePoint now, CallPriority priority, double tokens) noexcept {
  Duration for_tokens = tokens_.wait(now, tokens);
  if (priority == CallPriority::query) for_tokens = std::min(for_tokens, reserve_.wait(now, tokens));
  return std::max(requests_.wait(now, 1), for_tokens);
}

bool MinuteLimits::take(TimePoint now, double tokens) noexcept {
  requests_.take(1);
  const bool of_reserve = tokens_.wait(now, tokens) > Duration::zero();
  (of_reserve ? reserve_ : tokens_).take(tokens);
  return of_reserve;
}

void MinuteLimits::give_back(double tokens, bool of_reserve) noexcept {
  requests_.give_back(1);
  (of_reserve ? reserve_ : tokens_).give_back(tokens);
}

}  // namespace ragstone::detail
