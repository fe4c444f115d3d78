#include <ragstone/text/utf8.hpp>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

TEST(Utf8Position, BoundariesLieBetweenCodePoints) {
  const std::string_view text = "a中😀";
  std::vector<std::size_t> boundaries;
  for (std::size_t at = 0; at <= text.size(); ++at)
    if (utf8::is_boundary(text, at)) boundaries.push_back(at);
  EXPECT_EQ(boundaries, (std::vector<std::size_t>{0, 1, 4, 8}));
  EXPECT_EQ(utf8::floor_boundary(text, 3), 1u);
  EXPECT_EQ(utf8::ceil_boundary(text, 2), 4u);
  EXPECT_EQ(utf8::floor_boundary(text, 4), 4u);
  EXPECT_EQ(utf8::ceil_boundary(text, 5), 8u);
  EXPECT_EQ(utf8::floor_boundary(text, 100), 8u);
  EXPECT_EQ(utf8::ceil_boundary(text, 100), 8u);
}

TEST(Utf8Position, CodePointsAreCountedAndFound) {
  EXPECT_EQ(utf8::length("a中😀"), 3u);
  EXPECT_EQ(utf8::length(""), 0u);
  EXPECT_EQ(utf8::offset_of("a中😀", 0), 0u);
  EXPECT_EQ(utf8::offset_of("a中😀", 2), 4u);
  EXPECT_EQ(utf8::offset_of("a中😀", 3), 8u);
  EXPECT_EQ(utf8::offset_of("a中😀", 9), 8u);
}

TEST(Utf8Position, CodePointsComeWithTheirPlaces) {
  std::vector<char32_t> values;
  std::size_t end = 0;
  for (const utf8::CodePoint c : utf8::CodePoints("é\xFF文")) {
    EXPECT_EQ(c.begin, end);
    end = c.end;
    values.push_back(c.value);
  }
  EXPECT_EQ(end, 6u);
  EXPECT_EQ(values, (std::vector<char32_t>{0xE9, utf8::kInvalid, 0x6587}));
  for (const utf8::CodePoint c : utf8::CodePoints("")) FAIL() << c.begin;
}

TEST(Utf8Position, ContinuationBytesAloneDoNotRunAway) {
  const std::string text(1000, '\x80');
  EXPECT_EQ(utf8::floor_boundary(text, 500), 0u);
  EXPECT_EQ(utf8::ceil_boundary(text, 500), 1000u);
}

}  // namespace
}  // namespace ragstone
