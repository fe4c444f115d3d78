#include "support/rounds.hpp"
#include <ragstone/base/utf8.hpp>
#include <ragstone/text/analyzer.hpp>

#include <atomic>
#include <map>
#include <random>
#include <thread>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

using Terms = std::vector<std::string>;
using namespace std::string_literals;

Terms terms(const Analyzer& analyzer, std::string_view text) {
  Terms result;
  for (const Token& token : analyzer.analyze(text)) result.push_back(token.term);
  return result;
}

std::vector<std::shared_ptr<const Analyzer>> all_analyzers() {
  AnalyzerOptions bare;
  bare.stop_words = false;
  bare.stemmer = Stemmer::none;
  bare.pairs = false;
  return {plain_analyzer(), english_analyzer(), cjk_analyzer(), standard_analyzer(), standard_analyzer(bare)};
}

TEST(Analyzer, PlainGivesFoldedRunsOfLettersAndDigits) {
  EXPECT_EQ(terms(*plain_analyzer(), "The state-of-the-art isn't 3.14% of É, Straße; ＡＢＣ x_1"),
            (Terms{"the", "state", "of", "the", "art", "isn", "t", "3", "14", "of", "é", "strasse", "abc", "x", "1"}));
  EXPECT_EQ(terms(*plain_analyzer(), "GPU模型 2.0版"), (Terms{"gpu模型", "2", "0版"}));
}

TEST(Analyzer, EnglishDropsStopWordsAndStems) {
  EXPECT_EQ(terms(*english_analyzer(), "The nations are relational; Their ponies and this pony."),
            (Terms{"nation", "relat", "poni", "poni"}));
  AnalyzerOptions options;
  options.stop_words = false;
  options.stemmer = Stemmer::none;
  EXPECT_EQ(terms(*english_analyzer(options), "The nations are"), (Terms{"the", "nations", "are"}));
  options.stemmer = Stemmer::english;
  EXPECT_EQ(terms(*english_analyzer(options), "generously skies"), (Terms{"generous", "sky"}));
  options.stemmer = Stemmer::porter;
  EXPECT_EQ(terms(*english_analyzer(options), "generously skies"), (Terms{"gener", "ski"}));
}

TEST(Analyzer, CjkGivesCharactersAndPairs) {
  EXPECT_EQ(terms(*cjk_analyzer(), "深度学习, The GPU 集"),
            (Terms{"深", "深度", "度", "度学", "学", "学习", "习", "the", "gpu", "集"}));
  EXPECT_EQ(terms(*cjk_analyzer(), "データ"), (Terms{"デ", "デー", "ー", "ータ", "タ"}));
  EXPECT_EQ(terms(*cjk_analyzer(), "한국"), (Terms{"한", "한국", "국"}));
  EXPECT_EQ(terms(*cjk_analyzer(), "人々"), (Terms{"人", "人々", "々"}));
}

TEST(Analyzer, StandardTreatsEachScriptInItsWay) {
  EXPECT_EQ(terms(*standard_analyzer(), "The GPU模型 runs fast。快"),
            (Terms{"gpu", "模", "模型", "型", "run", "fast", "快"}));
  AnalyzerOptions options;
  options.pairs = false;
  EXPECT_EQ(terms(*standard_analyzer(options), "模型 GPUs"), (Terms{"模", "型", "gpu"}));
  EXPECT_EQ(terms(*standard_analyzer(), "ไทย"), (Terms{"ไ", "ไท", "ท", "ทย", "ย"}));
}

TEST(Analyzer, EqualTextsInAnyFormGiveEqualTerms) {
  for (const auto& [one, other] :
       std::vector<std::pair<std::string, std::string>>{{"café", "CAFE\u0301"},
                                                        {"ガギグ", "ｶﾞｷﾞｸﾞ"},
                                                        {"한국", "\u1112\u1161\u11AB\u1100\u116E\u11A8"},
                                                        {"深度学习", "深\uFE00度学习"},
                                                        {"金", "\uF90A"},
                                                        {"soft", "so\u00ADft"},
                                                        {"平成", "㍻"},
                                                        {"5 kg", "5 ㎏"}})
    EXPECT_EQ(terms(*standard_analyzer(), one), terms(*standard_analyzer(), other)) << one;
  EXPECT_EQ(terms(*standard_analyzer(), "½ cup"), (Terms{"1", "2", "cup"}));
}

TEST(Analyzer, SpansNameTheBytesAndPositionsCountWords) {
  const std::string text = "The ponies 在学习！";
  std::vector<std::pair<std::string, std::uint32_t>> found;
  for (const Token& token : standard_analyzer()->analyze(text)) found.emplace_back(token.span.of(text), token.position);
  EXPECT_EQ(found, (std::vector<std::pair<std::string, std::uint32_t>>{
                       {"ponies", 1}, {"在", 2}, {"在学", 2}, {"学", 3}, {"学习", 3}, {"习", 4}}));
}

TEST(Analyzer, LongRunsAreDividedWithoutLosingPairs) {
  std::string han;
  for (int i = 0; i < 10'000; ++i) han += "数";
  const TermCounts counts = count_terms(*cjk_analyzer(), han);
  EXPECT_EQ(counts.terms, (std::vector<std::pair<std::string, std::uint32_t>>{{"数", 10'000}, {"数数", 9'999}}));
  for (const auto& analyzer : all_analyzers()) {
    for (const std::string& unit : {"x"s, "é"s, "\u0301"s, "ก"s}) {
      std::string text = "a";
      for (int i = 0; i < 100'000; ++i) text += unit;
      for (const Token& token : analyzer->analyze(text)) ASSERT_LE(token.term.size(), 600u);
    }
  }
}

TEST(Analyzer, AnyBytesGiveValidTermsWithinTheText) {
  std::mt19937 random(31);
  const std::vector<std::string> pieces{"a",
                                        "The",
                                        "running",
                                        "7",
                                        "中",
                                        "文字",
                                        "か",
                                        "\u3099",
                                        "ー",
                                        "한",
                                        "\u1161",
                                        "é",
                                        "\u0301",
                                        "ﬁ",
                                        "㎏",
                                        "½",
                                        "👩‍👩‍👧",
                                        "\xFF",
                                        "\xED\xA0\x80",
                                        "\xE4\xB8",
                                        "\0"s,
                                        "\x07",
                                        " ",
                                        "-",
                                        "กา",
                                        "\u200B",
                                        "\uFDFA",
                                        "𠀀",
                                        "\u00AD"};
  for (std::size_t round = 0; round < test::rounds(5'000); ++round) {
    std::string text;
    for (std::size_t n = random() % 20; n > 0; --n) text += pieces[random() % pieces.size()];
    for (const auto& analyzer : all_analyzers()) {
      std::uint32_t position = 0;
      for (const Token& token : analyzer->analyze(text)) {
        ASSERT_FALSE(token.term.empty()) << text;
        ASSERT_TRUE(utf8::is_valid(token.term)) << text;
        ASSERT_LT(token.span.begin, token.span.end);
        ASSERT_LE(token.span.end, text.size());
        ASSERT_GE(token.position, position);
        position = token.position;
      }
    }
  }
}

TEST(Analyzer, SignaturesTellParametersApart) {
  std::map<std::string, int> seen;
  for (const auto& analyzer : all_analyzers()) ++seen[analyzer->signature()];
  EXPECT_EQ(seen.size(), 5u);
  EXPECT_EQ(standard_analyzer()->signature(), "standard/1/stop,porter,pairs");
}

TEST(Analyzer, ManyThreadsShareOne) {
  const auto analyzer = standard_analyzer();
  const std::string text = "Nations are running relational databases 数据库 generously. ";
  const Terms expected = terms(*analyzer, text);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 500; ++n) wrong += terms(*analyzer, text) != expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Analyzer, AThrowingVisitorLeavesItUsable) {
  const auto analyzer = english_analyzer();
  EXPECT_THROW(analyzer->visit("one two", [](std::string_view, Span, std::uint32_t) { throw 5; }), int);
  EXPECT_EQ(terms(*analyzer, "ponies"), Terms{"poni"});
}

TEST(CountTerms, GivesSortedTermsAndTheLength) {
  const TermCounts counts = count_terms(*standard_analyzer(), "Run, runs, running 数 数");
  EXPECT_EQ(counts.terms, (std::vector<std::pair<std::string, std::uint32_t>>{{"run", 3}, {"数", 2}}));
  EXPECT_EQ(counts.length, 5u);
  EXPECT_TRUE(count_terms(*standard_analyzer(), "the, 。").terms.empty());
}

}  // namespace
}  // namespace ragstone
