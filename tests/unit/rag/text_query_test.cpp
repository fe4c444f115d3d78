#include "rag_fixture.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

namespace ragstone {
namespace {

using test::RagTest;

/// What BM25 makes of a question.
class TextQueryTest : public RagTest {
 protected:
  Document open_with(const std::vector<Source>& sources, DocumentOptions options = {}) {
    Document document = open(std::move(options));
    for (const SourceStatus& status : runtime.run(document.add_all(sources)))
      EXPECT_EQ(status.state, SourceState::ready) << status.reason;
    return document;
  }

  static RetrieverOptions plain() {
    RetrieverOptions options;
    options.group = kRootGroup;
    options.text_boosts.depth = 0;
    return options;
  }

  std::vector<std::string> sources_of(const Document& document, const std::string& query, RetrieverOptions options) {
    std::vector<std::string> sources;
    for (const Hit& hit : retrieve(document, query, std::move(options))) sources.push_back(hit.source);
    return sources;
  }
};

using Names = std::vector<std::string>;

TEST_F(TextQueryTest, FunctionWordsOfAQuestionAreNotLookedFor) {
  const Document document = open_with({Source("a", "what does who do about which"), Source("b", "keys rotate"),
                                       Source("c", "你在哪里，这是什么"), Source("d", "钥匙轮换")});
  EXPECT_EQ(sources_of(document, "What does one do about keys?", plain()), Names{"b"});
  EXPECT_EQ(sources_of(document, "什么是钥匙？", plain()), Names{"d"});
  RetrieverOptions all = plain();
  all.query_terms.function_words = true;
  EXPECT_EQ(sources_of(document, "What does one do about keys?", all).size(), 2u);
  EXPECT_EQ(sources_of(document, "什么是钥匙？", all).size(), 2u);
}

TEST_F(TextQueryTest, AQueryOfFunctionWordsAloneLooksForThem) {
  const Document document = open_with({Source("a", "The Who played here"), Source("b", "什么")});
  EXPECT_EQ(sources_of(document, "Who?", plain()), Names{"a"});
  EXPECT_EQ(sources_of(document, "什么？", plain()), Names{"b"});
}

TEST_F(TextQueryTest, AQueryMayHaveAnAnalyzerOfItsOwn) {
  const Document document =
      open_with({Source("a", "an automobile"), Source("b", "a car"), Source("c", "计算机"), Source("d", "a stone")});
  EXPECT_EQ(sources_of(document, "car", plain()), Names{"b"});
  RetrieverOptions options = plain();
  options.query_analyzer = synonym_analyzer(standard_analyzer(), {{"car", "automobile"}, {"电脑", "计算机"}});
  const auto in_any_order = [&] {
    Names names = sources_of(document, "new cars", options);
    std::sort(names.begin(), names.end());
    return names;
  };
  EXPECT_EQ(in_any_order(), (Names{"a", "b"}));
  EXPECT_EQ(sources_of(document, "电脑", plain()), Names());
  EXPECT_EQ(sources_of(document, "电脑", options), Names{"c"});
  options.text_boosts = TextBoosts();
  EXPECT_EQ(in_any_order(), (Names{"a", "b"})) << "also where the texts are read";
  EXPECT_EQ(sources_of(document, "car", plain()), Names{"b"}) << "the texts' terms are as they were";
}

TEST_F(TextQueryTest, WordsWithSynonymsKeepTheirBoosts) {
  DocumentOptions settings;
  settings.analyzer = word_analyzer();
  const Document document =
      open_with({Source("far", "the car and the fast red house"), Source("near", "the fast car and the red house"),
                 Source("远", "电脑和红色房子"), Source("近", "红色电脑和房子")},
                settings);
  RetrieverOptions options = plain();
  options.text_boosts = TextBoosts();
  EXPECT_EQ(sources_of(document, "fast car", options), (Names{"near", "far"}));
  EXPECT_EQ(sources_of(document, "红色电脑", options), (Names{"近", "远"}));
  options.query_analyzer = synonym_analyzer(word_analyzer(), {{"car", "automobile"}, {"电脑", "计算机"}});
  EXPECT_EQ(sources_of(document, "fast car", options), (Names{"near", "far"}));
  EXPECT_EQ(sources_of(document, "红色电脑", options), (Names{"近", "远"}));
}

TEST_F(TextQueryTest, WordsOnWhichAFieldsAnalyzerDisagreesKeepTheirBoosts) {
  AnalyzerOptions exact;
  exact.stemmer = Stemmer::none;
  DocumentOptions settings;
  TextField title;
  title.name = "title";
  title.analyzer = standard_analyzer(exact);
  settings.text_fields.push_back(title);
  const Document document = open_with(
      {Source("far", "the cars and the racing red house"), Source("near", "the racing cars and the red house")},
      settings);
  RetrieverOptions options = plain();
  options.text_boosts = TextBoosts();
  EXPECT_EQ(sources_of(document, "racing cars", options), (Names{"near", "far"}));
}

TEST_F(TextQueryTest, RepeatedTermsCountLessAndLess) {
  const Document document = open_with({Source("a", "red"), Source("b", "blue"), Source("c", "green")});
  const auto score = [&](double k3, const char* query) {
    RetrieverOptions options = plain();
    options.query_terms.k3 = k3;
    return retrieve(document, query, options).front().score;
  };
  EXPECT_NEAR(score(0, "red red red"), score(12, "red"), 1e-9);
  EXPECT_NEAR(score(12, "red red red") / score(12, "red"), 13 * 3.0 / 15, 1e-6);
}

TEST_F(TextQueryTest, ATextThatBeginsWithTheQuerysWordsComesFirst) {
  std::string filler;
  for (int i = 0; i < 20; ++i) filler += "filler ";
  const Document document = open_with(
      {Source("late", filler + "glaciers"), Source("early", "glaciers " + filler), Source("other", "rivers")});
  RetrieverOptions options = plain();
  options.text_boosts = TextBoosts();
  EXPECT_EQ(sources_of(document, "glaciers", options), (Names{"early", "late"}));
  options.text_boosts.lead = 0;
  EXPECT_EQ(sources_of(document, "glaciers", options), (Names{"late", "early"})) << "equal scores by ascending id";
}

TEST_F(TextQueryTest, ATextThatMeetsAllTermsGainsMost) {
  const Document document = open_with({Source("two", "猫和狗"), Source("one", "狗"), Source("none", "鸟")});
  const auto scores = [&](double coverage) {
    RetrieverOptions options = plain();
    options.text_boosts = TextBoosts();
    options.text_boosts.proximity = options.text_boosts.exact_form = options.text_boosts.lead = 0;
    options.text_boosts.coverage = coverage;
    std::map<std::string, double> of;
    for (const Hit& hit : retrieve(document, "猫，狗", options)) of[hit.source] = hit.score;
    return of;
  };
  std::map<std::string, double> without = scores(0);
  std::map<std::string, double> with = scores(0.5);
  ASSERT_EQ(with.size(), 2u);
  EXPECT_NEAR(with["two"], 1.5 * without["two"], 1e-9);
  EXPECT_GT(with["one"], without["one"]);
  EXPECT_LT(with["one"], 1.5 * without["one"]);
}

TEST_F(TextQueryTest, FeedbackFindsTextsThatShareOnlyTheBestHitsTerms) {
  std::vector<Source> sources{Source("seed", "volcano magma crater"), Source("related", "magma crater basalt"),
                              Source("seed2", "火山 岩浆 喷发"), Source("related2", "岩浆 喷发 玄武岩")};
  for (int i = 0; i < 40; ++i)
    sources.emplace_back("n" + std::to_string(i), "unrelated words number " + std::to_string(i));
  const Document document = open_with(sources);
  RetrieverOptions options = plain();
  EXPECT_EQ(sources_of(document, "volcano", options), Names{"seed"});
  EXPECT_EQ(sources_of(document, "火山", options), Names{"seed2"});
  options.feedback = Feedback();
  options.feedback.weight = 0.4;
  options.feedback.flat_from = options.feedback.flat_to = 0;
  EXPECT_EQ(sources_of(document, "volcano", options), (Names{"seed", "related"}));
  EXPECT_EQ(sources_of(document, "火山", options), (Names{"seed2", "related2"}));
  options.feedback.flat_to = 0.9;
  EXPECT_EQ(sources_of(document, "volcano", options), Names{"seed"}) << "fewer hits than its rank: not flat";
}

TEST_F(TextQueryTest, RefusesOptionsOutOfRange) {
  const Document document = open_with({Source("a", "word")});
  const auto refused = [&](auto change) {
    RetrieverOptions options;
    change(options);
    return code_of([&] { retrieve(document, "word", options); }) == Errc::invalid_argument;
  };
  EXPECT_TRUE(refused([](RetrieverOptions& o) { o.query_terms.k3 = -1; }));
  EXPECT_TRUE(refused([](RetrieverOptions& o) { o.text_boosts.lead = std::nan(""); }));
  EXPECT_TRUE(refused([](RetrieverOptions& o) { o.text_boosts.coverage = -0.1; }));
  EXPECT_TRUE(refused([](RetrieverOptions& o) { o.feedback.weight = 1.5; }));
  EXPECT_TRUE(refused([](RetrieverOptions& o) { o.feedback.rank = 0; }));
  EXPECT_TRUE(refused([](RetrieverOptions& o) { o.feedback.flat_from = 0.95; }));
}

/// A source with a title, in English or Chinese.
Source titled(const char* id, const char* title, const char* text) {
  Metadata metadata;
  metadata.set("title", title);
  return Source(id, text, metadata);
}

const std::vector<Source> kTitled = {titled("a", "Rivers of Asia", "They carry water to the sea."),
                                     titled("b", "Mountains", "Some rivers begin there, and rivers end elsewhere."),
                                     titled("c", "长城", "它在北方。"), titled("d", "北京", "长城在北边，长城很长。")};

TEST_F(TextQueryTest, FieldsAreSearchedWithTheTextByTheirWeights) {
  EXPECT_EQ(sources_of(open_with(kTitled), "rivers", plain()), Names{"b"}) << "no fields by default";
  DocumentOptions options;
  options.text_fields = {TextField("title", 5)};
  const Document heavy = open_with(kTitled, options);
  EXPECT_EQ(sources_of(heavy, "rivers", plain()), (Names{"a", "b"}));
  EXPECT_EQ(sources_of(heavy, "长城", plain()), (Names{"c", "d"}));
  options.text_fields = {TextField("title", 0.25)};
  const Document light = open_with(kTitled, options);
  EXPECT_EQ(sources_of(light, "rivers", plain()), (Names{"b", "a"}));
  EXPECT_EQ(sources_of(light, "长城", plain()), (Names{"d", "c"}));
}

// What texts add to the scores does not undo the weights of fields.
TEST_F(TextQueryTest, BoostsReadFieldsToo) {
  DocumentOptions options;
  options.text_fields = {TextField("title", 2)};
  const Document document = open_with(
      {titled("title", "Glacier motion", "It is slow, as ice is heavy and the ground is rough."),
       titled("text", "Ice", "Glacier motion is slow, as ice is heavy and the ground is rough."),
       titled("title-zh", "冰川运动", "它很慢，因为冰很重。"), titled("text-zh", "冰", "冰川运动很慢，因为冰很重。")},
      options);
  RetrieverOptions defaults;
  defaults.group = kRootGroup;
  EXPECT_EQ(sources_of(document, "glacier motion", defaults), (Names{"title", "text"}));
  EXPECT_EQ(sources_of(document, "冰川运动", defaults).front(), "title-zh");
}

TEST_F(TextQueryTest, AQueryThatRepeatsItsWordsIsReadOnce) {
  std::vector<Source> sources;
  for (int i = 0; i < 20; ++i) {
    std::string text;
    while (text.size() < 32'000) text += "foo bar 钥匙 ";
    sources.emplace_back("s" + std::to_string(i), text);
  }
  const Document document = open_with(sources);
  std::string query;
  for (int i = 0; i < 5'000; ++i) query += "foo bar ";
  RetrieverOptions defaults;
  defaults.group = kRootGroup;
  // It took minutes when each repetition was compared with each text.
  CallContext context;
  context = context.with_timeout(std::chrono::seconds(60));
  EXPECT_FALSE(runtime.run(Retriever(document, defaults).retrieve(query, context)).empty());
}

/// Gives what no analyser may give.
class FaultyAnalyzer final : public Analyzer {
 public:
  explicit FaultyAnalyzer(Token token, std::string signature = "faulty/1")
      : Analyzer(std::move(signature)), token_(std::move(token)) {}

 private:
  void do_visit(std::string_view, const Visitor& visitor) const override {
    visitor("term", Span(), 1);
    visitor(token_.term, token_.span, token_.position);
  }

  const Token token_;
};

TEST_F(TextQueryTest, AnAnalyzersMistakesAreTold) {
  for (const Token& token : {Token{"", Span(), 2}, Token{"x", Span{0, 100}, 2}, Token{"x", Span(), 0}}) {
    DocumentOptions options;
    options.analyzer = std::make_shared<FaultyAnalyzer>(token);
    Document document = open(options);
    runtime.run(document.add(Source("a", "word 词")));
    EXPECT_EQ(code_of([&] { runtime.run(document.build(kMediumChunk)); }), Errc::internal);
    EXPECT_EQ(code_of([&] { retrieve(document, "word"); }), Errc::internal);
  }
  DocumentOptions options;
  options.analyzer = std::make_shared<FaultyAnalyzer>(Token{"x", Span(), 2}, "");
  EXPECT_EQ(code_of([&] { open(options); }), Errc::invalid_argument);
}

TEST_F(TextQueryTest, AFieldMayHaveAnAnalyzerOfItsOwn) {
  Metadata metadata;
  metadata.set("code", "Running-SHOES");
  DocumentOptions options;
  options.text_fields = {TextField("code", 1, plain_analyzer()), TextField("year", 1)};
  const Document document = open_with({Source("a", "nothing", metadata), Source("b", "they run")}, options);
  EXPECT_EQ(sources_of(document, "running", plain()).size(), 2u) << "by its form there, by its stem in the text";
  EXPECT_EQ(sources_of(document, "shoe", plain()), Names{}) << "not stemmed";
}

TEST_F(TextQueryTest, AGroupMayHaveAnAnalyzerOfItsOwn) {
  DocumentOptions options;
  options.analyzers[kMediumChunk] = plain_analyzer();
  const Document document = open_with({Source("a", "They were running")}, options);
  EXPECT_EQ(sources_of(document, "run", plain()), Names{"a"});
  RetrieverOptions chunks = plain();
  chunks.group = kMediumChunk;
  EXPECT_EQ(sources_of(document, "run", chunks), Names{});
  EXPECT_EQ(sources_of(document, "running", chunks), Names{"a"});
}

TEST_F(TextQueryTest, AnotherFieldOrWeightMakesTheColumnAnew) {
  const test::TemporaryFolder folder;
  DocumentOptions options;
  options.store = sqlite_store(folder.path() / "kb");
  Document document = open_with(kTitled, options);
  EXPECT_EQ(sources_of(document, "rivers", plain()), Names{"b"});
  runtime.run(document.close());
  options.text_fields = {TextField("title", 5)};
  document = open(options);
  EXPECT_EQ(sources_of(document, "rivers", plain()), (Names{"a", "b"}));
  runtime.run(document.close());
}

TEST_F(TextQueryTest, RefusesBadFields) {
  for (const std::vector<TextField>& fields :
       {std::vector<TextField>{TextField("")}, std::vector<TextField>{TextField("a"), TextField("a")},
        std::vector<TextField>{TextField("a", 0)}, std::vector<TextField>{TextField("a", std::nan(""))}}) {
    DocumentOptions options;
    options.text_fields = fields;
    EXPECT_EQ(code_of([&] { open(options); }), Errc::invalid_argument);
  }
  DocumentOptions options;
  options.analyzers["any"] = nullptr;
  EXPECT_EQ(code_of([&] { open(options); }), Errc::invalid_argument);
}

}  // namespace
}  // namespace ragstone
