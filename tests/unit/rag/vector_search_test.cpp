#include "rag_fixture.hpp"
#include "support/errors.hpp"
#include "support/kept_store.hpp"
#include "support/recording_observer.hpp"
#include <ragstone/model/sqlite_store.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <sstream>

namespace ragstone::test {
namespace {

constexpr std::uint32_t kDimension = 4;

/// Reads a vector from a text of numbers: "0.5 -1 2 0"; fewer or more numbers give a vector that breaks the contract.
class NumberEmbedder final : public Embedder {
 public:
  explicit NumberEmbedder(std::string name = "numbers") {
    identity_.name = std::move(name);
    identity_.dimension = kDimension;
  }

  const EmbedderIdentity& identity() const noexcept override { return identity_; }

  std::atomic<std::size_t> calls = 0;
  std::string refused;  ///< A text that it embeds in no batch.

 private:
  Task<EmbeddedBatch> do_embed(std::span<const std::string> texts, EmbedRole, CallContext) override {
    ++calls;
    EmbeddedBatch batch;
    for (const std::string& text : texts) {
      if (text == refused) throw Error(Errc::rejected, "no vector for this text");
      std::istringstream words(text);
      for (std::string word; words >> word;) batch.values.push_back(std::stof(word));
    }
    co_return batch;
  }

  EmbedderIdentity identity_;
};

std::string numbers(std::mt19937& random) {
  std::string text;
  for (std::uint32_t i = 0; i < kDimension; ++i)
    text += (i == 0 ? "" : " ") + std::to_string(static_cast<int>(random() % 2001) - 1000);
  return text;
}

/// Vectors through Document and Retriever, over both embedded stores.
class VectorSearchTest : public RagTest, public testing::WithParamInterface<const char*> {
 protected:
  bool is_memory() const { return std::string(GetParam()) == "memory"; }

  /// The store that was opened before, or an empty one.
  Document reopen(VectorIndexes indexes = {}) {
    if (document) runtime.run(document.close());
    DocumentOptions options;
    options.store = is_memory() ? std::shared_ptr<StoreFactory>(kept_) : sqlite_store(folder_.path() / "kb");
    options.embedders["numbers"] = embedder;
    options.vector_indexes = std::move(indexes);
    options.fields = {{"year", FieldKind::integer}};
    document = open(std::move(options));
    document.add_group(NodeGroup("Line", line_chunker()));
    return document;
  }

  /// Opens anew after all that commits and declarations left for later is done.
  Document settle() {
    runtime.run(document.close());
    document = Document();
    const auto engine = is_memory() ? kept_->engine() : sqlite_engine(folder_.path() / "kb");
    while (engine->maintain()) {
    }
    if (!is_memory()) engine->close();
    return reopen();
  }

  void add(const std::string& id, std::string text, std::int64_t year = 2000) {
    Source source(id, std::move(text));
    source.metadata.set("year", Scalar(year));
    source.metadata.set("place", Scalar(year % 2 == 0 ? "here" : "there"));
    runtime.run(document.add(std::move(source)));
  }

  void fill(std::size_t sources, std::size_t lines) {
    std::mt19937 random(7);
    std::vector<Source> all;
    for (std::size_t s = 0; s < sources; ++s) {
      std::string text;
      for (std::size_t line = 0; line < lines; ++line) text += numbers(random) + "\n";
      all.emplace_back("s" + std::to_string(s), text);
      all.back().metadata.set("year", Scalar(static_cast<std::int64_t>(2000 + s % 10)));
    }
    runtime.run(document.build("Line"));
    runtime.run(document.add_all(std::move(all)));
  }

  static RetrieverOptions by(Similarity similarity, std::size_t top_k = 5) {
    RetrieverOptions options;
    options.group = "Line";
    options.similarity = similarity;
    options.top_k = top_k;
    return options;
  }

  Retrieval explain(const std::string& query, const RetrieverOptions& options) {
    return runtime.run(Retriever(document, options).explain(Query(query)));
  }

  static std::string note_of(const Retrieval& retrieval) {
    return retrieval.notes.empty() ? std::string() : retrieval.notes.front();
  }

  void TearDown() override { document = Document(); }

  std::shared_ptr<NumberEmbedder> embedder = std::make_shared<NumberEmbedder>();
  Document document;

 private:
  const std::shared_ptr<KeptStore> kept_ = std::make_shared<KeptStore>();
  TemporaryFolder folder_;
};

VectorIndexes index_of(IndexType type, Metric metric = Metric::cosine) {
  VectorIndexOptions options;
  options.index_type = type;
  options.metric_type = metric;
  options.m = 6;
  options.ef_construction = 30;
  return {{"numbers", options}};
}

std::vector<std::pair<NodeId, double>> ranking(const std::vector<Hit>& hits) {
  std::vector<std::pair<NodeId, double>> ranked;
  for (const Hit& hit : hits) ranked.emplace_back(hit.id, hit.score);
  return ranked;
}

TEST_P(VectorSearchTest, ScoresAreThoseOfTheMetricThatIsAskedFor) {
  reopen();
  add("s", "3 4 0 0\n-1 2 0 5\n");
  const auto score = [&](Similarity similarity) {
    const Retrieval found = explain("1 0 0 2", by(similarity));
    EXPECT_EQ(found.hits.size(), 2u);
    for (const Hit& hit : found.hits)
      if (hit.text == "3 4 0 0") return hit.score;
    return -1.0;
  };
  EXPECT_NEAR(score(Similarity::cosine), 3 / (5 * std::sqrt(5.0)), 1e-6);
  EXPECT_EQ(score(Similarity::inner_product), 3);
  EXPECT_EQ(score(Similarity::l2), -(4 + 16 + 0 + 4));
  EXPECT_EQ(score(Similarity::hamming), -2);
}

TEST_P(VectorSearchTest, TheKeysOwnMetricCountsWhereNoneIsAskedFor) {
  reopen(index_of(IndexType::automatic, Metric::l2));
  add("s", "3 4 0 0\n-1 2 0 5\n");
  const auto note_with = [&](const std::string& metric) {
    for (const std::string& note : explain("1 0 0 2", by(Similarity::automatic)).notes)
      if (note.find("numbers: " + metric) != std::string::npos) return true;
    return false;
  };
  EXPECT_TRUE(note_with("l2"));
  reopen();
  EXPECT_TRUE(note_with("l2")) << "the store remembers it";
  reopen(index_of(IndexType::automatic, Metric::inner_product));
  EXPECT_TRUE(note_with("inner_product"));
}

TEST_P(VectorSearchTest, AnotherIndexTypeIsBuiltFromTheStoredVectorsAndTheNotesTellHowItWasSearched) {
  reopen();
  fill(1, 6000);
  const std::size_t embedded = embedder->calls;
  RetrieverOptions wide = by(Similarity::cosine, 10);
  const Retrieval scanned = explain("1 -2 3 -4", wide);
  EXPECT_NE(note_of(scanned).find("scan of 6000 rows"), std::string::npos) << note_of(scanned);

  reopen(index_of(IndexType::hnsw));
  settle();
  wide.ef = 16;
  const Retrieval walked = explain("1 -2 3 -4", wide);
  EXPECT_NE(note_of(walked).find("graph over 6000 rows with ef 16"), std::string::npos) << note_of(walked);
  ASSERT_EQ(walked.hits.size(), 10u);
  EXPECT_EQ(walked.hits.front().id, scanned.hits.front().id);
  RetrieverOptions exact = by(Similarity::cosine, 10);
  exact.exact = true;
  const Retrieval all = explain("1 -2 3 -4", exact);
  EXPECT_NE(note_of(all).find("scan of 6000 rows"), std::string::npos) << note_of(all);
  EXPECT_EQ(ranking(all.hits), ranking(scanned.hits));
  const Retrieval other = explain("1 -2 3 -4", by(Similarity::l2));
  EXPECT_NE(note_of(other).find("the graph is of another metric"), std::string::npos) << note_of(other);

  reopen(index_of(IndexType::bin_flat));
  settle();
  EXPECT_EQ(ranking(explain("1 -2 3 -4", exact).hits), ranking(scanned.hits));
  EXPECT_EQ(embedder->calls, embedded + 5) << "only the five questions were embedded";
}

TEST_P(VectorSearchTest, QuestionsOfOneBatchHaveTheHitsThatTheyHaveAlone) {
  reopen();
  fill(60, 10);
  runtime.run(document.remove("s3"));
  std::mt19937 random(3);
  std::vector<Query> questions;
  for (std::size_t i = 0; i < 12; ++i) {
    Query& query = questions.emplace_back(numbers(random));
    if (i % 4 == 1) query.filter = Filter::parse("year < 2003");
    if (i % 4 == 2) query.top_k = 2 + i;
  }
  for (const Similarity similarity : {Similarity::cosine, Similarity::inner_product, Similarity::l2,
                                      Similarity::hamming, Similarity::hybrid, Similarity::bm25}) {
    RetrieverOptions options = by(similarity);
    if (similarity == Similarity::l2) options.target = kRootGroup;
    const Retriever retriever(document, options);
    std::vector<Retrieval> alone;
    for (const Query& query : questions) alone.push_back(runtime.run(retriever.explain(query)));
    const std::size_t calls = embedder->calls;
    const std::vector<Retrieval> together = runtime.run(retriever.explain_all(questions));
    EXPECT_EQ(embedder->calls - calls, similarity == Similarity::bm25 ? 0u : 1u);
    ASSERT_EQ(together.size(), alone.size());
    for (std::size_t i = 0; i < alone.size(); ++i) {
      EXPECT_EQ(ranking(together[i].hits), ranking(alone[i].hits)) << "question " << i;
      EXPECT_EQ(together[i].notes, alone[i].notes);
      EXPECT_EQ(together[i].generations, alone[i].generations);
    }
  }
  const Retriever retriever(document, by(Similarity::cosine));
  EXPECT_TRUE(runtime.run(retriever.retrieve_all({})).empty());
  EXPECT_EQ(runtime.run(retriever.retrieve_all({"1 2 3 4", "4 3 2 1"})).size(), 2u);
}

TEST_P(VectorSearchTest, AnEmbedderThatGivesAnotherDimensionIsAnError) {
  reopen();
  add("s", "1 2 3 4\n");
  EXPECT_EQ(code_of([&] { explain("1 2 3 4 5", by(Similarity::cosine)); }), Errc::dimension_mismatch);
  EXPECT_EQ(code_of([&] { add("t", "1 2\n"); }), Errc::dimension_mismatch);
  EXPECT_EQ(explain("1 2 3 4", by(Similarity::cosine)).hits.size(), 1u);
}

TEST_P(VectorSearchTest, WhatIsNotAFiniteNumberIsRefusedAsAQuestionAndInASource) {
  reopen();
  add("s", "1 2 3 4\n");
  for (const char* text : {"nan 2 3 4", "1 inf 3 4", "1 2 -inf 4"}) {
    EXPECT_EQ(code_of([&] { explain(text, by(Similarity::cosine)); }), Errc::rejected);
    EXPECT_EQ(code_of([&] { add("t", text); }), Errc::rejected);
  }
  EXPECT_EQ(explain("1 2 3 4", by(Similarity::cosine)).hits.size(), 1u);
}

TEST_P(VectorSearchTest, AZeroVectorIsAsNearToAllUnderCosine) {
  reopen();
  add("s", "1 2 3 4\n0 0 0 0\n-1 -2 -3 -4\n");
  const std::vector<Hit> by_zero = explain("0 0 0 0", by(Similarity::cosine)).hits;
  ASSERT_EQ(by_zero.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(by_zero[i].score, 0);
  EXPECT_TRUE(by_zero[0].id < by_zero[1].id && by_zero[1].id < by_zero[2].id);
  const std::vector<Hit> hits = explain("1 2 3 4", by(Similarity::cosine)).hits;
  ASSERT_EQ(hits.size(), 3u);
  EXPECT_EQ(hits[1].text, "0 0 0 0");
  EXPECT_EQ(hits[1].score, 0);
}

TEST_P(VectorSearchTest, MoreHitsThanThereAreRowsAreAllRows) {
  reopen();
  add("s", "1 2 3 4\n4 3 2 1\n");
  for (const std::size_t top_k : {std::size_t{3}, std::size_t{1'000'000'000}, SIZE_MAX})
    EXPECT_EQ(explain("1 2 3 4", by(Similarity::cosine, top_k)).hits.size(), 2u);
}

TEST_P(VectorSearchTest, AnEmptyStoreHasNoHits) {
  reopen();
  EXPECT_TRUE(explain("1 2 3 4", by(Similarity::cosine)).hits.empty());
  add("s", "1 2 3 4\n");
  runtime.run(document.remove("s"));
  EXPECT_TRUE(explain("1 2 3 4", by(Similarity::cosine)).hits.empty());
  EXPECT_TRUE(runtime.run(Retriever(document, by(Similarity::cosine)).retrieve_all({"1 2 3 4"})).front().empty());
}

TEST_P(VectorSearchTest, AFilterThatExcludesAllLeavesNoHits) {
  reopen();
  add("old", "1 2 3 4\n", 1990);
  add("new", "1 2 3 5\n", 2020);
  RetrieverOptions options = by(Similarity::cosine);
  for (const char* filter : {"year > 3000", "place == 'nowhere'", "absent == 1"}) {
    options.filter = Filter::parse(filter);
    EXPECT_TRUE(explain("1 2 3 4", options).hits.empty()) << filter;
  }
  options.filter = Filter::parse("year < 2000");
  EXPECT_EQ(explain("1 2 3 4", options).hits.size(), 1u);
  options.filter = Filter::parse("place == 'here'");
  EXPECT_EQ(explain("1 2 3 4", options).hits.size(), 2u);
}

TEST_P(VectorSearchTest, OptionsThatDoNotGoTogetherAreRefusedAndTheMessageSaysWhatDoes) {
  const auto refused = [&](VectorIndexes indexes, const char* says) {
    const Error error = error_of([&] { reopen(std::move(indexes)); });
    EXPECT_EQ(error.errc(), Errc::invalid_argument);
    EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
  };
  refused(index_of(IndexType::hnsw, Metric::hamming), "take BIN_FLAT");
  VectorIndexes flat = index_of(IndexType::flat);
  flat["numbers"].ef = 50;
  refused(flat, "drop ef");
  VectorIndexes misspelt;
  misspelt["number"] = VectorIndexOptions();
  refused(misspelt, "there are: numbers");

  reopen();
  const auto refused_query = [&](const RetrieverOptions& options, const char* says) {
    const Error error = error_of([&] { Retriever(document, options); });
    EXPECT_EQ(error.errc(), Errc::invalid_argument);
    EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
  };
  RetrieverOptions options = by(Similarity::cosine);
  options.recall = 1.5;
  refused_query(options, "at most 1");
  options.recall = 0.9;
  options.exact = true;
  refused_query(options, "drop exact");
  options = by(Similarity::bm25);
  options.ef = 10;
  refused_query(options, "for vectors");
}

// IX-4
TEST_P(VectorSearchTest, RanksNoVectorsOfTwoEmbeddersTogether) {
  reopen();
  runtime.run(document.build("Line"));
  add("a", "1 0 0 0\n");
  add("b", "0 1 0 0\n");
  embedder = std::make_shared<NumberEmbedder>("other numbers");
  embedder->refused = "0 1 0 0";
  reopen();
  const Retrieval found = explain("0 2 0 0", by(Similarity::cosine));
  ASSERT_EQ(found.hits.size(), 1u) << "what was made by the embedder before, and could not be made anew, is no hit";
  EXPECT_EQ(found.hits[0].source, "a");
  EXPECT_NE(note_of(found).find("without 1 source whose vectors are of another embedder"), std::string::npos)
      << note_of(found);
  embedder->refused.clear();
  runtime.run(document.retry_failed());
  EXPECT_EQ(explain("0 2 0 0", by(Similarity::cosine)).hits.at(0).source, "b");
}

INSTANTIATE_TEST_SUITE_P(Stores, VectorSearchTest, testing::Values("memory", "sqlite"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace ragstone::test
