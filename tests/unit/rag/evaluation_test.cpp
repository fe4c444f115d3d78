#include "support/errors.hpp"
#include "unit/rag/rag_fixture.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/rag/evaluation.hpp>

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

using Ids = std::vector<std::string>;

// Values worked out by hand with trec_eval's definitions.
TEST(Evaluation, MeasuresARankingAsTrecEvalDoes) {
  const Judgements judgements = {{"a", 3}, {"b", 2}, {"c", 1}, {"d", 0}};
  const Ids ranking = {"x", "b", "d", "a"};
  const double gained = 2 / std::log2(3.0) + 3 / std::log2(5.0);
  const double best = 3 + 2 / std::log2(3.0) + 1 / std::log2(4.0);
  EXPECT_NEAR(ndcg(ranking, judgements, 10), gained / best, 1e-12);
  EXPECT_NEAR(ndcg(ranking, judgements, 2), 2 / std::log2(3.0) / (3 + 2 / std::log2(3.0)), 1e-12);
  EXPECT_NEAR(recall(ranking, judgements, 100), 2.0 / 3, 1e-12);
  EXPECT_NEAR(recall(ranking, judgements, 3), 1.0 / 3, 1e-12);
  EXPECT_NEAR(reciprocal_rank(ranking, judgements), 0.5, 1e-12);
  EXPECT_NEAR(average_precision(ranking, judgements), (1.0 / 2 + 2.0 / 4) / 3, 1e-12);
}

TEST(Evaluation, CountsARepeatedIdOnce) {
  const Judgements judgements = {{"a", 1}, {"b", 1}};
  EXPECT_EQ(recall(Ids{"a", "a", "a", "b"}, judgements, 2), 1);
  EXPECT_NEAR(average_precision(Ids{"a", "a", "b"}, judgements), 1, 1e-12);
}

TEST(Evaluation, IsZeroWhereNothingIsRelevantOrFound) {
  const Judgements nothing = {{"a", 0}};
  const Judgements some = {{"a", 1}};
  for (const auto& [ranking, judgements] : {std::pair(Ids{"a"}, nothing), std::pair(Ids{}, some)}) {
    EXPECT_EQ(ndcg(ranking, judgements, 10), 0);
    EXPECT_EQ(recall(ranking, judgements, 10), 0);
    EXPECT_EQ(reciprocal_rank(ranking, judgements), 0);
    EXPECT_EQ(average_precision(ranking, judgements), 0);
  }
}

TEST(Evaluation, BootstrapIntervalsHoldTheMeanAndShrinkWithMoreQueries) {
  const std::vector<double> few = {0, 1, 0, 1, 1, 0, 1, 0};
  std::vector<double> many;
  for (int i = 0; i < 100; ++i) many.insert(many.end(), few.begin(), few.end());
  const MeanInterval wide = bootstrap_mean(few);
  const MeanInterval narrow = bootstrap_mean(many);
  EXPECT_NEAR(wide.mean, 0.5, 1e-12);
  EXPECT_LT(wide.low, 0.5);
  EXPECT_GT(wide.high, 0.5);
  // The normal approximation: 1.96 * 0.5 / sqrt(800).
  EXPECT_NEAR(narrow.high - narrow.low, 2 * 1.96 * 0.5 / std::sqrt(800.0), 0.01);
  EXPECT_EQ(bootstrap_mean(many).low, narrow.low);
  EXPECT_EQ(bootstrap_mean({}).mean, 0);
}

TEST(Evaluation, ScoresSpansByTheBytesThatTheyShare) {
  const std::vector<SourceSpan> relevant = {{"a", {10, 20}}, {"b", {0, 10}}};
  const std::vector<SourceSpan> retrieved = {{"a", {0, 15}}, {"a", {12, 30}}, {"c", {0, 10}}};
  const SpanScore score = score_spans(retrieved, relevant);
  EXPECT_NEAR(score.recall, 10.0 / 20, 1e-12);
  EXPECT_NEAR(score.precision, 10.0 / 40, 1e-12);
  EXPECT_NEAR(score.iou, 10.0 / 50, 1e-12);
  EXPECT_EQ(score_spans(retrieved, {}).recall, 0);
  EXPECT_EQ(score_spans({}, relevant).precision, 0);
}

TEST(Evaluation, AsksEveryQueryAndComparesConfigurations) {
  Runtime runtime;
  DocumentOptions options;
  Document document = runtime.run(Document::open(runtime, options));
  std::vector<Source> sources;
  sources.emplace_back("keys", "Keys are rotated every week.");
  sources.emplace_back("backup", "数据库每天备份一次。");
  runtime.run(document.add_all(std::move(sources)));
  std::vector<JudgedQuery> queries(3);
  queries[0].id = "1";
  queries[0].text = "how are keys rotated";
  queries[0].judgements = {{"keys", 1}};
  queries[1].id = "2";
  queries[1].text = "备份";
  queries[1].judgements = {{"backup", 2}};
  queries[2].id = "unjudged";
  RetrieverOptions retrieval;
  retrieval.group = kRootGroup;
  const Retriever retriever(document, retrieval);
  const Evaluation evaluation = runtime.run(evaluate(retriever, queries));
  ASSERT_EQ(evaluation.queries.size(), 2u);
  EXPECT_EQ(evaluation.mean(&QueryScore::ndcg_at_10).mean, 1);
  EXPECT_EQ(compare(evaluation, evaluation, &QueryScore::recall_at_100).high, 0);
  EXPECT_EQ(error_of([&] { compare(evaluation, Evaluation(), &QueryScore::recall_at_100); }).errc(),
            Errc::invalid_argument);
}

}  // namespace
}  // namespace ragstone::test
