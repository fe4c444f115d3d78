#include "http/token_bucket.hpp"

#include <chrono>
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

namespace ragstone::detail {
namespace {

using namespace std::chrono_literals;

const TokenBucket::TimePoint kNow{};

TEST(TokenBucket, HoldsASecondsShareAndFillsUpFromBelowZero) {
  TokenBucket bucket(6'000);
  EXPECT_EQ(bucket.wait(kNow, 100), 0s);
  EXPECT_EQ(bucket.wait(kNow, 5'000), 0s) << "more than it holds may be taken when it is full";
  bucket.take(1'100);
  EXPECT_GT(bucket.wait(kNow + 10s, 50), 490ms);
  EXPECT_EQ(bucket.wait(kNow + 11s, 100), 0s);
  bucket.take(100);
  bucket.correct(-50);
  EXPECT_EQ(bucket.wait(kNow + 11s, 50), 0s);
  bucket.correct(-1e9);
  bucket.take(100);
  EXPECT_GT(bucket.wait(kNow + 11s, 100), 990ms) << "it holds no more than a second's share";
}

// What a server says of a call's tokens is any number.
TEST(TokenBucket, ACorrectionMakesNobodyWaitForMoreThanAMinutesShare) {
  const auto most = static_cast<double>(std::numeric_limits<std::uint64_t>::max());
  for (const double more : {1e12, most, 1e300}) {
    TokenBucket bucket(6'000);
    for (int i = 0; i < 10; ++i) bucket.correct(more);
    const auto wait = bucket.wait(kNow, 100);
    EXPECT_GT(wait, 60s) << "it counts";
    EXPECT_LT(wait, 62s) << more;
    EXPECT_EQ(bucket.wait(kNow + 62s, 100), 0s);
  }
}

TEST(TokenBucket, ADebtOfTheCallersOwnStays) {
  TokenBucket bucket(6'000);
  bucket.take(60'100);
  bucket.correct(1e12);
  EXPECT_GT(bucket.wait(kNow, 100), 600s) << "a correction takes nothing off";
  bucket.correct(-30'000);
  EXPECT_LT(bucket.wait(kNow, 100), 302s);
}

TEST(TokenBucket, AnyDebtIsWaitedForInWaitsThatTheClockCanCount) {
  TokenBucket bucket(1e-9);
  bucket.take(1e30);
  EXPECT_GT(bucket.wait(kNow, 1), 1h - 1s);
  EXPECT_LT(bucket.wait(kNow, 1), 1h + 1s);
}

TEST(TokenBucket, WhatIsGivenBackIsThereAgainAndNoMore) {
  TokenBucket bucket(6'000);
  bucket.take(1'100);
  bucket.give_back(1'100);
  EXPECT_EQ(bucket.wait(kNow, 100), 0s);
  bucket.give_back(1'000);
  bucket.take(100);
  EXPECT_GT(bucket.wait(kNow, 100), 990ms);
}

TEST(TokenBucket, WithoutALimitThereIsNoWait) {
  TokenBucket bucket(0);
  bucket.take(1e30);
  bucket.correct(1e30);
  EXPECT_EQ(bucket.wait(kNow, 1e30), 0s);
}

}  // namespace
}  // namespace ragstone::detail
