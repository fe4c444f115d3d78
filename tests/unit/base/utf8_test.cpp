#include <ragstone/base/utf8.hpp>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

using namespace std::string_literals;

TEST(Utf8, EveryCodePointIsWrittenAndReadBack) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    utf8::append(text, c);
    const utf8::Decoded decoded = utf8::decode(text, 0);
    ASSERT_EQ(decoded.code_point, c);
    ASSERT_EQ(decoded.size, text.size());
    ASSERT_TRUE(utf8::is_valid(text));
  }
}

TEST(Utf8, SurrogatesAndLargeValuesAreWrittenAsReplacement) {
  std::string text;
  utf8::append(text, 0xD800);
  utf8::append(text, 0x110000);
  EXPECT_EQ(text, "\uFFFD\uFFFD");
}

TEST(Utf8, FindInvalidGivesTheFirstBadByte) {
  EXPECT_EQ(utf8::find_invalid("plain, and 中文 and 😀"), utf8::npos);
  EXPECT_EQ(utf8::find_invalid(""), utf8::npos);
  EXPECT_EQ(utf8::find_invalid("abc\xFF"), 3u);
  EXPECT_EQ(utf8::find_invalid("中\xE4\xB8"), 3u);
  EXPECT_EQ(utf8::find_invalid("\xC0\xAF"), 0u) << "overlong";
  EXPECT_EQ(utf8::find_invalid("\xE0\x80\xAF"), 0u) << "overlong";
  EXPECT_EQ(utf8::find_invalid("x\xED\xA0\x80"), 1u) << "surrogate";
  EXPECT_EQ(utf8::find_invalid("\xF4\x90\x80\x80"), 0u) << "above U+10FFFF";
  EXPECT_EQ(utf8::find_invalid("\x80"), 0u) << "continuation alone";
  for (std::size_t ascii = 0; ascii < 100; ++ascii)
    EXPECT_EQ(utf8::find_invalid(std::string(ascii, 'a') + "\xFE" + std::string(40, 'b')), ascii);
}

// Unicode 15, table 3-8 and 3-11.
TEST(Utf8, InvalidBytesAreTakenByMaximalSubparts) {
  const std::string text = "\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"s;
  std::vector<std::size_t> sizes;
  for (std::size_t at = 0; at < text.size();) {
    const utf8::Decoded decoded = utf8::decode(text, at);
    sizes.push_back(decoded.size);
    EXPECT_EQ(decoded.code_point == utf8::kInvalid, at != 8);
    at += decoded.size;
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{2, 1, 3, 2, 1}));
}

TEST(Utf8, AsciiPrefixStopsAtTheFirstOtherByte) {
  for (std::size_t size = 0; size < 80; ++size) {
    const std::string ascii(size, 'x');
    EXPECT_EQ(utf8::ascii_prefix(ascii), size);
    EXPECT_EQ(utf8::ascii_prefix(ascii + "é" + ascii), size);
  }
}

}  // namespace
}  // namespace ragstone
