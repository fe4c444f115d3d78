#include "base/one_line.hpp"

#include <gtest/gtest.h>

namespace ragstone {
namespace {

TEST(OneLine, LeavesTextsOfOneLineAsTheyAre) {
  for (const char* text : {"", "a model's name", "模型 №1 — naïve 😀", "\xC2\xA0"}) {
    EXPECT_TRUE(is_one_line(text));
    EXPECT_EQ(one_line(text), text);
  }
}

TEST(OneLine, ReplacesWhatEndsALineOrSteersATerminal) {
  EXPECT_EQ(one_line("a\nb\r\nc\td\x1B[31m\x7F"), "a b  c d [31m ");
  EXPECT_EQ(one_line("一\xC2\x85二\xE2\x80\xA8三\xE2\x80\xA9四"), "一 二 三 四");
  EXPECT_EQ(one_line(std::string_view("\0x", 2)), " x");
  EXPECT_EQ(one_line("a\x85z"), "a\xEF\xBF\xBDz");
  for (const char* text : {"\n", "\t", "\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xFF", "你\x1B"}) {
    EXPECT_FALSE(is_one_line(text));
    EXPECT_TRUE(is_one_line(one_line(text)));
  }
}

}  // namespace
}  // namespace ragstone
