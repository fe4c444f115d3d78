#include "rag_fixture.hpp"
#include "support/recording_observer.hpp"

#include <algorithm>
#include <cmath>

namespace ragstone::test {
namespace {

using RetrieverTest = RagTest;

const char kGuide[] =
    "Keys are rotated every ninety days.\nBackups run at night.\n\n"
    "Lost keys are revoked.\nA revoked key opens nothing.\nKeys, keys, keys.\n\n"
    "The cafeteria opens at noon.";

RetrieverOptions options_for(const std::string& group, const std::string& target = "") {
  RetrieverOptions options;
  options.group = group;
  options.target = target;
  return options;
}

class GuideTest : public RagTest {
 protected:
  void SetUp() override {
    document = open();
    document.add_group(NodeGroup("Paragraph", paragraph_chunker()));
    document.add_group(NodeGroup("Line", line_chunker(), "Paragraph"));
    document.add_group(NodeGroup("FlatLine", line_chunker()));
    runtime.run(document.add(Source("guide", kGuide)));
    runtime.run(document.add(Source("other", "Nothing about locks.")));
  }
  void TearDown() override { document = Document(); }

  Document document;
};

TEST_F(GuideTest, HitsAreSortedAndCutAtTopK) {
  const std::vector<Hit> all = retrieve(document, "keys", options_for("Line"));
  ASSERT_EQ(all.size(), 4u);
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_GE(all[i - 1].score, all[i].score);
  EXPECT_EQ(all[0].text, "Keys, keys, keys.");
  RetrieverOptions two = options_for("Line");
  two.top_k = 2;
  EXPECT_EQ(retrieve(document, "keys", two).size(), 2u);
}

TEST_F(GuideTest, CutOffKeepsEqualScores) {
  const std::vector<Hit> all = retrieve(document, "keys", options_for("Line"));
  RetrieverOptions cut = options_for("Line");
  cut.similarity_cut_off = all[1].score;
  const std::vector<Hit> kept = retrieve(document, "keys", cut);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[1].score, all[1].score);
}

TEST_F(GuideTest, TargetUpGivesEachAncestorOnceWithItsBestScore) {
  const std::vector<Hit> lines = retrieve(document, "keys", options_for("Line"));
  const std::vector<Hit> up = retrieve(document, "keys", options_for("Line", "Paragraph"));
  ASSERT_EQ(up.size(), 2u);
  EXPECT_EQ(up[0].group, "Paragraph");
  EXPECT_NE(up[0].text.find("revoked"), std::string::npos);
  EXPECT_EQ(up[0].score, lines[0].score);
  const std::vector<Hit> root = retrieve(document, "keys", options_for("Line", kRootGroup));
  ASSERT_EQ(root.size(), 1u);
  EXPECT_EQ(root[0].text, kGuide);
}

TEST_F(GuideTest, TargetScoresCanBeSummedOrCounted) {
  RetrieverOptions count = options_for("Line", "Paragraph");
  count.target_score = TargetScore::count;
  const std::vector<Hit> counted = retrieve(document, "keys", count);
  ASSERT_EQ(counted.size(), 2u);
  EXPECT_EQ(counted[0].score, 3);
  EXPECT_EQ(counted[1].score, 1);
  RetrieverOptions sum = options_for("Line", "Paragraph");
  sum.target_score = TargetScore::sum;
  const std::vector<Hit> lines = retrieve(document, "keys", options_for("Line"));
  double expected = 0;
  for (const Hit& line : lines)
    if (line.parent == counted[0].id) expected += line.score;
  EXPECT_NEAR(retrieve(document, "keys", sum)[0].score, expected, 1e-12);
}

TEST_F(GuideTest, TargetDownGivesTheChildrenWithTheirParentsScore) {
  const std::vector<Hit> paragraphs = retrieve(document, "cafeteria", options_for("Paragraph"));
  const std::vector<Hit> down = retrieve(document, "ninety", options_for("Paragraph", "Line"));
  ASSERT_EQ(down.size(), 2u);
  EXPECT_EQ(down[0].text, "Keys are rotated every ninety days.");
  EXPECT_EQ(down[1].text, "Backups run at night.");
  EXPECT_EQ(down[0].score, down[1].score);
  EXPECT_GT(down[0].score, 0);
  EXPECT_EQ(paragraphs.size(), 1u);
}

TEST_F(GuideTest, TargetSidewaysGivesWhatOverlapsTheHit) {
  const std::vector<Hit> side = retrieve(document, "cafeteria", options_for("FlatLine", "Paragraph"));
  ASSERT_EQ(side.size(), 1u);
  EXPECT_EQ(side[0].text, "The cafeteria opens at noon.");
  const std::vector<Hit> lines = retrieve(document, "ninety", options_for("FlatLine", "Line"));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].text, "Keys are rotated every ninety days.");
}

TEST_F(GuideTest, AnEmptyQueryHasNoHits) {
  EXPECT_TRUE(retrieve(document, "").empty());
  EXPECT_TRUE(retrieve(document, "  ...  ").empty());
}

TEST_F(RetrieverTest, FiltersOfRetrieverAndQueryMustBothHold) {
  Document document = open();
  for (int year = 2020; year < 2025; ++year) {
    Metadata metadata;
    metadata.set("year", year);
    metadata.set("lang", year % 2 == 0 ? "zh" : "en");
    runtime.run(document.add(Source(std::to_string(year), "the annual report 年度报告", metadata)));
  }
  RetrieverOptions options;
  options.filter = Filter::parse("year >= 2021");
  const Retriever retriever(document, options);
  EXPECT_EQ(runtime.run(retriever.retrieve("report")).size(), 4u);
  Query query("年度报告");
  query.filter = field("lang") == Scalar(std::string("zh"));
  const std::vector<Hit> hits = runtime.run(retriever.retrieve(query));
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(hits[0].source, "2022") << "equal scores by ascending id";
  EXPECT_EQ(hits[1].source, "2024");
}

class SimilarityTest : public RagTest {
 protected:
  void SetUp() override {
    DocumentOptions options;
    options.embedders["one"] = std::make_shared<CountingEmbedder>("one");
    options.embedders["two"] = std::make_shared<CountingEmbedder>("two");
    document = open(options);
    runtime.run(document.add(Source("a", "apples and pears")));
    runtime.run(document.add(Source("b", "plums and cherries")));
    runtime.run(document.add(Source("c", "苹果和梨")));
  }
  void TearDown() override { document = Document(); }

  std::vector<Hit> by(Similarity similarity, std::vector<std::string> keys, const std::string& query) {
    RetrieverOptions options;
    options.similarity = similarity;
    options.embedders = std::move(keys);
    return retrieve(document, query, options);
  }

  Document document;
};

TEST_F(SimilarityTest, AnEqualTextHasCosineOneAndDistanceZero) {
  const std::vector<Hit> cosine = by(Similarity::cosine, {"one"}, "apples and pears");
  ASSERT_EQ(cosine.size(), 3u);
  EXPECT_EQ(cosine[0].source, "a");
  EXPECT_NEAR(cosine[0].score, 1, 1e-6);
  const std::vector<Hit> l2 = by(Similarity::l2, {"one"}, "苹果和梨");
  EXPECT_EQ(l2[0].source, "c");
  EXPECT_EQ(l2[0].score, 0);
  EXPECT_LT(l2[1].score, 0);
  const std::vector<Hit> product = by(Similarity::inner_product, {"one"}, "apples and pears");
  EXPECT_EQ(product[0].source, "a");
  EXPECT_GT(product[0].score, 1);
}

TEST_F(SimilarityTest, HybridFusesEveryRankingByItsScores) {
  const std::vector<Hit> hits = by(Similarity::hybrid, {}, "apples and pears");
  ASSERT_EQ(hits.size(), 3u);
  EXPECT_EQ(hits[0].source, "a");
  ASSERT_EQ(hits[0].ranks.size(), 3u);
  EXPECT_NEAR(hits[0].score, 3, 1e-12) << "first in bm25, one and two";
  EXPECT_EQ(retrieve(document, "apples")[0].ranks.size(), 3u) << "hybrid is automatic with embedders";
}

TEST_F(SimilarityTest, HybridFusesByReciprocalRankIfAsked) {
  RetrieverOptions options;
  options.fusion = Fusion::reciprocal_rank;
  const std::vector<Hit> hits = retrieve(document, "apples and pears", options);
  ASSERT_FALSE(hits.empty());
  EXPECT_NEAR(hits[0].score, 3.0 / 61, 1e-12) << "first in bm25, one and two";
}

TEST_F(SimilarityTest, CutOffsApplyToEachRankingBeforeFusion) {
  RetrieverOptions options;
  options.cut_offs["one"] = 2;
  options.cut_offs["two"] = 2;
  const std::vector<Hit> hits = retrieve(document, "apples", options);
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_NEAR(hits[0].score, 1, 1e-12);
}

TEST_F(SimilarityTest, WeightsScaleARanking) {
  RetrieverOptions options;
  options.weights["bm25"] = 3;
  EXPECT_NEAR(retrieve(document, "apples and pears", options)[0].score, 5, 1e-12);
}

TEST_F(SimilarityTest, ExplainTellsHowEachRankingWasMade) {
  const Retrieval retrieval = runtime.run(Retriever(document, {}).explain(Query("apples")));
  EXPECT_EQ(retrieval.notes.size(), 3u);
}

TEST_F(RetrieverTest, AnswersWithoutAnEmbedderThatIsDownIfToldTo) {
  auto embedder = std::make_shared<CountingEmbedder>();
  DocumentOptions settings;
  settings.embedders["test"] = embedder;
  Document document = open(settings);
  runtime.run(document.add(Source("x", "red apples")));
  runtime.run(document.build(kMediumChunk));
  embedder->before = [](std::span<const std::string>) { throw Error(Errc::rejected, "the server is down"); };
  RetrieverOptions options;
  EXPECT_EQ(code_of([&] { retrieve(document, "apples", options); }), Errc::rejected);

  options.on_failure = OnMemberFailure::degrade;
  const auto observer = std::make_shared<RecordingObserver>();
  const Retrieval retrieval =
      runtime.run(Retriever(document, options).explain(Query("apples"), CallContext().with_observer(observer)));
  ASSERT_EQ(retrieval.hits.size(), 1u);
  ASSERT_EQ(retrieval.failures.size(), 1u);
  EXPECT_EQ(retrieval.failures[0].member, "test");
  EXPECT_EQ(retrieval.failures[0].code, Errc::rejected);
  EXPECT_NE(retrieval.notes.back().find("test: left out, rejected"), std::string::npos);
  const std::vector<Event> events = observer->events();
  const Scalar* asked = events.front().attributes().find("top_k");
  ASSERT_TRUE(asked);
  EXPECT_EQ(*asked, Scalar(static_cast<std::int64_t>(options.top_k)));
  const std::vector<EventPhase> phases = observer->phases();
  EXPECT_EQ(std::count(phases.begin(), phases.end(), EventPhase::custom), 1);

  options.similarity = Similarity::cosine;
  EXPECT_EQ(code_of([&] { retrieve(document, "apples", options); }), Errc::rejected) << "there is nothing left";
}

TEST_F(RetrieverTest, SlowEmbeddersAreLeftOutToo) {
  auto embedder = std::make_shared<CountingEmbedder>();
  DocumentOptions settings;
  settings.embedders["test"] = embedder;
  Document document = open(settings);
  runtime.run(document.add(Source("x", "red apples")));
  runtime.run(document.build(kMediumChunk));
  embedder->before = [](std::span<const std::string>) { throw Error(Errc::timeout, "no answer in time"); };
  RetrieverOptions options;
  options.on_failure = OnMemberFailure::degrade;
  options.priorities["bm25"] = 1;
  options.fusion = Fusion::relative_score;
  EXPECT_EQ(retrieve(document, "apples", options).size(), 1u);
  options.priorities["bm52"] = 1;
  EXPECT_EQ(code_of([&] { retrieve(document, "apples", options); }), Errc::not_found);
}

TEST_F(RetrieverTest, SeveralDocumentsAnswerTogether) {
  Document first = open();
  Document second = open();
  runtime.run(first.add(Source("x", "red apples")));
  runtime.run(second.add(Source("x", "green apples")));
  runtime.run(second.add(Source("y", "apples apples apples")));
  RetrieverOptions options;
  options.top_k = 2;
  const std::vector<Hit> hits = runtime.run(Retriever({first, second}, options).retrieve("apples"));
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_GE(hits[0].score, hits[1].score);
  options.top_k = 10;
  const std::vector<Hit> all = runtime.run(Retriever({first, second}, options).retrieve("apples"));
  ASSERT_EQ(all.size(), 3u);
  std::set<std::size_t> documents;
  for (const Hit& hit : all) documents.insert(hit.document);
  EXPECT_EQ(documents, (std::set<std::size_t>{0, 1}));
}

TEST_F(RetrieverTest, KeywordRerankerKeepsWhatItMay) {
  Document document = open();
  runtime.run(document.add(Source("a", "Keys are rotated yearly.")));
  runtime.run(document.add(Source("b", "Keys are rotated daily, drafts say.")));
  runtime.run(document.add(Source("c", "密钥 keys 每天轮换。")));
  const std::vector<Hit> hits = retrieve(document, "keys");
  ASSERT_EQ(hits.size(), 3u);
  KeywordRerankerOptions keywords;
  keywords.excluded = {"draft"};
  keywords.required = {"轮换"};
  const std::vector<Hit> kept = runtime.run(rerank(keyword_reranker(runtime.pool(), keywords), "keys", hits, 5));
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].source, "c");
  EXPECT_EQ(kept[0].ranks.back().member, "rerank");
}

}  // namespace
}  // namespace ragstone::test
