#include "store/query_terms.hpp"

#include <map>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

std::map<std::string, float> weights_of(std::shared_ptr<const Analyzer> analyzer, std::string text) {
  TextMember member;
  member.analyzer = std::move(analyzer);
  member.text = std::move(text);
  std::map<std::string, float> weights;
  for (const TermWeight& term : query_terms(member)) weights[term.term] = term.weight;
  return weights;
}

TEST(QueryTerms, CharactersCountTwiceWhereTheyStandInPairs) {
  const auto weights = weights_of(standard_analyzer(), "密钥库 red 树");
  EXPECT_EQ(weights.at("密"), 2);
  EXPECT_EQ(weights.at("钥"), 2);
  EXPECT_EQ(weights.at("库"), 2);
  EXPECT_EQ(weights.at("密钥"), 1);
  EXPECT_EQ(weights.at("red"), 1);
  EXPECT_EQ(weights.at("树"), 1) << "there is no pair that would say less";
}

TEST(QueryTerms, WordsOfOneCharacterCountOnce) {
  const auto weights = weights_of(word_analyzer(), "苹果、树");
  EXPECT_EQ(weights.at("苹果"), 1);
  EXPECT_EQ(weights.at("树"), 1);
}

TEST(QueryTerms, QuestionWordsOfADictionaryAreLeftOut) {
  const auto weights = weights_of(word_analyzer(), "为什么苹果");
  EXPECT_EQ(weights, (std::map<std::string, float>{{"苹果", 1.0F}}));
}

}  // namespace
}  // namespace ragstone
