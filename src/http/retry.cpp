#include <ragstone/http/retry.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <string>

#include <curl/curl.h>

namespace ragstone {
namespace {

using std::chrono::milliseconds;

// What is asked for beyond this is as good as for ever, and does not overflow.
constexpr double kLongest = 1e12;

std::optional<double> number(std::string_view text) noexcept {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<double> date_in_ms(std::string_view text, std::chrono::system_clock::time_point now) noexcept {
  // Dates of HTTP begin with the day's name; curl also reads other things as dates.
  if (text.empty() || text.size() > 64 || !std::isalpha(static_cast<unsigned char>(text.front()))) return std::nullopt;
  char buffer[65];
  buffer[text.copy(buffer, 64)] = '\0';
  const time_t then = curl_getdate(buffer, nullptr);
  if (then == -1) return std::nullopt;
  const auto since = std::chrono::duration<double, std::milli>(now.time_since_epoch()).count();
  return static_cast<double>(then) * 1e3 - since;
}

}  // namespace

bool is_retryable_status(int status) noexcept {
  return status == 0 || status == 408 || status == 409 || status == 429 || status >= 500;
}

std::optional<milliseconds> requested_delay(const AttemptEnd& end, std::chrono::system_clock::time_point now) noexcept {
  std::optional<double> delay = number(end.retry_after_ms);
  if (!delay) {
    delay = number(end.retry_after);
    if (delay) *delay *= 1e3;
  }
  if (!delay) delay = date_in_ms(end.retry_after, now);
  if (!delay || !(*delay > 0)) return std::nullopt;
  return milliseconds(static_cast<std::int64_t>(std::ceil(std::min(*delay, kLongest))));
}

std::optional<milliseconds> retry_delay(const RetryOptions& options, const AttemptEnd& end, std::uint32_t retries,
                                        double random, std::chrono::system_clock::time_point now) noexcept {
  if (retries >= options.max_retries) return std::nullopt;
  const bool wanted = end.should_retry == "true" || (end.should_retry != "false" && is_retryable_status(end.status));
  if (!wanted) return std::nullopt;
  if (const auto requested = requested_delay(end, now)) {
    if (*requested > options.longest_retry_after) return std::nullopt;
    return *requested + milliseconds(static_cast<std::int64_t>(static_cast<double>(requested->count()) * 0.1 * random));
  }
  const double ceiling =
      std::min(static_cast<double>(options.initial_delay.count()) * std::exp2(std::min(retries, 60u)),
               static_cast<double>(options.max_delay.count()));
  return milliseconds(static_cast<std::int64_t>(ceiling * random));
}

void RetryBudget::move_window(TimePoint now) noexcept {
  const auto half = options_.budget_window / 2;
  if (!half_begin_) half_begin_ = now;
  if (now - *half_begin_ < half) return;
  const bool next = now - *half_begin_ < 2 * half;
  calls_[1] = next ? calls_[0] : 0;
  retries_[1] = next ? retries_[0] : 0;
  calls_[0] = retries_[0] = 0;
  half_begin_ = next ? *half_begin_ + half : now;
}

bool RetryBudget::has_tripped() const noexcept {
  return options_.breaker_failures > 0 && failures_ >= options_.breaker_failures;
}

std::optional<milliseconds> RetryBudget::refusal(TimePoint now) const noexcept {
  if (!has_tripped()) return std::nullopt;
  if (now < open_until_) return std::chrono::ceil<milliseconds>(open_until_ - now);
  return probing_ ? std::optional<milliseconds>(options_.breaker_pause) : std::nullopt;
}

std::optional<milliseconds> RetryBudget::begin_call(TimePoint now) noexcept {
  move_window(now);
  if (const auto wait = refusal(now)) return wait;
  probing_ = has_tripped();
  ++calls_[0];
  return std::nullopt;
}

bool RetryBudget::begin_retry(TimePoint now) noexcept {
  move_window(now);
  const auto calls = static_cast<double>(calls_[0] + calls_[1]);
  const double allowed =
      std::max(static_cast<double>(options_.budget_floor), std::floor(options_.budget_ratio * calls));
  if (static_cast<double>(retries_[0] + retries_[1] + 1) > allowed) return false;
  ++retries_[0];
  return true;
}

void RetryBudget::attempt_succeeded() noexcept {
  failures_ = 0;
  probing_ = false;
}

void RetryBudget::attempt_failed(TimePoint now) noexcept {
  probing_ = false;
  if (failures_ < options_.breaker_failures) ++failures_;
  if (has_tripped()) open_until_ = now + options_.breaker_pause;
}

}  // namespace ragstone
