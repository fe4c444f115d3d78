#include "rag_fixture.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/memory_engine.hpp>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <utility>

namespace ragstone::test {
namespace {

using DocumentTest = RagTest;

TEST_F(DocumentTest, AddedSourcesAreFoundInEnglishAndChinese) {
  Document document = open();
  runtime.run(document.add(Source("keys.txt", "Rotate the signing keys every ninety days.")));
  runtime.run(document.add(Source("zh.txt", "每九十天轮换一次签名密钥。数据库每天备份。")));

  const std::vector<Hit> english = retrieve(document, "how do I rotate keys?");
  ASSERT_EQ(english.size(), 1u);
  EXPECT_EQ(english[0].source, "keys.txt");
  EXPECT_EQ(english[0].text, "Rotate the signing keys every ninety days.");
  EXPECT_EQ(english[0].span, (Span{0, 42}));
  EXPECT_EQ(english[0].file_span, english[0].span);
  EXPECT_GT(english[0].score, 0);

  const std::vector<Hit> chinese = retrieve(document, "怎么轮换密钥？");
  ASSERT_EQ(chinese.size(), 1u);
  EXPECT_EQ(chinese[0].source, "zh.txt");
}

TEST_F(DocumentTest, AddingUnderAKnownIdReplacesTheSource) {
  Document document = open();
  runtime.run(document.add(Source("a", "apples and pears")));
  runtime.run(document.add(Source("a", "plums and cherries")));
  EXPECT_TRUE(retrieve(document, "apples").empty());
  EXPECT_EQ(retrieve(document, "plums").size(), 1u);
  EXPECT_EQ(runtime.run(document.sources()).size(), 1u);
  EXPECT_EQ(runtime.run(document.text("a")), "plums and cherries");
}

TEST_F(DocumentTest, RemovedSourcesAreGoneFromEveryGroup) {
  Document document = open();
  runtime.run(document.add(Source("a", "apples")));
  runtime.run(document.add(Source("b", "pears")));
  retrieve(document, "apples");
  EXPECT_TRUE(runtime.run(document.remove("a")));
  EXPECT_FALSE(runtime.run(document.remove("a")));
  EXPECT_TRUE(retrieve(document, "apples").empty());
  EXPECT_EQ(nodes(document, kRootGroup).size(), 1u);
  EXPECT_EQ(code_of([&] { runtime.run(document.text("a")); }), Errc::not_found);
}

TEST_F(DocumentTest, AddAllTellsOfEachSourceInOrder) {
  Document document = open();
  std::vector<Source> sources;
  sources.emplace_back("good", "fine text");
  sources.emplace_back("bad", "broken \xff text");
  sources.emplace_back("", "a text without a name");
  const std::vector<SourceStatus> statuses = runtime.run(document.add_all(sources));
  ASSERT_EQ(statuses.size(), 3u);
  EXPECT_EQ(statuses[0].state, SourceState::ready);
  EXPECT_EQ(statuses[1].state, SourceState::failed);
  EXPECT_EQ(statuses[1].stage, Stage::read);
  EXPECT_NE(statuses[1].reason.find("byte 7"), std::string::npos) << statuses[1].reason;
  EXPECT_EQ(statuses[2].state, SourceState::failed);
}

TEST_F(DocumentTest, AddAllRefusesAnIdThatOccursTwice) {
  Document document = open();
  std::vector<Source> sources(2, Source("same", "text"));
  EXPECT_EQ(code_of([&] { runtime.run(document.add_all(sources)); }), Errc::invalid_argument);
  EXPECT_TRUE(runtime.run(document.sources()).empty());
}

TEST_F(DocumentTest, BuiltInGroupsCutWithinTheirTokenLimits) {
  Document document = open();
  std::string text;
  for (int i = 0; i < 2000; ++i)
    text += "Sentence number " + std::to_string(i) + " says something. 第" + std::to_string(i) + "句。 ";
  runtime.run(document.add(Source("long", text)));
  const auto counter = estimated_token_counter();
  std::size_t before = 0;
  for (const auto& [group, limit] :
       std::vector<std::pair<std::string, std::size_t>>{{kCoarseChunk, 1024}, {kMediumChunk, 256}, {kFineChunk, 128}}) {
    const std::vector<Node> all = nodes(document, group);
    EXPECT_GT(all.size(), before) << group;
    before = all.size();
    for (const Node& node : all) EXPECT_LE(counter->count(node.text), limit) << group;
    expect_spans_true(document, group);
  }
}

TEST_F(DocumentTest, AGroupAddedLaterIsBuiltForOldAndNewSources) {
  Document document = open();
  runtime.run(document.add(Source("a", "one\ntwo\n\nthree")));
  document.add_group(NodeGroup("Line", line_chunker()));
  EXPECT_EQ(nodes(document, "Line").size(), 3u);
  runtime.run(document.add(Source("b", "four\nfive")));
  EXPECT_EQ(nodes(document, "Line").size(), 5u);
  EXPECT_EQ(document.groups(), (std::vector<std::string>{"root", "CoarseChunk", "MediumChunk", "FineChunk", "Line"}));
}

TEST_F(DocumentTest, GroupsNestAndNodesKnowTheirParents) {
  Document document = open();
  document.add_group(NodeGroup("Paragraph", paragraph_chunker()));
  document.add_group(NodeGroup("Line", line_chunker(), "Paragraph"));
  runtime.run(document.add(Source("a", "one\ntwo\n\nthree\n四")));
  const std::vector<Node> paragraphs = nodes(document, "Paragraph");
  const std::vector<Node> lines = nodes(document, "Line");
  ASSERT_EQ(paragraphs.size(), 2u);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[1].parent, paragraphs[0].id);
  EXPECT_EQ(lines[3].parent, paragraphs[1].id);
  EXPECT_EQ(lines[3].text, "四");
  expect_spans_true(document, "Line");
}

TEST_F(DocumentTest, ATransformMayGiveTextsOfItsOwn) {
  Document document = open();
  document.add_group(NodeGroup("Shout", function_chunker("shout/1", [](const ChunkInput& input, const StopToken&) {
                                 Chunk chunk;
                                 chunk.text = "LOUD " + std::string(input.text);
                                 chunk.metadata.set("loud", Scalar(true));
                                 return std::vector<Chunk>(1, chunk);
                               })));
  document.add_group(NodeGroup("ShoutLine", line_chunker(), "Shout"));
  runtime.run(document.add(Source("a", "first\nsecond")));
  const std::vector<Node> lines = nodes(document, "ShoutLine");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].text, "LOUD first");
  EXPECT_FALSE(lines[0].is_span);
  EXPECT_EQ(lines[1].text, "second");
  RetrieverOptions options;
  options.group = "Shout";
  options.filter = Filter::parse("loud == true");
  EXPECT_EQ(retrieve(document, "second", options).size(), 1u);
}

TEST_F(DocumentTest, GroupNamesKeepTheirCase) {
  Document document = open();
  document.add_group(NodeGroup("Line", line_chunker()));
  document.add_group(NodeGroup("line", paragraph_chunker()));
  runtime.run(document.add(Source("a", "one\ntwo")));
  EXPECT_EQ(nodes(document, "Line").size(), 2u);
  EXPECT_EQ(nodes(document, "line").size(), 1u);
}

TEST_F(DocumentTest, BadGroupsAreRefusedWithWhatToDo) {
  Document document = open();
  EXPECT_EQ(code_of([&] { document.add_group(NodeGroup(kFineChunk, line_chunker())); }), Errc::already_exists);
  EXPECT_EQ(code_of([&] { document.add_group(NodeGroup("x", line_chunker(), "Nowhere")); }), Errc::not_found);
  EXPECT_EQ(code_of([&] { document.add_group(NodeGroup("x", nullptr)); }), Errc::invalid_argument);
  EXPECT_EQ(code_of([&] { document.add_group(NodeGroup("", line_chunker())); }), Errc::invalid_argument);
  EXPECT_EQ(code_of([&] { document.add_group(NodeGroup("a\nb", line_chunker())); }), Errc::invalid_argument);
  try {
    nodes(document, "Nowhere");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.errc(), Errc::not_found);
    EXPECT_NE(std::string(error.what()).find("MediumChunk"), std::string::npos);
  }
}

TEST_F(DocumentTest, AnEmptyHandleSaysSo) {
  Document document;
  EXPECT_FALSE(document);
  EXPECT_EQ(code_of([&] { runtime.run(document.sync()); }), Errc::closed);
  EXPECT_EQ(code_of([&] { runtime.run(Retriever().retrieve("x")); }), Errc::closed);
}

TEST_F(DocumentTest, OperationsAfterCloseFail) {
  TemporaryFolder folder;
  folder.write("data/a.md", "apples 苹果\n");
  const auto embedder = std::make_shared<CountingEmbedder>();
  DocumentOptions options;
  options.dataset = folder.path() / "data";
  options.embedders["test"] = embedder;
  options.store = sqlite_store(folder.path() / "kb");
  Document document = open(std::move(options));
  const RetrieverOptions defaults;
  const Retriever retriever(document, defaults);
  runtime.run(document.sync());
  EXPECT_EQ(runtime.run(retriever.retrieve("苹果")).size(), 1U);
  Task<SyncReport> made_before = document.sync();
  runtime.run(document.close());
  folder.write("data/b.md", "pears 梨\n");
  const std::size_t texts = embedder->texts();

  const auto is_closed = [&](auto operation) { return code_of([&] { runtime.run(operation()); }) == Errc::closed; };
  EXPECT_TRUE(is_closed([&] { return document.add(Source("b", "pears")); }));
  EXPECT_TRUE(is_closed([&] { return document.add_all(std::vector<Source>(1, Source("b", "pears"))); }));
  EXPECT_TRUE(is_closed([&] { return document.remove("a.md"); }));
  EXPECT_TRUE(is_closed([&] { return std::move(made_before); }));
  EXPECT_TRUE(is_closed([&] { return document.plan(); }));
  EXPECT_TRUE(is_closed([&] { return document.retry_failed(); }));
  EXPECT_TRUE(is_closed([&] { return document.sources(); }));
  EXPECT_TRUE(is_closed([&] { return document.text("a.md"); }));
  EXPECT_TRUE(is_closed([&] { return document.nodes(NodeQuery()); }));
  EXPECT_TRUE(is_closed([&] { return document.build(kFineChunk); }));
  EXPECT_TRUE(is_closed([&] { return document.rebuild_index("none"); }));
  EXPECT_TRUE(is_closed([&] { return document.verify(); }));
  EXPECT_TRUE(is_closed([&] { return document.backup(folder.path() / "backup"); }));
  EXPECT_TRUE(is_closed([&] { return retriever.retrieve("苹果"); }));
  EXPECT_EQ(code_of([&] { document.add_group(NodeGroup("Line", line_chunker())); }), Errc::closed);
  EXPECT_EQ(code_of([&] { document.register_index("words", kMediumChunk, trie_index()); }), Errc::closed);
  EXPECT_EQ(embedder->texts(), texts);
  EXPECT_FALSE(document.groups().empty());
  EXPECT_NO_THROW(runtime.run(document.close()));
}

TEST_F(DocumentTest, OfAStoreThatIsOnlyReadRefusesWhatItCannotStoreBeforeItEmbeds) {
  TemporaryFolder folder;
  const std::filesystem::path file = folder.write("data/a.md", "apples 苹果\n");
  std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  DocumentOptions options;
  options.dataset = folder.path() / "data";
  options.store = sqlite_store(folder.path() / "kb");
  Document writer = open(options);
  sync(writer);
  EXPECT_EQ(retrieve(writer, "苹果").size(), 1U);
  runtime.run(writer.close());

  SqliteOptions reading;
  reading.access = StoreAccess::read_only;
  const auto embedder = std::make_shared<CountingEmbedder>();
  options.embedders["test"] = embedder;
  options.store = sqlite_store(folder.path() / "kb", reading);
  Document reader = open(options);
  EXPECT_TRUE(reader.capabilities().read_only);
  RetrieverOptions bm25;
  bm25.similarity = Similarity::bm25;
  EXPECT_EQ(retrieve(reader, "苹果", bm25).size(), 1U);
  EXPECT_EQ(sync(reader).unchanged, 1U) << "there is nothing to store";
  for (int i = 0; i < 2; ++i) EXPECT_EQ(code_of([&] { retrieve(reader, "苹果"); }), Errc::unsupported);
  EXPECT_EQ(code_of([&] { runtime.run(reader.build(kFineChunk)); }), Errc::unsupported);
  EXPECT_EQ(code_of([&] { runtime.run(reader.add(Source("b", "pears 梨"))); }), Errc::unsupported);
  folder.write("data/b.md", "pears 梨\n");
  EXPECT_EQ(code_of([&] { sync(reader); }), Errc::unsupported);
  EXPECT_EQ(embedder->texts(), 0U);
}

/// Does not say that it is only read, and refuses each commit as if it were.
class RefusingEngine final : public StoreEngine {
 public:
  const StoreCapabilities& capabilities() const noexcept override { return inner_->capabilities(); }
  Generation opened_at() const noexcept override { return inner_->opened_at(); }
  std::shared_ptr<const StoreSnapshot> snapshot() const override { return inner_->snapshot(); }
  void close() override {}

 private:
  CommitResult do_commit(Commit, const StopToken&) override { throw Error(Errc::unsupported, "no commits here"); }

  const std::shared_ptr<StoreEngine> inner_ = memory_engine();
};

class RefusingStore final : public StoreFactory {
  Task<std::shared_ptr<Store>> do_open(Pool pool, CallContext) override {
    co_return embedded_store(std::make_shared<RefusingEngine>(), std::move(pool));
  }
};

TEST_F(DocumentTest, WhatAStoreCannotDoAtAllIsNotTriedSourceBySource) {
  const auto embedder = std::make_shared<CountingEmbedder>();
  DocumentOptions options;
  options.store = std::make_shared<RefusingStore>();
  options.embedders["test"] = embedder;
  Document document = open(std::move(options));
  runtime.run(document.build(kMediumChunk));
  const std::vector<Source> sources = {Source("a", "apples"), Source("b", "梨"), Source("c", "plums")};
  EXPECT_EQ(code_of([&] { runtime.run(document.add_all(sources)); }), Errc::unsupported);
  EXPECT_EQ(embedder->texts(), 3U);
}

/// Meets damage in each commit, and notes whether it is maintained after that.
class DamagedEngine final : public StoreEngine {
 public:
  const StoreCapabilities& capabilities() const noexcept override { return inner_->capabilities(); }
  Generation opened_at() const noexcept override { return inner_->opened_at(); }
  std::shared_ptr<const StoreSnapshot> snapshot() const override { return inner_->snapshot(); }
  void close() override {}
  std::future<void> maintained() { return maintained_.get_future(); }

 private:
  CommitResult do_commit(Commit, const StopToken&) override {
    has_met_damage_ = true;
    throw Error(Errc::corrupt_store, "some rows are damaged");
  }
  bool do_maintain(const StopToken&, Upkeep) override {
    if (has_met_damage_.exchange(false)) maintained_.set_value();
    return false;
  }

  const std::shared_ptr<StoreEngine> inner_ = memory_engine();
  std::atomic<bool> has_met_damage_ = false;
  std::promise<void> maintained_;
};

class DamagedStore final : public StoreFactory {
 public:
  const std::shared_ptr<DamagedEngine> engine = std::make_shared<DamagedEngine>();

 private:
  Task<std::shared_ptr<Store>> do_open(Pool pool, CallContext) override {
    co_return embedded_store(engine, std::move(pool));
  }
};

TEST_F(DocumentTest, ACommitThatMeetsDamageHasTheStoreMaintained) {
  DocumentOptions options;
  const auto store = std::make_shared<DamagedStore>();
  options.store = store;
  const std::future<void> maintained = store->engine->maintained();
  Document document = open(std::move(options));
  EXPECT_EQ(code_of([&] { runtime.run(document.add(Source("a", "apples"))); }), Errc::corrupt_store);
  // In the background, and no longer than the Document is open.
  EXPECT_EQ(maintained.wait_for(std::chrono::seconds(30)), std::future_status::ready);
  runtime.run(document.close());
}

TEST_F(DocumentTest, ADeadlineThatPassedIsToldWithTheOperationAndItsObject) {
  Document document = open();
  const CallContext past = CallContext().with_timeout(std::chrono::milliseconds(0));
  const auto told = [&](auto operation) {
    try {
      runtime.run(operation());
    } catch (const Error& error) {
      EXPECT_EQ(error.errc(), Errc::timeout);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(told([&] { return document.add(Source("a", "one"), past); }).rfind("add \"a\": ", 0), 0u);
  EXPECT_EQ(told([&] { return document.build(kMediumChunk, {}, past); }).rfind("build \"MediumChunk\": ", 0), 0u);
  EXPECT_EQ(told([&] { return document.verify(past); }).rfind("verify: ", 0), 0u);
  EXPECT_EQ(told([&] { return document.close(past); }).rfind("close: ", 0), 0u);
  runtime.run(document.close());
}

TEST_F(DocumentTest, AnOperationInFlightOwnsTheDocument) {
  Task<SourceStatus> adding;
  {
    Document document = open();
    adding = document.add(Source("a", "apples"));
  }
  EXPECT_EQ(runtime.run(std::move(adding)).id, "a");
}

TEST_F(DocumentTest, MetadataOfSourceAndChunkIsSeenTogether) {
  Document document = open();
  document.add_group(NodeGroup("Tagged", function_chunker("tagged/1", [](const ChunkInput& input, const StopToken&) {
                                 Chunk chunk(Span{0, input.text.size()});
                                 chunk.metadata.set("lang", "own");
                                 chunk.metadata.set("seen", Scalar(input.metadata->text("lang").value_or("none")));
                                 return std::vector<Chunk>(1, chunk);
                               })));
  Metadata metadata;
  metadata.set("lang", "zh");
  metadata.set("year", 2024);
  runtime.run(document.add(Source("a", "文本", metadata)));
  const std::vector<Node> tagged = nodes(document, "Tagged");
  ASSERT_EQ(tagged.size(), 1u);
  EXPECT_EQ(tagged[0].metadata.text("lang"), "own");
  EXPECT_EQ(tagged[0].metadata.text("seen"), "zh");
  EXPECT_EQ(*tagged[0].metadata.find("year"), Scalar(std::int64_t{2024}));
}

TEST_F(DocumentTest, OptionsThatMakeNoSenseAreRefused) {
  DocumentOptions no_batch;
  no_batch.batch_sources = 0;
  EXPECT_EQ(code_of([&] { open(no_batch); }), Errc::invalid_argument);
  DocumentOptions null_embedder;
  null_embedder.embedders["x"] = nullptr;
  EXPECT_EQ(code_of([&] { open(null_embedder); }), Errc::invalid_argument);
  DocumentOptions taken_key;
  taken_key.embedders["bm25"] = std::make_shared<CountingEmbedder>();
  EXPECT_EQ(code_of([&] { open(taken_key); }), Errc::invalid_argument);
}

}  // namespace
}  // namespace ragstone::test
