#include "rag_fixture.hpp"

namespace ragstone {
namespace {

using test::RagTest;
using Words = std::vector<std::string>;

/// Where hits tell that they have a query's words.
class HighlightsTest : public RagTest {
 protected:
  static RetrieverOptions marked(const std::string& group = kRootGroup) {
    RetrieverOptions options;
    options.group = group;
    options.highlights = true;
    return options;
  }

  static Words words_of(const Hit& hit) {
    Words words;
    for (const Span span : hit.highlights) words.emplace_back(span.of(hit.text));
    return words;
  }

  Words words_of_first(const Document& document, const std::string& query, RetrieverOptions options) {
    const std::vector<Hit> hits = retrieve(document, query, std::move(options));
    return hits.empty() ? Words{"no hit"} : words_of(hits.front());
  }

  Document open_with(const std::vector<Source>& sources, DocumentOptions options = {}) {
    Document document = open(std::move(options));
    runtime.run(document.add_all(sources));
    return document;
  }
};

const char* const kKeys = "Keys are rotated by the key service, never the lock.";
const char* const kPower = "发电厂用水来发电，水力发电很便宜。";

TEST_F(HighlightsTest, HitsTellWhereTheyHaveTheQuerysWords) {
  const Document document = open_with({Source("en", kKeys), Source("zh", kPower)});
  EXPECT_EQ(words_of_first(document, "How does one rotate a key?", marked()), (Words{"Keys", "rotated", "key"}));
  EXPECT_EQ(words_of_first(document, "什么是发电？", marked()), (Words{"发电", "发电", "发电"}));
  EXPECT_EQ(words_of_first(document, "发电 keys", marked()), words_of_first(document, "keys 发电", marked()));
  RetrieverOptions unmarked = marked();
  unmarked.highlights = false;
  EXPECT_EQ(words_of_first(document, "key", unmarked), Words());
  RetrieverOptions all = marked();
  all.query_terms.function_words = true;
  EXPECT_EQ(words_of_first(document, "什么发电厂", all).size(), 3u);
  EXPECT_TRUE(retrieve(document, "", marked()).empty());
}

TEST_F(HighlightsTest, SpansOfChunksAreBytesOfTheirTexts) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "第" + std::to_string(i) + "句话很普通。 A plain sentence follows it.\n\n";
  text += "The gyroscope 陀螺仪 turns.";
  const Document document = open_with({Source("long", text)});
  const std::vector<Hit> hits = retrieve(document, "陀螺仪 gyroscopes", marked(kMediumChunk));
  ASSERT_FALSE(hits.empty());
  ASSERT_GT(hits.front().span.begin, 0u);
  EXPECT_EQ(words_of(hits.front()), (Words{"gyroscope", "陀螺仪"}));
  const Span first = hits.front().highlights.front();
  EXPECT_EQ(text.substr(hits.front().span.begin + first.begin, first.size()), "gyroscope");
}

TEST_F(HighlightsTest, FieldsAreMarkedByTheirOwnAnalyzers) {
  Metadata metadata;
  metadata.set("title", "Running shoes");
  metadata.set("code", "running-9");
  metadata.set("other", "running");
  metadata.set("主题", "跑步的鞋");
  DocumentOptions options;
  options.text_fields = {TextField("title", 2), TextField("code", 1, plain_analyzer()), TextField("主题", 1)};
  const Document document = open_with({Source("a", "For those who run. 跑步。", metadata)}, options);
  const auto fields = [&](const std::string& query) {
    std::map<std::string, Words> words;
    for (const Hit& hit : retrieve(document, query, marked()))
      for (const auto& [name, spans] : hit.field_highlights)
        for (const Span span : spans) words[name].emplace_back(span.of(hit.metadata.text(name).value()));
    return words;
  };
  using Fields = std::map<std::string, Words>;
  EXPECT_EQ(fields("run"), (Fields{{"title", {"Running"}}}));
  EXPECT_EQ(fields("running"), (Fields{{"title", {"Running"}}, {"code", {"running"}}}));
  EXPECT_EQ(fields("跑步"), (Fields{{"主题", {"跑步"}}}));
  EXPECT_EQ(words_of_first(document, "跑步 running", marked()), (Words{"run", "跑步"}));
}

TEST_F(HighlightsTest, SynonymsOfTheQueryAreMarked) {
  const Document document = open_with({Source("a", "An automobile, a car."), Source("b", "旧的计算机")});
  RetrieverOptions options = marked();
  options.query_analyzer = synonym_analyzer(standard_analyzer(), {{"car", "automobile"}, {"电脑", "计算机"}});
  EXPECT_EQ(words_of_first(document, "cars", options), (Words{"automobile", "car"}));
  EXPECT_EQ(words_of_first(document, "电脑", options), Words{"计算机"});
}

TEST_F(HighlightsTest, HitsByVectorsAndOfRegisteredIndexesAreMarkedToo) {
  DocumentOptions options;
  options.embedders["hash"] = hashing_embedder(runtime.pool());
  Document document = open_with({Source("en", kKeys), Source("zh", kPower)}, options);
  RetrieverOptions cosine = marked();
  cosine.similarity = Similarity::cosine;
  EXPECT_EQ(words_of_first(document, "rotated keys", cosine), (Words{"Keys", "rotated", "key"}));
  document.register_index("whole", kRootGroup, trie_index());
  RetrieverOptions whole = marked();
  whole.index = "whole";
  EXPECT_EQ(words_of_first(document, kPower, whole).size(), 2u) << "all but the punctuation";
}

TEST_F(HighlightsTest, EachGroupAndDocumentIsMarkedByItsOwnAnalyzer) {
  DocumentOptions exact;
  exact.analyzers[kMediumChunk] = plain_analyzer();
  const Document first = open_with({Source("a", "They run. He was running.")}, exact);
  EXPECT_EQ(words_of_first(first, "running", marked(kMediumChunk)), Words{"running"});
  RetrieverOptions up = marked(kMediumChunk);
  up.target = kRootGroup;
  EXPECT_EQ(words_of_first(first, "running", up), (Words{"run", "running"}));
  const Document second = open_with({Source("b", "They run. She was running.")});
  const Retriever both(std::vector<Document>{first, second}, marked(kMediumChunk));
  const std::vector<Hit> hits = runtime.run(both.retrieve("running"));
  ASSERT_EQ(hits.size(), 2u);
  for (const Hit& hit : hits) EXPECT_EQ(words_of(hit).size(), hit.document + 1);
}

TEST_F(HighlightsTest, EachOfSeveralQueriesMarksItsOwnWords) {
  const Document document = open_with({Source("en", kKeys), Source("zh", kPower)});
  const auto hits = runtime.run(Retriever(document, marked()).retrieve_all({"lock", "水力"}));
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(words_of(hits[0].at(0)), Words{"lock"});
  EXPECT_EQ(words_of(hits[1].at(0)), (Words{"水", "水力"}));
}

TEST_F(HighlightsTest, StepsKeepThemTrue) {
  const Document document =
      open_with({Source("a", "Nothing is said here. A gyroscope turns. 陀螺仪很小。 Nothing is said there.")});
  const auto source = hit_source(Retriever(document, marked(kFineChunk)));
  const auto ask = [&](const std::shared_ptr<HitSource>& step) {
    return runtime.run(step->retrieve(Query("gyroscope 陀螺仪"))).hits;
  };
  const std::vector<Hit> shorter = ask(compressed(source, sentence_compressor(runtime.pool())));
  ASSERT_EQ(shorter.size(), 1u);
  EXPECT_LT(shorter[0].text.size(), 60u);
  EXPECT_EQ(words_of(shorter[0]), (Words{"gyroscope", "陀螺仪"}));
  RetrieverOptions unmarked = marked(kFineChunk);
  unmarked.highlights = false;
  const std::vector<Hit> fused = ask(ensemble({hit_source(Retriever(document, unmarked)), source}));
  ASSERT_EQ(fused.size(), 1u);
  EXPECT_EQ(words_of(fused[0]), (Words{"gyroscope", "陀螺仪"}));
  const std::vector<Hit> above = ask(parents(source, document, kRootGroup));
  ASSERT_EQ(above.size(), 1u);
  EXPECT_TRUE(above[0].highlights.empty());
}

}  // namespace
}  // namespace ragstone
