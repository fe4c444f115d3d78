#include "support/errors.hpp"
#include <ragstone/async/runtime.hpp>
#include <ragstone/model/reranker.hpp>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

class KeywordRerankerTest : public ::testing::Test {
 protected:
  bool keeps(std::string text, std::vector<std::string> required, std::vector<std::string> excluded = {}) {
    KeywordRerankerOptions options;
    options.required = std::move(required);
    options.excluded = std::move(excluded);
    const auto reranker = keyword_reranker(runtime.pool(), options);
    std::vector<std::string> texts{std::move(text)};
    return !runtime.run(reranker->rerank("query", texts, 1)).empty();
  }

  Runtime runtime;
};

TEST_F(KeywordRerankerTest, KeepsTheOrderAndGivesNoScores) {
  KeywordRerankerOptions options;
  options.required = {"key"};
  const auto reranker = keyword_reranker(runtime.pool(), options);
  std::vector<std::string> texts = {"no", "keys", "none", "a key", "Key"};
  const auto all = runtime.run(reranker->rerank("query", texts, 5));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].index, 1u);
  EXPECT_EQ(all[1].index, 3u);
  EXPECT_EQ(all[2].index, 4u);
  EXPECT_FALSE(all[0].score.has_value());
  EXPECT_EQ(runtime.run(reranker->rerank("query", texts, 2)).size(), 2u);
}

TEST_F(KeywordRerankerTest, EnglishMatchesWholeWordsWhateverCaseAndInflection) {
  EXPECT_TRUE(keeps("She ROTATED the keys.", {"rotate"}));
  EXPECT_TRUE(keeps("rotating", {"Rotates"}));
  EXPECT_FALSE(keeps("keyboard", {"key"}));
  EXPECT_FALSE(keeps("monkey", {"key"}));
  EXPECT_TRUE(keeps("Ｆｕｌｌ width", {"full"}));
}

TEST_F(KeywordRerankerTest, SeveralWordsMustStandNextToEachOtherInOrder) {
  EXPECT_TRUE(keeps("the signing keys of the server", {"signing key"}));
  EXPECT_TRUE(keeps("the signing-key", {"signing key"}));
  EXPECT_FALSE(keeps("keys for signing", {"signing key"}));
  EXPECT_FALSE(keeps("signing new keys", {"signing key"}));
  EXPECT_TRUE(keeps("It is the state of the art.", {"state of the art"}));
  EXPECT_FALSE(keeps("It is a state with art.", {"state of the art"}));
}

TEST_F(KeywordRerankerTest, ChineseMatchesAsARunOfCharacters) {
  EXPECT_TRUE(keeps("如何更换签名密钥？", {"密钥"}));
  EXPECT_TRUE(keeps("如何更换签名密钥？", {"换签名"}));
  EXPECT_FALSE(keeps("机密的钥匙", {"密钥"}));
  EXPECT_FALSE(keeps("严守机密。钥匙在此。", {"密钥"}));
  EXPECT_TRUE(keeps("签名密\n钥", {"密钥"})) << "a line may be broken anywhere";
  EXPECT_FALSE(keeps("钥密", {"密钥"}));
}

TEST_F(KeywordRerankerTest, MixedScriptsMatchWithOrWithoutASpace) {
  EXPECT_TRUE(keeps("需要 16GB GPU 显存", {"GPU显存"}));
  EXPECT_TRUE(keeps("需要gpu显存", {"GPU 显存"}));
  EXPECT_FALSE(keeps("GPU 与显存", {"GPU显存"}));
}

TEST_F(KeywordRerankerTest, AllRequiredAndNoExcludedKeywordsCount) {
  EXPECT_TRUE(keeps("red and green", {"red", "green"}));
  EXPECT_FALSE(keeps("red and blue", {"red", "green"}));
  EXPECT_FALSE(keeps("red and green", {"red"}, {"green"}));
  EXPECT_TRUE(keeps("red", {}, {"green"}));
  EXPECT_FALSE(keeps("包含废弃的接口", {"接口"}, {"废弃"}));
}

TEST_F(KeywordRerankerTest, EmptyTextHoldsNothing) {
  EXPECT_FALSE(keeps("", {"red"}));
  EXPECT_TRUE(keeps("", {}, {"red"}));
}

TEST_F(KeywordRerankerTest, RefusesKeywordsThatCannotMatch) {
  EXPECT_EQ(test::error_of([&] { keeps("text", {}); }).errc(), Errc::invalid_argument);
  EXPECT_EQ(test::error_of([&] { keeps("text", {"?!"}); }).errc(), Errc::invalid_argument);
  EXPECT_EQ(test::error_of([&] { keeps("text", {"red"}, {""}); }).errc(), Errc::invalid_argument);
}

}  // namespace
}  // namespace ragstone
