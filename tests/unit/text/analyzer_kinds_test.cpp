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

TEST(WordAnalyzer, ItsSignatureTellsUserWordsApart) {
  EXPECT_NE(word_analyzer()->signature(), word_analyzer({"神经网络"})->signature());
  EXPECT_EQ(word_analyzer({"a", "b"})->signature(), word_analyzer({"b", "a", "b", ""})->signature());
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
  EXPECT_TRUE(highlighted(*analyzer, "", "text").empty());
  EXPECT_TRUE(highlighted(*analyzer, "the", "the text").empty());
}

}  // namespace
}  // namespace ragstone
