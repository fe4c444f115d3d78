#include "rag_fixture.hpp"

#include <algorithm>

namespace ragstone::test {
namespace {

class SeveralDocumentsTest : public RagTest {
 protected:
  Document with_texts(const std::vector<std::string>& texts, std::shared_ptr<Embedder> embedder = nullptr) {
    DocumentOptions settings;
    if (embedder) settings.embedders["test"] = std::move(embedder);
    Document document = open(settings);
    int number = 0;
    for (const std::string& text : texts) runtime.run(document.add(Source("s" + std::to_string(number++), text)));
    return document;
  }

  Retrieval ask(std::vector<Document> documents, const std::string& query, const RetrieverOptions& options = {}) {
    return runtime.run(Retriever(std::move(documents), options).explain(Query(query)));
  }

  static std::vector<std::size_t> documents_of(const Retrieval& found) {
    std::vector<std::size_t> documents;
    for (const Hit& hit : found.hits) documents.push_back(hit.document);
    return documents;
  }

  const std::vector<std::string> apples = {"red apples 红苹果", "apples apples 苹果", "the apples of a tree 苹果树"};
};

TEST_F(SeveralDocumentsTest, AnswerByRanksWhereTheirRankingsDiffer) {
  Document by_words = with_texts(apples);
  Document by_both = with_texts(apples, std::make_shared<CountingEmbedder>());
  for (const char* query : {"apples", "苹果"}) {
    const Retrieval found = ask({by_words, by_both}, query);
    EXPECT_EQ(documents_of(found), (std::vector<std::size_t>{0, 1, 0, 1, 0, 1})) << query;
    EXPECT_DOUBLE_EQ(found.hits[1].score, 1.0 / 61);
    EXPECT_DOUBLE_EQ(found.hits[5].score, 1.0 / 63);
    EXPECT_NE(found.notes.back().find("by their ranks"), std::string::npos);
    const Retrieval alike = ask({by_words, by_words}, query);
    EXPECT_EQ(alike.hits.size(), 6u);
    EXPECT_GT(alike.hits[0].score, 1.0 / 61) << "their own scores";
  }
}

TEST_F(SeveralDocumentsTest, AnswerByRanksWhereTheirEmbeddersDiffer) {
  Document one = with_texts(apples, std::make_shared<CountingEmbedder>());
  Document other = with_texts(apples, std::make_shared<CountingEmbedder>("other"));
  RetrieverOptions options;
  options.similarity = Similarity::cosine;
  EXPECT_DOUBLE_EQ(ask({one, other}, "apples", options).hits[0].score, 1.0 / 61);
  EXPECT_GT(ask({one, one}, "apples", options).hits[0].score, 0.1);
}

TEST_F(SeveralDocumentsTest, AnswerByRanksWhereOneLostARanking) {
  auto broken = std::make_shared<CountingEmbedder>();
  Document sound = with_texts(apples, std::make_shared<CountingEmbedder>());
  Document degraded = with_texts(apples, broken);
  runtime.run(degraded.build(kMediumChunk));
  RetrieverOptions options;
  options.on_failure = OnMemberFailure::degrade;
  EXPECT_GT(ask({sound, degraded}, "苹果", options).hits[0].score, 0.1);
  broken->before = [](std::span<const std::string>) { throw Error(Errc::rejected, "out of quota"); };
  const Retrieval found = ask({sound, degraded}, "苹果", options);
  EXPECT_EQ(documents_of(found), (std::vector<std::size_t>{0, 1, 0, 1, 0, 1}));
  EXPECT_DOUBLE_EQ(found.hits[0].score, 1.0 / 61);
  EXPECT_EQ(found.failures.size(), 1u);
}

TEST_F(SeveralDocumentsTest, KeepTheOrderInWhichDiverseHitsWereChosen) {
  const std::vector<std::string> texts = {"rotate the key", "rotate the key now", "the key and the door", "轮换 key"};
  Document document = with_texts(texts);
  Document other = with_texts({"key"});
  RetrieverOptions options;
  options.diversity.emplace();
  options.diversity->lambda = 0.2;
  std::vector<std::string> chosen;
  for (const Hit& hit : retrieve(document, "rotate key 轮换", options)) chosen.push_back(hit.text);
  ASSERT_EQ(chosen.size(), 4u);
  std::vector<std::string> of_document;
  const Retrieval found = ask({document, other}, "rotate key 轮换", options);
  for (const Hit& hit : found.hits)
    if (hit.document == 0) of_document.push_back(hit.text);
  EXPECT_EQ(of_document, chosen);
  EXPECT_FALSE(std::is_sorted(found.hits.begin(), found.hits.end(), [](const Hit& a, const Hit& b) {
    return a.score > b.score;
  })) << "the order of choice is another than that of the scores";
}

}  // namespace
}  // namespace ragstone::test
