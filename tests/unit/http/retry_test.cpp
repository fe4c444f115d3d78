#include <ragstone/http/retry.hpp>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

using namespace std::chrono_literals;

// Mon, 01 Jan 2024 00:00:00 GMT
const std::chrono::system_clock::time_point kNow{1'704'067'200s};

AttemptEnd status(int code) {
  AttemptEnd end;
  end.status = code;
  return end;
}

// RT-1
TEST(Retry, RepeatsOnlyWhatMaySucceed) {
  for (const int code : {0, 408, 409, 429, 500, 502, 503, 529}) EXPECT_TRUE(is_retryable_status(code)) << code;
  for (const int code : {200, 301, 400, 401, 403, 404, 413, 417, 422, 424})
    EXPECT_FALSE(is_retryable_status(code)) << code;
}

// RT-1
TEST(Retry, DelaysGrowWithFullJitterUpToALimit) {
  const RetryOptions options;
  RetryOptions many;
  many.max_retries = 100;
  EXPECT_EQ(retry_delay(options, status(503), 0, 0, kNow), 0ms);
  EXPECT_EQ(retry_delay(options, status(503), 0, 0.5, kNow), 250ms);
  EXPECT_EQ(retry_delay(options, status(503), 1, 0.5, kNow), 500ms);
  EXPECT_EQ(retry_delay(options, status(503), 2, 0.5, kNow), std::nullopt);
  EXPECT_EQ(retry_delay(many, status(503), 90, 0.5, kNow), 4'000ms);
  EXPECT_EQ(retry_delay(options, status(400), 0, 0.5, kNow), std::nullopt);
}

// RT-1, N5
TEST(Retry, HonoursWhatTheServerAsksFor) {
  const RetryOptions options;
  AttemptEnd end = status(429);
  end.retry_after = "2";
  EXPECT_EQ(retry_delay(options, end, 0, 0, kNow), 2'000ms);
  EXPECT_EQ(retry_delay(options, end, 0, 0.5, kNow), 2'100ms);
  end.retry_after_ms = "1500.5";
  EXPECT_EQ(retry_delay(options, end, 0, 0, kNow), 1'501ms);
  end.retry_after_ms = "soon";
  EXPECT_EQ(retry_delay(options, end, 0, 0, kNow), 2'000ms);
  end.retry_after = "Mon, 01 Jan 2024 00:00:03 GMT";
  EXPECT_EQ(retry_delay(options, end, 0, 0, kNow), 3'000ms);
  end.retry_after = "120";
  EXPECT_EQ(retry_delay(options, end, 0, 0, kNow), 120'000ms);
  for (const char* too_long : {"121", "1e300", "Mon, 01 Jan 2024 00:02:01 GMT"}) {
    end.retry_after = too_long;
    EXPECT_EQ(retry_delay(options, end, 0, 0, kNow), std::nullopt) << too_long;
  }
  for (const char* useless : {"0", "-3", "nan", "inf", "", "Mon, 01 Jan 2023 00:00:00 GMT", "5 apples"}) {
    end.retry_after = useless;
    EXPECT_EQ(retry_delay(options, end, 0, 0.5, kNow), 250ms) << useless;
  }
}

TEST(Retry, XShouldRetryOverridesTheStatus) {
  AttemptEnd end = status(400);
  end.should_retry = "true";
  EXPECT_TRUE(retry_delay(RetryOptions(), end, 0, 0.5, kNow));
  end = status(503);
  end.should_retry = "false";
  EXPECT_FALSE(retry_delay(RetryOptions(), end, 0, 0.5, kNow));
}

// N5
TEST(RetryBudget, ATenthOfTheCallsMayBeRetries) {
  RetryOptions options;
  options.breaker_failures = 0;
  RetryBudget budget(options);
  RetryBudget::TimePoint now{};
  std::size_t retries = 0;
  for (int call = 0; call < 1'000; ++call) {
    ASSERT_FALSE(budget.begin_call(now));
    for (int attempt = 0; attempt < 2; ++attempt) retries += budget.begin_retry(now);
  }
  EXPECT_EQ(retries, 100u);
  now += options.budget_window;
  EXPECT_FALSE(budget.begin_call(now));
  for (std::uint32_t i = 0; i < options.budget_floor; ++i) EXPECT_TRUE(budget.begin_retry(now));
  EXPECT_FALSE(budget.begin_retry(now));
}

// N5
TEST(RetryBudget, TheBreakerOpensAfterFailuresAndLetsOneTry) {
  RetryOptions options;
  options.breaker_failures = 3;
  RetryBudget budget(options);
  RetryBudget::TimePoint now{};
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(budget.begin_call(now));
    budget.attempt_failed(now);
  }
  EXPECT_EQ(budget.begin_call(now + 400ms), 600ms);
  EXPECT_EQ(budget.refusal(now + 400ms), 600ms);
  now += 1s;
  EXPECT_FALSE(budget.refusal(now)) << "which lets nobody try";
  EXPECT_FALSE(budget.begin_call(now)) << "one tries";
  EXPECT_TRUE(budget.begin_call(now)) << "the others wait for it";
  budget.attempt_failed(now);
  EXPECT_EQ(budget.begin_call(now), 1s);
  now += 1s;
  EXPECT_FALSE(budget.begin_call(now));
  budget.attempt_succeeded();
  EXPECT_FALSE(budget.begin_call(now));
  EXPECT_FALSE(budget.begin_call(now));
}

}  // namespace
}  // namespace ragstone
