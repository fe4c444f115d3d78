#include <ragstone/base/utf8.hpp>
#include <ragstone/text/normalize.hpp>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

TEST(Normalize, FoldsWidthAndCase) {
  EXPECT_EQ(normalize("Hello, WORLD 123"), "hello, world 123");
  EXPECT_EQ(normalize("Ｆｕｌｌ－ｗｉｄｔｈ １２３"), "full-width 123");
  EXPECT_EQ(normalize("Straße ﬁne Ⅳ ㎏"), "strasse fine iv kg");
  EXPECT_EQ(normalize("ｶﾞｷﾞ"), "ガギ");
  EXPECT_EQ(normalize("深度学习，ＡＩ"), "深度学习,ai");
  EXPECT_EQ(normalize(""), "");
}

TEST(Normalize, ComposesAcrossTheFirstNonAsciiByte) {
  EXPECT_EQ(normalize("Cafe\u0301"), "caf\u00E9");
  EXPECT_EQ(normalize("E\u0301"), "\u00E9");
  EXPECT_EQ(normalize("\u1112\u1161\u11AB"), "\uD55C");
}

TEST(Normalize, IsIdempotent) {
  for (const char32_t begin : {U'\u0080', U'\u1E00', U'\u2100', U'\u3000', U'\uF900', U'\uFB00', U'\uFF00'}) {
    for (char32_t c = begin; c < begin + 0x300; ++c) {
      std::string text;
      utf8::append(text, c);
      const std::string once = normalize(text);
      ASSERT_EQ(normalize(once), once) << std::hex << static_cast<unsigned>(c);
    }
  }
}

TEST(Normalize, InvalidBytesBecomeReplacementCharacters) {
  EXPECT_EQ(normalize("A\xFF\x42"), "a\uFFFD\x62");
  EXPECT_TRUE(utf8::is_valid(normalize("\xED\xA0\x80\xE4\xB8")));
}

TEST(Normalize, PiecesOfALongTextGiveTheSameAsTheWhole) {
  std::string text;
  std::string expected;
  while (text.size() < 300'000) {
    text += "Ｃａｆｅ\u0301";
    expected += "caf\u00E9";
  }
  EXPECT_EQ(normalize(text), expected);
  std::string marks = "a";
  for (int i = 0; i < 2'000'000; ++i) marks += "\u0301";
  EXPECT_TRUE(utf8::is_valid(normalize(marks)));
}

}  // namespace
}  // namespace ragstone
