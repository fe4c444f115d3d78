#include "store/memory/tiers.hpp"

#include "store/memory/source_segment.hpp"
#include <ragstone/base/stop.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::memory {
namespace {

SourceSegment::Entry entry(std::string id, std::uint32_t mark = 0) {
  auto source = std::make_shared<StoredSource>();
  source->record.id = std::move(id);
  source->record.attempts = mark;
  return source;
}

std::shared_ptr<const SourceSegment> segment(std::vector<SourceSegment::Entry> entries) {
  return std::make_shared<const SourceSegment>(std::move(entries));
}

std::size_t entries_held(const Tiers<SourceSegment>& tiers) {
  std::size_t held = 0;
  for (const auto& tier : tiers.tiers()) held += tier.segment->entries().size();
  return held;
}

TEST(Tiers, SegmentsStayFewWhenEntriesComeOneByOne) {
  Tiers<SourceSegment> tiers;
  for (int i = 0; i < 5000; ++i) {
    tiers.add(segment({entry(std::to_string(i))}));
    tiers.settle(StopToken());
    ASSERT_LE(tiers.tiers().size(), 7u * 6);
  }
  EXPECT_EQ(entries_held(tiers), 5000u);
  for (int i = 0; i < 5000; ++i) ASSERT_NE(tiers.find(std::to_string(i)), nullptr);
  EXPECT_EQ(tiers.find("5000"), nullptr);
}

TEST(Tiers, DeadEntriesNeverOutnumberTheLivingForLong) {
  Tiers<SourceSegment> tiers;
  for (int i = 0; i < 1000; ++i) {
    tiers.add(segment({entry(std::to_string(i))}));
    tiers.settle(StopToken());
  }
  for (int i = 0; i < 990; ++i) {
    tiers.erase({std::to_string(i)});
    tiers.settle(StopToken());
    ASSERT_LE(entries_held(tiers), 2u * static_cast<std::size_t>(1000 - i) + 16);
  }
  for (int i = 990; i < 1000; ++i) tiers.erase({std::to_string(i)});
  tiers.settle(StopToken());
  EXPECT_TRUE(tiers.empty());
}

TEST(Tiers, CopiesAreIndependentUnderRandomChanges) {
  std::mt19937 random(11);
  Tiers<SourceSegment> tiers;
  std::map<std::string, std::uint32_t> expected;
  std::vector<std::pair<Tiers<SourceSegment>, std::map<std::string, std::uint32_t>>> copies;
  for (std::uint32_t round = 1; round <= 2000; ++round) {
    std::map<std::string, std::uint32_t> batch;
    for (std::size_t i = 1 + random() % 4; i > 0; --i) batch[std::to_string(random() % 200)] = round;
    std::vector<std::string> erased;
    std::vector<SourceSegment::Entry> added;
    for (const auto& [id, mark] : batch) {
      if (expected.contains(id)) erased.push_back(id);
      expected.erase(id);
      if (random() % 3 == 0) continue;
      added.push_back(entry(id, mark));
      expected[id] = mark;
    }
    tiers.erase(erased);
    if (!added.empty()) tiers.add(segment(added));
    tiers.settle(StopToken());
    if (round % 400 == 0) copies.emplace_back(tiers, expected);
  }
  copies.emplace_back(tiers, expected);
  for (const auto& [copy, content] : copies)
    for (int i = 0; i < 200; ++i) {
      const auto* found = copy.find(std::to_string(i));
      const auto wanted = content.find(std::to_string(i));
      ASSERT_EQ(found != nullptr, wanted != content.end());
      if (found) {
        ASSERT_EQ((*found)->record.attempts, wanted->second);
      }
    }
}

}  // namespace
}  // namespace ragstone::memory
