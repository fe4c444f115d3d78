#include "support/rounds.hpp"
#include <ragstone/base/utf8.hpp>
#include <ragstone/text/segment.hpp>

#include <memory>
#include <random>

#include <gtest/gtest.h>
#include <unicode/ubrk.h>
#include <unicode/utext.h>

namespace ragstone {
namespace {

std::vector<std::string> cut(std::string_view text, const std::vector<Span>& spans) {
  std::vector<std::string> pieces;
  for (const Span span : spans) pieces.emplace_back(span.of(text));
  return pieces;
}

using Pieces = std::vector<std::string>;
using namespace std::string_literals;

void expect_tiles(std::string_view text, const std::vector<Span>& spans) {
  std::uint64_t end = 0;
  for (const Span span : spans) {
    ASSERT_EQ(span.begin, end);
    ASSERT_FALSE(span.empty());
    end = span.end;
  }
  ASSERT_EQ(end, text.size());
}

Pieces sentences_of(std::string_view text) { return cut(text, sentences(text)); }

TEST(Sentences, EndAtStopsWithTheirQuotesAndSpaces) {
  EXPECT_EQ(sentences_of("One. Two! Three?  Four"), (Pieces{"One. ", "Two! ", "Three?  ", "Four"}));
  EXPECT_EQ(sentences_of("He said \"No.\" Then he left (early.) End."),
            (Pieces{"He said \"No.\" ", "Then he left (early.) ", "End."}));
  EXPECT_EQ(sentences_of("What?! Really..."), (Pieces{"What?! ", "Really..."}));
  EXPECT_EQ(sentences_of(""), Pieces{});
}

TEST(Sentences, EndAtChineseStops) {
  EXPECT_EQ(sentences_of("今天下雨。我不去了！你呢？好吧；就这样……再见"),
            (Pieces{"今天下雨。", "我不去了！", "你呢？", "好吧；", "就这样……", "再见"}));
  EXPECT_EQ(sentences_of("他说：“走吧。”我们就走了。“去哪？”她问。"),
            (Pieces{"他说：“走吧。”", "我们就走了。", "“去哪？”", "她问。"}));
  EXPECT_EQ(sentences_of("これはペンです。あれは？"), (Pieces{"これはペンです。", "あれは？"}));
  EXPECT_EQ(sentences_of("GPU 很快。It is fast. 真的"), (Pieces{"GPU 很快。", "It is fast. ", "真的"}));
}

TEST(Sentences, DoNotEndWithinNumbersNamesAndAbbreviations) {
  for (const char* text :
       {"Pi is 3.14 today", "See www.example.com for more", "the U.S. Army came",
        "Dr. Smith and Mrs. Jones met J. R. Hartley", "as in Fig. 3 and No. 5", "tools, e.g. Git, help",
        "Smith et al. (2020) agree", "wait... and see", "value of .5 or v2.0.1", "版本是 3.14 的", "慢……slowly"})
    EXPECT_EQ(sentences_of(text), Pieces{text});
  EXPECT_EQ(sentences_of("He said no. Then left."), (Pieces{"He said no. ", "Then left."}));
  EXPECT_EQ(sentences_of("So do I. You too."), (Pieces{"So do I. ", "You too."}));
}

TEST(Sentences, LineEndsAreBoundariesAndBlankLinesGoWithWhatIsBeforeThem) {
  EXPECT_EQ(sentences_of("Title\nText goes on\r\n  indented\rlast"),
            (Pieces{"Title\n", "Text goes on\r\n", "  indented\r", "last"}));
  EXPECT_EQ(sentences_of("One\n\n \t\n  Two\n\n"), (Pieces{"One\n\n \t\n", "  Two\n\n"}));
  EXPECT_EQ(sentences_of("\n\nx"), (Pieces{"\n\n", "x"}));
  EXPECT_EQ(sentences_of("Dr.\nSmith"), (Pieces{"Dr.\n", "Smith"}));
  EXPECT_EQ(sentences_of("a\u2029b\u0085c"), (Pieces{"a\u2029", "b\u0085", "c"}));
}

// ICU's iterator implements UAX 29. The alphabet leaves out what the library adds to it: line ends (ICU gives blank
// lines of their own), opening quotes, U+2026, U+FF1B, and full stops after words that look like initials.
TEST(Sentences, AgreeWithUax29) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UBreakIterator, decltype(&ubrk_close)> icu(ubrk_open(UBRK_SENTENCE, "", nullptr, 0, &status),
                                                                   ubrk_close);
  ASSERT_TRUE(U_SUCCESS(status));
  const std::vector<std::string> alphabet{"word", "Word", "WORD", "中文", "7",  " ",      " ", ".", ".", "!",
                                          "?",    "。",   "！",   ",",    "，", "\u0301", ")", "”", "-", "é"};
  std::mt19937 random(17);
  for (std::size_t round = 0; round < test::rounds(20'000); ++round) {
    std::string text;
    for (std::size_t n = 1 + random() % 12; n > 0; --n) text += alphabet[random() % alphabet.size()];
    UText utext = UTEXT_INITIALIZER;
    utext_openUTF8(&utext, text.data(), static_cast<std::int64_t>(text.size()), &status);
    ubrk_setUText(icu.get(), &utext, &status);
    ASSERT_TRUE(U_SUCCESS(status));
    std::vector<std::uint64_t> expected;
    for (std::int32_t at = ubrk_next(icu.get()); at != UBRK_DONE; at = ubrk_next(icu.get()))
      expected.push_back(static_cast<std::uint64_t>(at));
    std::vector<std::uint64_t> ends;
    for (const Span span : sentences(text)) ends.push_back(span.end);
    ASSERT_EQ(ends, expected) << text;
    utext_close(&utext);
  }
}

TEST(Sentences, TileAnyBytes) {
  std::mt19937 random(23);
  const std::string alphabet = "aA1 .\n\r!\"(\xE3\x80\x82\xFF\xEF\xBC\x9B\xCC\x81";
  for (std::size_t round = 0; round < test::rounds(20'000); ++round) {
    std::string text;
    for (std::size_t n = random() % 40; n > 0; --n) text.push_back(alphabet[random() % alphabet.size()]);
    expect_tiles(text, sentences(text));
    expect_tiles(text, clauses(text));
  }
}

TEST(Sentences, HugeLinesTakeLinearTime) {
  const std::size_t size = 8 << 20;
  for (const std::string& unit :
       {". "s, "a."s, "("s, "\n"s, "。"s, "1. ("s, "\u0301"s, ".\u0301)"s, "中"s, " "s, "…"s}) {
    std::string text;
    while (text.size() < size) text += unit;
    expect_tiles(text, sentences(text));
  }
}

TEST(Clauses, EndAfterCommasColonsAndTheirLike) {
  const auto clauses_of = [](std::string_view text) { return cut(text, clauses(text)); };
  EXPECT_EQ(clauses_of("First, second; third: fourth"), (Pieces{"First, ", "second; ", "third: ", "fourth"}));
  EXPECT_EQ(clauses_of("首先，其次、再次；最后：完"), (Pieces{"首先，", "其次、", "再次；", "最后：", "完"}));
  EXPECT_EQ(clauses_of("He said \"yes,\" and left"), (Pieces{"He said \"yes,\" ", "and left"}));
  EXPECT_EQ(clauses_of("1,000 at 12:30 on http://x.y"), (Pieces{"1,000 at 12:30 on http://x.y"}));
  EXPECT_EQ(clauses_of("GPU,很快"), (Pieces{"GPU,", "很快"}));
  EXPECT_EQ(clauses_of(""), Pieces{});
}

TEST(Words, AreRunsOfLettersAndDigits) {
  const auto words_of = [](std::string_view text) { return cut(text, words(text)); };
  EXPECT_EQ(words_of("Don't stop-now, it's 3.14!"), (Pieces{"Don", "t", "stop", "now", "it", "s", "3", "14"}));
  EXPECT_EQ(words_of("naïve Ångström Москва"), (Pieces{"naïve", "Ångström", "Москва"}));
  EXPECT_EQ(words_of("cafe\u0301s"), (Pieces{"cafe\u0301s"}));
  EXPECT_EQ(words_of("向量数据库，GPU集群"), (Pieces{"向量", "数据", "库", "GPU", "集群"}));
  EXPECT_EQ(words_of("私は学生です"), (Pieces{"私", "は", "学生", "です"}));
  EXPECT_EQ(words_of("대한민국 서울"), (Pieces{"대한민국", "서울"}));
  EXPECT_EQ(words_of("สวัสดีครับ").size(), 2u);
  EXPECT_EQ(words_of(" \n…—👩‍👩‍👧 "), Pieces{});
  EXPECT_EQ(words_of("a\xFF\x62"), (Pieces{"a", "b"}));
}

TEST(Words, ARunWithoutEndIsDividedInPieces) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "数据库";
  const auto spans = words(text);
  std::uint64_t end = 0;
  for (const Span span : spans) {
    ASSERT_EQ(span.begin, end);
    end = span.end;
  }
  EXPECT_EQ(end, text.size());
  EXPECT_GT(spans.size(), 100'000u);
}

}  // namespace
}  // namespace ragstone
