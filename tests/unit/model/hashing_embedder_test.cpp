#include "model/hashing_features.hpp"
#include "support/errors.hpp"
#include <ragstone/async/runtime.hpp>
#include <ragstone/model/hashing_embedder.hpp>
#include <ragstone/text/normalize.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

std::vector<float> embed(std::string_view text, const HashingEmbedderOptions& options = {}) {
  std::vector<float> vector(options.dimension);
  hash_features(normalize(text), options, vector, StopToken());
  return vector;
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

/// FNV-1a over the bits of the floats, lowest byte first.
std::uint64_t bits_of(const std::vector<float>& vector) {
  std::uint64_t hash = 14695981039346656037u;
  for (const float value : vector) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) hash = (hash ^ (bits >> shift & 0xFF)) * 1099511628211u;
  }
  return hash;
}

/// The values were equal for g++ and clang, without optimisation and with AVX2, FMA and contraction.
TEST(HashingEmbedder, HasTheSameBitsOnEveryMachine) {
  HashingEmbedderOptions words_only;
  words_only.min_ngram = words_only.max_ngram = 0;
  HashingEmbedderOptions wide;
  wide.dimension = 4096;
  EXPECT_EQ(bits_of(embed("How do I rotate the signing keys?")), 12279764515091655770u);
  EXPECT_EQ(bits_of(embed("The quick brown fox jumps over the lazy dog; the dog sleeps, and the fox does not.")),
            14703607273495817101u);
  EXPECT_EQ(bits_of(embed("Ångström naïve café ΑΒΓ привет 123")), 8729353576931707764u);
  EXPECT_EQ(bits_of(embed("如何轮换签名密钥？")), 7774567598993132671u);
  EXPECT_EQ(bits_of(embed("自然人从事工商业经营，经依法登记，为个体工商户。个体工商户可以起字号。")),
            381255596150318440u);
  EXPECT_EQ(bits_of(embed("ベクトル検索と한국어 검색 with GPU显存 16GB")), 15376888303925198233u);
  EXPECT_EQ(bits_of(embed("How do I rotate the signing keys?", words_only)), 9361588905950021790u);
  EXPECT_EQ(bits_of(embed("如何轮换签名密钥？ How do I rotate them?", wide)), 17456162445201848898u);
}

TEST(HashingEmbedder, VectorsHaveLengthOne) {
  for (const char* text : {"a", "one more text", "知", "知识库", "x 知 y", "🙂 5"})
    EXPECT_NEAR(cosine(embed(text), embed(text)), 1.0, 1e-6) << text;
}

TEST(HashingEmbedder, TextsWithoutLettersAndDigitsAreZero) {
  for (const char* text : {"", " \n\t", "?!—…", "，。", "\xff\xfe"})
    EXPECT_EQ(embed(text), std::vector<float>(384)) << text;
}

TEST(HashingEmbedder, CaseWidthAndPunctuationDoNotCount) {
  EXPECT_EQ(embed("Rotate KEYS"), embed("rotate, keys!"));
  EXPECT_EQ(embed("ＧＰＵ１２"), embed("gpu12"));
  EXPECT_EQ(embed("知识，库"), embed("知识 库"));
  EXPECT_EQ(embed("ｶﾞｲﾄﾞ"), embed("ガイド"));
}

TEST(HashingEmbedder, RelatedTextsAreCloserThanUnrelatedOnes) {
  const auto english = embed("How can I rotate the encryption keys of the server?");
  EXPECT_GT(cosine(english, embed("Rotating a server's encryption key")),
            cosine(english, embed("Bake the bread for forty minutes")) + 0.2);
  const auto chinese = embed("怎样更换服务器的加密密钥？");
  EXPECT_GT(cosine(chinese, embed("更换服务器密钥的步骤")), cosine(chinese, embed("把面包烤四十分钟")) + 0.2);
}

TEST(HashingEmbedder, WordOrderDoesNotCountButCharacterOrderDoes) {
  EXPECT_EQ(embed("red green blue"), embed("blue red green"));
  EXPECT_NE(embed("stop"), embed("pots"));
  EXPECT_NE(embed("上海"), embed("海上"));
}

TEST(HashingEmbedder, FunctionWordsCountOnlyWhereThereIsNothingElse) {
  EXPECT_EQ(embed("What is the pump of the ship?"), embed("pump, ship"));
  EXPECT_EQ(embed("密钥 的"), embed("密钥"));
  EXPECT_NE(embed("what is it"), std::vector<float>(384));
  EXPECT_NE(embed("的"), std::vector<float>(384));
}

TEST(HashingEmbedder, RepetitionIsDamped) {
  const auto once = embed("alpha beta");
  const auto often = embed("alpha beta beta beta beta beta beta beta beta beta");
  EXPECT_GT(cosine(once, often), 0.75);
  EXPECT_LT(cosine(once, often), 0.95);
}

TEST(HashingEmbedder, LongTextsAndLongWordsTakeLinearWork) {
  std::string letters;
  std::mt19937 random(7);
  for (int i = 0; i < 300'000; ++i) letters += static_cast<char>('a' + random() % 26);
  EXPECT_NEAR(cosine(embed(letters), embed(letters)), 1.0, 1e-6);
  std::string same(300'000, 'x');
  EXPECT_NEAR(cosine(embed(same), embed(same)), 1.0, 1e-6);
}

TEST(HashingEmbedder, StopsWhenNobodyWantsTheVector) {
  std::stop_source source;
  source.request_stop();
  std::vector<float> vector(384);
  EXPECT_THROW(hash_features("text", HashingEmbedderOptions(), vector, source.get_token()),
               boost::system::system_error);
}

TEST(HashingEmbedder, EmbedsBatchesThroughTheEmbedderInterface) {
  Runtime runtime;
  HashingEmbedderOptions options;
  options.dimension = 64;
  const auto embedder = hashing_embedder(runtime.pool(), options);
  EXPECT_EQ(embedder->identity().dimension, 64u);
  EXPECT_TRUE(embedder->identity().normalized);
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) texts.push_back("text 文本 " + std::to_string(i % 200));
  const auto embeddings = runtime.run(embedder->embed(texts, EmbedRole::document));
  ASSERT_EQ(embeddings.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto row = embeddings.row(i);
    EXPECT_EQ(std::vector<float>(row.begin(), row.end()), embed(texts[i], options));
  }
}

TEST(HashingEmbedder, IdentityDiffersWithEveryOption) {
  Runtime runtime;
  HashingEmbedderOptions options;
  const auto base = hashing_embedder(runtime.pool(), options)->identity().signature();
  options.dimension = 100;
  EXPECT_NE(hashing_embedder(runtime.pool(), options)->identity().signature(), base);
  options.dimension = 384;
  options.max_ngram = 4;
  EXPECT_NE(hashing_embedder(runtime.pool(), options)->identity().signature(), base);
}

TEST(HashingEmbedder, RefusesOptionsOutsideTheirRanges) {
  Runtime runtime;
  for (const auto& [dimension, min, max] : std::vector<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>>{
           {15, 3, 5}, {65'537, 3, 5}, {384, 5, 4}, {384, 0, 3}, {384, 3, 17}, {384, 3, 0}}) {
    HashingEmbedderOptions options;
    options.dimension = dimension;
    options.min_ngram = min;
    options.max_ngram = max;
    EXPECT_EQ(test::error_of([&] { hashing_embedder(runtime.pool(), options); }).errc(), Errc::invalid_argument);
  }
}

}  // namespace
}  // namespace ragstone
