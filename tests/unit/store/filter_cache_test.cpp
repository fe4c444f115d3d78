#include "store/filter_cache.hpp"

#include <memory>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

Selection rows_of(std::size_t rows) { return std::make_shared<const SelectedRows>(RowBitmap(rows)); }

TEST(FilterCache, WhatWasFoundServesLaterGenerationsOnly) {
  FilterCache cache(1 << 20);
  const auto found = rows_of(10);
  cache.put(3, "a == 1", 7, found);
  EXPECT_EQ(cache.find(3, "a == 1", 7), found);
  EXPECT_EQ(cache.find(3, "a == 1", 9), found);
  EXPECT_EQ(cache.find(3, "a == 1", 6), nullptr);
  EXPECT_EQ(cache.find(4, "a == 1", 7), nullptr);
  EXPECT_EQ(cache.find(3, "a == 2", 7), nullptr);
}

TEST(FilterCache, AnEarlierGenerationReplacesALaterOne) {
  FilterCache cache(1 << 20);
  const auto late = rows_of(10);
  const auto early = rows_of(10);
  cache.put(1, "x", 7, late);
  cache.put(1, "x", 9, rows_of(10));
  EXPECT_EQ(cache.find(1, "x", 9), late);
  cache.put(1, "x", 5, early);
  EXPECT_EQ(cache.find(1, "x", 5), early);
  EXPECT_EQ(cache.find(1, "x", 9), early);
}

TEST(FilterCache, ForgetsWhatWasUsedLeastRecently) {
  FilterCache cache(4096);
  for (std::uint64_t part = 0; part < 8; ++part) cache.put(part, "x", 1, rows_of(2000));
  EXPECT_NE(cache.find(1, "x", 1), nullptr);
  cache.put(8, "x", 1, rows_of(2000));
  cache.put(9, "x", 1, rows_of(2000));
  EXPECT_NE(cache.find(1, "x", 1), nullptr) << "it was asked for";
  EXPECT_EQ(cache.find(2, "x", 1), nullptr);
  cache.put(10, "x", 1, rows_of(1'000'000));
  EXPECT_EQ(cache.find(10, "x", 1), nullptr) << "larger than all that is kept";
}

}  // namespace
}  // namespace ragstone
