// Sparse vectors that a model makes, through Document and Retriever, on both embedded stores.

#include "rag_fixture.hpp"
#include <ragstone/model/sqlite_store.hpp>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <map>

namespace ragstone::test {
namespace {

constexpr char kKey[] = "concepts";

/// Knows which words mean one thing, as a learned model does, and counts the texts that it is given.
class Concepts {
 public:
  std::shared_ptr<SparseEmbedder> embedder(Runtime& runtime, const std::string& signature = "concepts/1") {
    return function_sparse_embedder(
        runtime.pool(), signature,
        [counts = counts_](std::span<const std::string> texts, EmbedRole role, const StopToken&) {
          std::vector<SparseVector> rows;
          for (const std::string& text : texts) {
            if (role == EmbedRole::document) ++counts->texts;
            if (counts->fails && role == EmbedRole::query) throw Error(Errc::transient, "the model is down");
            if (text.find("poison") != std::string::npos) throw Error(Errc::rejected, "no such text");
            rows.push_back(vector_of(text));
          }
          return rows;
        });
  }
  int texts() const { return counts_->texts; }
  void fail() { counts_->fails = true; }

 private:
  struct Counts {
    std::atomic<int> texts = 0;
    std::atomic<bool> fails = false;
  };

  static SparseVector vector_of(const std::string& text) {
    static const std::map<std::string, std::string> concept_of = {{"car", "vehicle"},  {"lorry", "vehicle"},
                                                                  {"汽车", "vehicle"}, {"卡车", "vehicle"},
                                                                  {"pear", "fruit"},   {"梨", "fruit"}};
    std::map<std::string, float> weights;
    for (const auto& [word, thing] : concept_of)
      if (text.find(word) != std::string::npos) weights[thing] += 1.5F;
    SparseVector vector;
    for (const auto& [thing, weight] : weights) vector.push_back({thing, weight});
    return vector;
  }

  std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
};

class SparseEmbedderTest : public RagTest, public testing::WithParamInterface<bool> {
 protected:
  DocumentOptions options() {
    DocumentOptions all;
    all.dataset = dataset.path();
    if (GetParam()) all.store = sqlite_store(store.path() / "kb");
    all.sparse_embedders[kKey] = concepts.embedder(runtime);
    return all;
  }

  static RetrieverOptions by_concepts() {
    RetrieverOptions only;
    only.similarity = Similarity::inner_product;
    return only;
  }

  std::vector<std::string> sources(const Document& document, const std::string& query,
                                   const RetrieverOptions& retrieval = {}) {
    std::vector<std::string> found;
    for (const Hit& hit : retrieve(document, query, retrieval)) found.push_back(hit.source);
    std::sort(found.begin(), found.end());
    return found;
  }

  TemporaryFolder dataset;
  TemporaryFolder store;
  Concepts concepts;
};

INSTANTIATE_TEST_SUITE_P(Stores, SparseEmbedderTest, testing::Bool(),
                         [](const auto& persistent) { return persistent.param ? "sqlite" : "memory"; });

/// What a store in memory does not have.
class PersistentSparseEmbedderTest : public SparseEmbedderTest {};
INSTANTIATE_TEST_SUITE_P(Stores, PersistentSparseEmbedderTest, testing::Values(true),
                         [](const auto&) { return "sqlite"; });

TEST_P(SparseEmbedderTest, TextsAreFoundByWhatTheirWordsMean) {
  dataset.write("a.txt", "A lorry stood in the yard.");
  dataset.write("b.txt", "一辆卡车停在院子里。");
  dataset.write("c.txt", "A pear fell from the tree.");
  const Document document = open(options());
  sync(document);
  EXPECT_EQ(sources(document, "where is the car", by_concepts()), (std::vector<std::string>{"a.txt", "b.txt"}));
  EXPECT_EQ(sources(document, "汽车", by_concepts()), (std::vector<std::string>{"a.txt", "b.txt"}));
  EXPECT_TRUE(sources(document, "nothing that it knows", by_concepts()).empty());
  const std::vector<Hit> hits = retrieve(document, "梨", by_concepts());
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_NEAR(hits.front().score, 2.25, 1e-9);
  // Together with BM25, by default.
  EXPECT_EQ(sources(document, "the car tree"), (std::vector<std::string>{"a.txt", "b.txt", "c.txt"}));
}

TEST_P(SparseEmbedderTest, SyncEmbedsWhatIsNewOrChangedAndForgetsWhatIsGone) {
  dataset.write("a.txt", "A lorry stood in the yard.");
  dataset.write("b.txt", "A pear fell from the tree.");
  Document document = open(options());
  sync(document);
  EXPECT_EQ(sources(document, "car", by_concepts()), std::vector<std::string>{"a.txt"});
  EXPECT_EQ(concepts.texts(), 2);
  sync(document);
  EXPECT_EQ(concepts.texts(), 2);
  dataset.write("b.txt", "A car fell from the bridge, and was longer.");
  sync(document);
  EXPECT_EQ(concepts.texts(), 3);
  EXPECT_EQ(sources(document, "car", by_concepts()), (std::vector<std::string>{"a.txt", "b.txt"}));
  EXPECT_TRUE(sources(document, "pear", by_concepts()).empty());
  std::filesystem::remove(dataset.path() / "a.txt");
  sync(document);
  EXPECT_EQ(sources(document, "car", by_concepts()), std::vector<std::string>{"b.txt"});
  EXPECT_EQ(concepts.texts(), 3);
  EXPECT_TRUE(runtime.run(document.verify()).findings.empty());
}

TEST_P(SparseEmbedderTest, ATextThatIsStoredIsNotEmbeddedAgain) {
  dataset.write("a.txt", "A lorry stood in the yard.");
  dataset.write("b.txt", "一个梨从树上掉下来。");
  Document document = open(options());
  sync(document);
  sources(document, "car");
  EXPECT_EQ(concepts.texts(), 2);
  // A file that moves, and another with the same text.
  std::filesystem::rename(dataset.path() / "a.txt", dataset.path() / "moved.txt");
  dataset.write("copy.txt", "一个梨从树上掉下来。");
  sync(document);
  EXPECT_EQ(concepts.texts(), 2);
  EXPECT_EQ(sources(document, "car", by_concepts()), std::vector<std::string>{"moved.txt"});
  EXPECT_EQ(sources(document, "pear", by_concepts()), (std::vector<std::string>{"b.txt", "copy.txt"}));
  for (const Hit& hit : retrieve(document, "pear", by_concepts())) EXPECT_NEAR(hit.score, 2.25, 1e-9);
}

TEST_P(SparseEmbedderTest, OfAChangedFileOnlyWhatIsNewIsEmbedded) {
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += "Paragraph " + std::to_string(i) + " tells of a lorry, 一辆卡车 and a yard.\n\n";
  dataset.write("a.txt", text);
  Document document = open(options());
  sync(document);
  sources(document, "car");
  const int all = concepts.texts();
  ASSERT_GT(all, 8);
  dataset.write("a.txt", text + "Of a pear at last.\n");
  EXPECT_EQ(sync(document).changed, 1u);
  EXPECT_GT(concepts.texts(), all);
  EXPECT_LE(concepts.texts(), all + 3);
  EXPECT_FALSE(sources(document, "pear", by_concepts()).empty());
}

TEST_P(PersistentSparseEmbedderTest, ASecondStartEmbedsNothingAndAnotherModelAll) {
  dataset.write("a.txt", "A lorry stood in the yard.");
  {
    Document document = open(options());
    sync(document);
    sources(document, "car");
    runtime.run(document.close());
  }
  EXPECT_EQ(concepts.texts(), 1);
  {
    Document document = open(options());
    sync(document);
    EXPECT_EQ(sources(document, "汽车", by_concepts()), std::vector<std::string>{"a.txt"});
    runtime.run(document.close());
  }
  EXPECT_EQ(concepts.texts(), 1);
  DocumentOptions other = options();
  other.sparse_embedders[kKey] = concepts.embedder(runtime, "concepts/2");
  EXPECT_EQ(sources(open(other), "car", by_concepts()), std::vector<std::string>{"a.txt"});
  EXPECT_EQ(concepts.texts(), 2);
}

TEST_P(SparseEmbedderTest, ATextThatIsRefusedFailsItsSourceAlone) {
  Document document = open(options());
  runtime.run(document.build(kMediumChunk));
  const std::vector<SourceStatus> all =
      runtime.run(document.add_all({Source("a", "a lorry"), Source("b", "a poison pear"), Source("c", "a car")}));
  EXPECT_EQ(all[0].state, SourceState::ready);
  EXPECT_EQ(all[1].state, SourceState::failed);
  EXPECT_EQ(all[1].stage, Stage::embed);
  EXPECT_EQ(all[2].state, SourceState::ready);
  EXPECT_EQ(sources(document, "car", by_concepts()), (std::vector<std::string>{"a", "c"}));
}

TEST_P(PersistentSparseEmbedderTest, VectorsOfAnotherModelThatARefusedSourceKeptAreNotRanked) {
  dataset.write("a.txt", "A lorry stood in the yard.");
  dataset.write("b.txt", "A lorry with poison. 毒药");
  {
    DocumentOptions other = options();
    other.sparse_embedders[kKey] = function_sparse_embedder(
        runtime.pool(), "another/1", [](std::span<const std::string> texts, EmbedRole, const StopToken&) {
          return std::vector<SparseVector>(texts.size(), SparseVector{{"vehicle", 9}});
        });
    Document document = open(std::move(other));
    sync(document);
    EXPECT_EQ(sources(document, "car", by_concepts()), (std::vector<std::string>{"a.txt", "b.txt"}));
    runtime.run(document.close());
  }
  const Document document = open(options());
  EXPECT_EQ(sources(document, "car", by_concepts()), std::vector<std::string>{"a.txt"});
  const Retrieval told = runtime.run(Retriever(document, by_concepts()).explain(Query("汽车")));
  ASSERT_EQ(told.notes.size(), 1u);
  EXPECT_NE(told.notes[0].find("without 1 source whose terms are of another"), std::string::npos) << told.notes[0];
}

TEST_P(SparseEmbedderTest, AQueryGoesOnWithoutAModelThatIsDownIfItMay) {
  dataset.write("a.txt", "A lorry stood in the yard.");
  const Document document = open(options());
  sync(document);
  sources(document, "car");
  concepts.fail();
  RetrieverOptions degrading;
  degrading.on_failure = OnMemberFailure::degrade;
  EXPECT_EQ(sources(document, "lorry", degrading), std::vector<std::string>{"a.txt"});
  EXPECT_EQ(code_of([&] { sources(document, "lorry"); }), Errc::transient);
}

TEST_P(SparseEmbedderTest, RefusesWhatMakesNoSense) {
  DocumentOptions same = options();
  same.embedders[kKey] = hashing_embedder(runtime.pool());
  EXPECT_EQ(code_of([&] { open(same); }), Errc::invalid_argument);
  DocumentOptions null = options();
  null.sparse_embedders["null"] = nullptr;
  EXPECT_EQ(code_of([&] { open(null); }), Errc::invalid_argument);
  const Document document = open(options());
  RetrieverOptions by_angle;
  by_angle.similarity = Similarity::cosine;
  by_angle.embedders = {kKey};
  EXPECT_EQ(code_of([&] { Retriever(document, by_angle); }), Errc::invalid_argument);
  RetrieverOptions unknown = by_concepts();
  unknown.embedders = {"others"};
  EXPECT_EQ(code_of([&] { Retriever(document, unknown); }), Errc::not_found);
}

}  // namespace
}  // namespace ragstone::test
