#include "http/minute_limits.hpp"

#include <algorithm>
#include <chrono>

#include <gtest/gtest.h>

namespace ragstone::detail {
namespace {

using namespace std::chrono_literals;
using enum CallPriority;

RateLimits limits_of(double requests, double tokens) {
  RateLimits limits;
  limits.requests_per_minute = requests;
  limits.tokens_per_minute = tokens;
  return limits;
}

/// What comes through, in counted time, if ingest asks for a minute's tenth again and again and somebody asks a
/// question of a hundred tokens each second.
class Minute {
 public:
  explicit Minute(double tokens_per_minute) : limits_(limits_of(0, tokens_per_minute)), batch_(tokens_per_minute / 10) {
    for (auto now = kBegin; now < kBegin + 60s; now += 100ms) {
      if (limits_.wait(now, ingest, batch_) == 0s) take(now, batch_);
      if ((now - kBegin) % 1s == 0s) {
        longest_wait = std::max<MinuteLimits::Duration>(longest_wait, limits_.wait(now, query, 100));
        if (limits_.wait(now, query, 100) == 0s) take(now, 100);
      }
    }
  }

  MinuteLimits::Duration longest_wait{};
  double tokens = 0;

 private:
  static constexpr MinuteLimits::TimePoint kBegin{1h};

  void take(MinuteLimits::TimePoint now, double amount) {
    limits_.take(now, amount);
    tokens += amount;
  }

  MinuteLimits limits_;
  double batch_;
};

TEST(MinuteLimits, AQueryWaitsForNoTokensThatIngestHasTaken) {
  for (const double tokens : {60'000.0, 1'000'000.0}) {
    const Minute minute(tokens);
    EXPECT_EQ(minute.longest_wait, 0s) << tokens;
    EXPECT_GT(minute.tokens, 0.85 * tokens);
    EXPECT_LT(minute.tokens, 1.15 * tokens);
  }
}

TEST(MinuteLimits, WhatIsGivenBackGoesWhereItWasTaken) {
  const MinuteLimits::TimePoint now{};
  MinuteLimits limits(limits_of(60, 60'000));
  EXPECT_EQ(limits.wait(now, ingest, 30'000), 0s);
  EXPECT_FALSE(limits.take(now, 30'000));
  EXPECT_EQ(limits.wait(now + 1s, query, 100), 0s);
  EXPECT_TRUE(limits.take(now + 1s, 100));
  EXPECT_GT(limits.wait(now + 1s, query, 100), 990ms) << "of requests there is no reserve";
  limits.give_back(100, true);
  EXPECT_EQ(limits.wait(now + 1s, query, 100), 0s);
  EXPECT_GT(limits.wait(now + 1s, ingest, 100), 30s);
  limits.give_back(30'000, false);
  EXPECT_EQ(limits.wait(now + 1s, ingest, 100), 0s);
}

}  // namespace
}  // namespace ragstone::detail
