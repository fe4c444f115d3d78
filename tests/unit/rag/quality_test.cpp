#include "support/beir.hpp"
#include "support/data.hpp"
#include "support/evaluation.hpp"
#include <ragstone/rag/retriever.hpp>

#include <string>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

struct Reference {
  const char* collection;
  double ndcg_at_10;
  double recall_at_100;
};

/// What an independent implementation measured, with k1 = 0.9 and b = 0.4, the Porter stemmer and 33 stop words for
/// English, characters and pairs for Chinese.
class Bm25Quality : public ::testing::TestWithParam<Reference> {};

TEST_P(Bm25Quality, AgreesWithThePublishedFigures) {
  RAGSTONE_DATA_OR_SKIP(folder, std::string("retrieval/") + GetParam().collection);
  Runtime runtime;
  const test::Evaluation evaluation(runtime, test::load_beir(folder), nullptr);
  RetrieverOptions options;
  options.similarity = Similarity::bm25;
  options.bm25.k1 = 0.9;
  options.bm25.b = 0.4;
  options.bm25.idf_power = 1;
  options.text_boosts.depth = 0;
  const test::Quality quality = evaluation.measure(options);
  EXPECT_NEAR(quality.ndcg_at_10, GetParam().ndcg_at_10, 0.003);
  EXPECT_NEAR(quality.recall_at_100, GetParam().recall_at_100, 0.003);
}

INSTANTIATE_TEST_SUITE_P(Collections, Bm25Quality,
                         ::testing::Values(Reference{"scifact", 0.6768, 0.9287}, Reference{"cranfield", 0.3575, 0.7177},
                                           Reference{"cisi", 0.3579, 0.4232}, Reference{"stard", 0.5211, 0.8593},
                                           Reference{"cmrc2018-dev", 0.9855, 0.9997}),
                         [](const auto& parameter) {
                           std::string name = parameter.param.collection;
                           std::erase(name, '-');
                           return name;
                         });

/// What the default reaches: no change may lose it unnoticed.
class DefaultQuality : public ::testing::TestWithParam<Reference> {};

TEST_P(DefaultQuality, IsHeld) {
  RAGSTONE_DATA_OR_SKIP(folder, GetParam().collection);
  Runtime runtime;
  const test::Evaluation evaluation(runtime, test::load_beir(folder), nullptr);
  const test::Quality quality = evaluation.measure(RetrieverOptions());
  EXPECT_GE(quality.ndcg_at_10, GetParam().ndcg_at_10 - 0.003);
  EXPECT_GE(quality.recall_at_100, GetParam().recall_at_100 - 0.003);
}

INSTANTIATE_TEST_SUITE_P(
    Collections, DefaultQuality,
    ::testing::Values(Reference{"retrieval/scifact", 0.6845, 0.9282}, Reference{"retrieval/cranfield", 0.3773, 0.7304},
                      Reference{"retrieval/cisi", 0.3641, 0.4439}, Reference{"multihop/hotpotqa-100", 0.8101, 0.9750},
                      Reference{"multihop/musique-100", 0.5866, 0.8475}, Reference{"retrieval/stard", 0.5418, 0.8771}),
    [](const auto& parameter) {
      std::string name = parameter.param.collection;
      name.erase(0, name.find('/') + 1);
      std::erase(name, '-');
      return name;
    });

}  // namespace
}  // namespace ragstone
