#include "support/rounds.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/text/offset_map.hpp>

#include <random>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

TEST(OffsetMap, ByDefaultIsTheIdentity) {
  const OffsetMap map;
  EXPECT_TRUE(map.is_shift());
  EXPECT_EQ(map.to_file(std::uint64_t{12}), 12u);
  EXPECT_EQ(map.to_file(Span{3, 5}), (Span{3, 5}));
}

TEST(OffsetMap, AddsTheByteOrderMark) {
  const OffsetMap map(3);
  EXPECT_EQ(map.to_file(std::uint64_t{0}), 3u);
  EXPECT_EQ(map.to_file(Span{1, 7}), (Span{4, 10}));
}

TEST(OffsetMap, UnchangedBytesNeedNoRuns) {
  OffsetMapBuilder builder(3);
  builder.add(1, 1, 1'000'000);
  const OffsetMap map = builder.finish();
  EXPECT_TRUE(map.is_shift());
  EXPECT_EQ(map, OffsetMap(3));
}

TEST(OffsetMap, IsExactAtEveryCharacterAndFloorsWithinOne) {
  std::mt19937 random(3);
  for (std::size_t round = 0; round < test::rounds(30); ++round) {
    const std::uint64_t shift = random() % 5;
    OffsetMapBuilder builder(shift);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> places;
    std::uint64_t text = 0;
    std::uint64_t file = shift;
    const std::vector<std::pair<int, int>> kinds{{1, 2}, {3, 2}, {4, 4}, {2, 0}, {1, 1}};
    for (std::size_t runs = random() % 500; runs > 0; --runs) {
      const auto [t, f] = kinds[random() % kinds.size()];
      const std::uint64_t count = random() % 10 == 0 ? random() % 1000 : random() % 20;
      builder.add(static_cast<std::uint8_t>(t), static_cast<std::uint8_t>(f), count);
      for (std::uint64_t i = 0; i < count; ++i) {
        for (int inside = 0; inside < t; ++inside) places.emplace_back(text + static_cast<std::uint64_t>(inside), file);
        text += static_cast<std::uint64_t>(t);
        file += static_cast<std::uint64_t>(f);
      }
    }
    const OffsetMap map = builder.finish();
    const OffsetMap read = OffsetMap::parse(map.serialize());
    ASSERT_EQ(read, map);
    for (const auto& [from, to] : places) {
      ASSERT_EQ(map.to_file(from), to);
      ASSERT_EQ(read.to_file(from), to);
    }
    ASSERT_EQ(map.to_file(text), file);
    ASSERT_EQ(map.to_file(text + 100), map.is_shift() ? file + 100 : file);
  }
}

TEST(OffsetMap, DamagedBytesAreRefusedOrHarmless) {
  OffsetMapBuilder builder(2);
  for (int i = 0; i < 300; ++i) {
    builder.add(3, 2, 7);
    builder.add(1, 2, 100);
  }
  const std::string good = builder.finish().serialize();
  EXPECT_THROW(OffsetMap::parse(""), Error);
  EXPECT_THROW(OffsetMap::parse("\x02"), Error);
  EXPECT_THROW(OffsetMap::parse(std::string("\x01\x00\x01\x00\x01\x11", 6)), Error) << "a character without bytes";
  EXPECT_THROW(OffsetMap::parse(std::string("\x01\x00\x00\x11", 4)), Error) << "runs without sizes";
  EXPECT_THROW(OffsetMap::parse(std::string("\x01\x00\x01\x01\x01\x21", 6)), Error) << "an unknown kind";
  std::mt19937 random(5);
  for (std::size_t round = 0; round < test::rounds(20'000); ++round) {
    std::string bytes = good;
    for (std::size_t n = 1 + random() % 4; n > 0; --n) bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    try {
      const OffsetMap map = OffsetMap::parse(bytes);
      std::uint64_t last = 0;
      for (std::uint64_t at = 0; at < 10'000; at += 97) {
        const std::uint64_t file = map.to_file(at);
        ASSERT_GE(file, last);
        last = file;
      }
    } catch (const Error& error) {
      ASSERT_EQ(error.errc(), Errc::corrupt_store);
    }
  }
}

}  // namespace
}  // namespace ragstone
