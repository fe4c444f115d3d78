#include "support/errors.hpp"
#include <ragstone/text/analyzer.hpp>
#include <ragstone/text/highlight.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

using Terms = std::vector<std::string>;

Terms terms(const Analyzer& analyzer, std::string_view text) {
  Terms result;
  for (const Token& token : analyzer.analyze(text)) result.push_back(token.term);
  return result;
}

Terms highlighted(const Analyzer& analyzer, std::string_view query, std::string_view text) {
  Terms result;
  for (const Span span : highlight(analyzer, query, text)) result.emplace_back(span.of(text));
  return result;
}

TEST(WordAnalyzer, GivesWholeWordsOfChinese) {
  EXPECT_EQ(terms(*word_analyzer(), "The GPUs 加速神经网络。"), (Terms{"gpu", "加速", "神经", "网络"}));
}

TEST(WordAnalyzer, TakesTheLongestUserWordFirst) {
  const auto analyzer = word_analyzer({"神经网络", "神经", "络。"});
  EXPECT_EQ(terms(*analyzer, "加速神经网络"), (Terms{"加速", "神经网络"}));
  const std::vector<Token> tokens = analyzer->analyze("running 神经网络");
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_EQ(tokens[1].span.of("running 神经网络"), "神经网络");
  EXPECT_EQ(tokens[1].position, 1u);
}

TEST(WordAnalyzer, FindsUserWordsOfSeveralScriptsAndWithSigns) {
  const auto analyzer = word_analyzer({"T恤", "卡拉OK", "C++", " New York\r\n", "Tシャツ"});
  EXPECT_EQ(terms(*analyzer, "我的T恤和卡拉OK"), (Terms{"我的", "t恤", "和", "卡拉ok"}));
  EXPECT_EQ(terms(*analyzer, "Modern C++17, written in New York"),
            (Terms{"modern", "c++", "17", "written", "new york"}));
  EXPECT_EQ(terms(*analyzer, "赤いTシャツ").back(), "tシャツ");
  const std::string text = "用C++写";
  const std::vector<Token> tokens = analyzer->analyze(text);
  ASSERT_EQ(tokens.size(), 3u);
  EXPECT_EQ(tokens[1].span.of(text), "C++");
  EXPECT_EQ(tokens[1].position, 1u);
  EXPECT_EQ(tokens[2].position, 2u);
}

TEST(WordAnalyzer, FindsUserWordsWhateverTheirCaseAndWidth) {
  const auto analyzer = word_analyzer({"ｔ恤", "Café时光", "ｶﾗｵｹ"});
  EXPECT_EQ(terms(*analyzer, "Ｔ恤 T恤 t恤"), (Terms{"t恤", "t恤", "t恤"}));
  EXPECT_EQ(terms(*analyzer, "CAFE\u0301时光"), (Terms{"café时光"})) << "decomposed";
  EXPECT_EQ(terms(*analyzer, "カラオケ"), (Terms{"カラオケ"}));
  EXPECT_EQ(terms(*analyzer, "T\u00AD恤"), (Terms{"t恤"})) << "with a soft hyphen";
  EXPECT_EQ(terms(*analyzer, "T\xFF恤"), (Terms{"t", "恤"})) << "an invalid byte divides words";
}

TEST(WordAnalyzer, FindsUserWordsNotWithinOtherWords) {
  const auto analyzer = word_analyzer({"art", "OK绷", "中文"});
  EXPECT_EQ(terms(*analyzer, "party start art"), (Terms{"parti", "start", "art"}));
  EXPECT_EQ(terms(*analyzer, "art展 books OK绷带"), (Terms{"art", "展", "book", "ok绷", "带"}));
  EXPECT_EQ(terms(*analyzer, "BOOK绷 a中文b"), (Terms{"book", "绷", "中文", "b"}));
  EXPECT_EQ(terms(*analyzer, "arte\u0301"), (Terms{"arté"}));
}

TEST(WordAnalyzer, TakesLongUserWordsUpToALimit) {
  const std::string longest(255, 'a');
  const auto analyzer = word_analyzer({longest});
  EXPECT_EQ(terms(*analyzer, "词" + longest + "词"), (Terms{"词", longest, "词"}));
  // The longest way down the trie from each of many places.
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "中";
  std::string word;
  for (int i = 0; i < 84; ++i) word += "中";
  EXPECT_EQ(word_analyzer({word + "文"})->analyze(text + "文").back().term, word + "文");
  const Error error = test::error_of([&] { word_analyzer({"ok", longest + "b"}); });
  EXPECT_EQ(error.errc(), Errc::invalid_argument);
  EXPECT_NE(std::string(error.what()).find("user word 2 has 256 bytes"), std::string::npos) << error.what();
}

TEST(WordAnalyzer, ItsSignatureTellsUserWordsApart) {
  EXPECT_NE(word_analyzer()->signature(), word_analyzer({"神经网络"})->signature());
  EXPECT_EQ(word_analyzer({"a", "b"})->signature(), word_analyzer({"b", "a", "b", "", "Ａ"})->signature());
  AnalyzerOptions options;
  options.stemmer = Stemmer::none;
  EXPECT_NE(word_analyzer({}, options)->signature(), word_analyzer()->signature());
}

TEST(SynonymAnalyzer, GivesTheOtherMembersAtTheSamePlace) {
  const auto analyzer = synonym_analyzer(english_analyzer(), {{"GPU", "graphics card"}, {"car", "automobile"}});
  EXPECT_EQ(terms(*analyzer, "a fast GPU"), (Terms{"fast", "gpu", "graphic", "card"}));
  EXPECT_EQ(terms(*analyzer, "graphics cards, cars"), (Terms{"graphic", "gpu", "card", "car", "automobil"}));
  const std::string text = "one graphics card";
  const std::vector<Token> tokens = analyzer->analyze(text);
  ASSERT_EQ(tokens.size(), 4u);
  EXPECT_EQ(tokens[2].term, "gpu");
  EXPECT_EQ(tokens[2].span.of(text), "graphics card");
  EXPECT_EQ(tokens[2].position, tokens[1].position);
}

TEST(SynonymAnalyzer, WorksOnWordsOfChinese) {
  const auto analyzer = synonym_analyzer(word_analyzer({"计算机"}), {{"电脑", "计算机"}});
  EXPECT_EQ(terms(*analyzer, "电脑"), (Terms{"电脑", "计算机"}));
  EXPECT_EQ(terms(*analyzer, "计算机"), (Terms{"计算机", "电脑"}));
}

TEST(SynonymAnalyzer, RefusesWhatHasNoTermAndTellsGroupsApart) {
  using test::error_of;
  EXPECT_EQ(error_of([] { synonym_analyzer(nullptr, {}); }).errc(), Errc::invalid_argument);
  EXPECT_EQ(error_of([] { synonym_analyzer(english_analyzer(), {{"the", "that"}}); }).errc(), Errc::invalid_argument);
  EXPECT_NE(synonym_analyzer(english_analyzer(), {{"a1", "b1"}})->signature(),
            synonym_analyzer(english_analyzer(), {{"a1"}, {"b1"}})->signature());
}

TEST(Highlight, NamesTheWordsThatWereFound) {
  const auto analyzer = standard_analyzer();
  EXPECT_EQ(highlighted(*analyzer, "rotate the keys?", "Keys are rotated by the key service, never the lock."),
            (Terms{"Keys", "rotated", "key"}));
  EXPECT_EQ(highlighted(*analyzer, "检索增强", "用检索来增强生成，检索很快"), (Terms{"检索", "增强", "检索"}));
  EXPECT_EQ(highlighted(*analyzer, "what does momentum do about speed? 动量的作用", "What momentum does: 动量是什么"),
            (Terms{"momentum", "动量"}));
  EXPECT_EQ(highlighted(*analyzer, "什么？", "什么是动量"), Terms{"什么"});
  EXPECT_TRUE(highlighted(*analyzer, "", "text").empty());
  EXPECT_TRUE(highlighted(*analyzer, "the", "the text").empty());
}

}  // namespace
}  // namespace ragstone
