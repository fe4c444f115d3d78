#include "support/data.hpp"
#include "support/rounds.hpp"
#include <ragstone/text/token_counter.hpp>
#include <ragstone/text/utf8.hpp>

#include <random>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace ragstone {
namespace {

TEST(EstimatedTokens, CountsAPlausibleNumber) {
  const auto counter = estimated_token_counter();
  EXPECT_EQ(counter->count(""), 0u);
  EXPECT_EQ(counter->count("a"), 1u);
  EXPECT_EQ(counter->count("1234567"), 3u);
  EXPECT_EQ(counter->count("The quick brown fox jumps over the lazy dog."), 11u);
  EXPECT_EQ(counter->count("深度学习"), 6u);
  EXPECT_GT(counter->count(std::string(10'000, 'x')), 500u);
  EXPECT_TRUE(counter->is_subadditive());
}

TEST(EstimatedTokens, PiecesNeverCountLessThanTheWhole) {
  const auto counter = estimated_token_counter();
  std::mt19937 random(41);
  const std::vector<std::string> pieces{
      "a", "the", "Word",  "HTTPServer", "camelCase", "7",  "1234", " ",  "  ", "\n", "\n\n", "\t",   ".",   "...",
      "'", "'s",  "-----", "中",         "文字",      "，", "か",   "한", "é",  "я",  "😀",    "\xFF", "\r\n"};
  for (std::size_t round = 0; round < test::rounds(5'000); ++round) {
    std::string text;
    for (std::size_t n = random() % 15; n > 0; --n) text += pieces[random() % pieces.size()];
    const std::size_t whole = counter->count(text);
    for (std::size_t at = 0; at <= text.size(); ++at) {
      if (!utf8::is_boundary(text, at)) continue;
      ASSERT_LE(whole, counter->count(text.substr(0, at)) + counter->count(text.substr(at)))
          << text << " cut at " << at;
    }
  }
}

TEST(EstimatedTokens, AreNearTheTrueCountOnTestVectors) {
  RAGSTONE_DATA_OR_SKIP(path, "tokenizers/vectors.jsonl");
  const auto counter = estimated_token_counter();
  double estimated = 0;
  double counted = 0;
  for (const std::string& line : test::read_lines(path)) {
    const auto vector = nlohmann::json::parse(line);
    estimated += static_cast<double>(counter->count(vector.at("text").get<std::string>()));
    counted += static_cast<double>(vector.at("cl100k_base").size());
  }
  EXPECT_NEAR(estimated / counted, 1.0, 0.1);
}

}  // namespace
}  // namespace ragstone
