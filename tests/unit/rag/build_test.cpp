#include "rag_fixture.hpp"
#include "support/recording_observer.hpp"

#include <atomic>
#include <future>
#include <latch>
#include <map>

#include <boost/asio/use_future.hpp>

namespace ragstone::test {
namespace {

using BuildTest = RagTest;

std::shared_ptr<const Chunker> counting_chunker(std::shared_ptr<std::atomic<int>> calls) {
  return function_chunker("counting/1", [calls](const ChunkInput& input, const StopToken&) {
    ++*calls;
    return std::vector<Chunk>(1, Chunk(Span{0, input.text.size()}));
  });
}

template <class T>
Task<void> without_result(Task<T> task) {
  co_await std::move(task);
}

TEST_F(BuildTest, AGroupIsBuiltWhenFirstUsedAndOnlyOnce) {
  const auto calls = std::make_shared<std::atomic<int>>(0);
  Document document = open();
  document.add_group(NodeGroup("Counted", counting_chunker(calls)));
  for (int i = 0; i < 10; ++i) runtime.run(document.add(Source(std::to_string(i), "some text")));
  EXPECT_EQ(*calls, 0) << "nobody asked for it";

  RetrieverOptions options;
  options.group = "Counted";
  const Retriever retriever(document, options);
  std::vector<Task<std::vector<Hit>>> many;
  for (int i = 0; i < 50; ++i) many.push_back(retriever.retrieve("text"));
  for (const std::vector<Hit>& hits : runtime.run(gather(std::move(many)))) EXPECT_EQ(hits.size(), 6u);
  EXPECT_EQ(*calls, 10) << "once for each source";
  runtime.run(document.add(Source("late", "some text")));
  EXPECT_EQ(*calls, 11) << "in use from now on";
}

TEST_F(BuildTest, AQuerysDeadlineEndsTheQueryAndNotTheBuild) {
  auto gate = std::make_shared<std::latch>(1);
  Document document = open();
  document.add_group(NodeGroup("Slow", function_chunker("slow/1", [gate](const ChunkInput& input, const StopToken&) {
                                 gate->wait();
                                 return std::vector<Chunk>(1, Chunk(Span{0, input.text.size()}));
                               })));
  runtime.run(document.add(Source("a", "apples")));
  RetrieverOptions options;
  options.group = "Slow";
  const Retriever retriever(document, options);
  CallContext context;
  context = context.with_timeout(std::chrono::milliseconds(20));
  EXPECT_EQ(code_of([&] { runtime.run(retriever.retrieve("apples", context)); }), Errc::timeout);
  gate->count_down();
  EXPECT_EQ(runtime.run(retriever.retrieve("apples")).size(), 1u);
}

TEST_F(BuildTest, AnEmbedderAddedToAGroupInUseEmbedsEachTextOnce) {
  const auto embedder = std::make_shared<CountingEmbedder>();
  DocumentOptions options;
  options.embedders["test"] = embedder;
  Document document = open(options);
  for (int i = 0; i < 30; ++i) runtime.run(document.add(Source(std::to_string(i), "text " + std::to_string(i % 10))));
  RetrieverOptions bm25;
  bm25.similarity = Similarity::bm25;
  retrieve(document, "text", bm25);
  EXPECT_EQ(embedder->texts(), 0u);
  retrieve(document, "text");
  EXPECT_EQ(embedder->texts(), 10u + 1u) << "ten different texts, one query";
}

TEST_F(BuildTest, AGroupThatComesIntoUseWhileABatchIsEmbeddedCostsNoTextTwice) {
  const auto embedder = std::make_shared<CountingEmbedder>();
  DocumentOptions options;
  options.embedders["test"] = embedder;
  Document document = open(options);
  document.add_group(NodeGroup("Paragraph", paragraph_chunker()));
  document.add_group(NodeGroup("Line", line_chunker()));
  runtime.run(document.build("Paragraph"));
  std::future<void> built;
  embedder->before = [&](std::span<const std::string>) {
    if (!built.valid()) built = runtime.spawn(document.build("Line"), boost::asio::use_future);
  };

  std::vector<Source> sources;
  for (int i = 0; i < 5; ++i) {
    const std::string n = std::to_string(i);
    sources.emplace_back(n, "apple " + n + "\npear " + n + "\n\n苹果" + n + "\n");
  }
  for (const SourceStatus& status : runtime.run(document.add_all(sources))) EXPECT_EQ(status.state, SourceState::ready);
  built.get();
  EXPECT_EQ(nodes(document, "Line").size(), 15u);
  EXPECT_EQ(embedder->texts(), 10u + 10u) << "a line that is a paragraph has its paragraph's vector";
}

TEST_F(BuildTest, ABuildThatWhollyFailsTellsWhyAndIsTriedAgain) {
  const auto embedder = std::make_shared<CountingEmbedder>();
  embedder->before = [](std::span<const std::string>) { throw Error(Errc::transient, "server is starting"); };
  DocumentOptions options;
  options.embedders["test"] = embedder;
  Document document = open(options);
  runtime.run(document.add(Source("a", "apples")));
  EXPECT_EQ(code_of([&] { retrieve(document, "apples"); }), Errc::transient);
  RetrieverOptions bm25;
  bm25.similarity = Similarity::bm25;
  EXPECT_EQ(retrieve(document, "apples", bm25).size(), 1u) << "needs no model";
  embedder->before = nullptr;
  EXPECT_EQ(retrieve(document, "apples").size(), 1u);
}

TEST_F(BuildTest, ASourceThatABuildFailedForIsToldAndTriedAgain) {
  const auto embedder = std::make_shared<CountingEmbedder>();
  embedder->refused = "毒";
  DocumentOptions options;
  options.embedders["test"] = embedder;
  Document document = open(options);
  runtime.run(document.add(Source("good", "苹果")));
  runtime.run(document.add(Source("poison", "毒药")));
  EXPECT_EQ(retrieve(document, "苹果")[0].source, "good");
  const std::vector<SourceStatus> failed = runtime.run(document.retry_failed());
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].id, "poison");
  EXPECT_EQ(failed[0].stage, Stage::embed);
  EXPECT_EQ(failed[0].attempts, 2u);
  embedder->refused.clear();
  EXPECT_TRUE(runtime.run(document.retry_failed()).empty());
  RetrieverOptions cosine;
  cosine.similarity = Similarity::cosine;
  EXPECT_EQ(retrieve(document, "毒药", cosine)[0].source, "poison");
}

TEST_F(BuildTest, OneSourceThatFailsKeepsNoQueryFromTheOthers) {
  const auto embedder = std::make_shared<CountingEmbedder>();
  embedder->refused = "poison";
  DocumentOptions options;
  options.embedders["test"] = embedder;
  Document document = open(options);
  runtime.run(document.add(Source("bad", "poison")));
  EXPECT_THROW(retrieve(document, "good"), std::runtime_error) << "nothing at all could be built";
  for (int i = 0; i < 20; ++i) runtime.run(document.add(Source("good" + std::to_string(i), "good text")));
  EXPECT_EQ(retrieve(document, "good").size(), 6u);
}

TEST_F(BuildTest, ARefusedReplacementStaysFailedAndIsNotRetriedFromTheOldText) {
  const auto embedder = std::make_shared<CountingEmbedder>();
  DocumentOptions options;
  options.embedders["test"] = embedder;
  Document document = open(options);
  runtime.run(document.build(kMediumChunk));
  runtime.run(document.add(Source("a", "first form")));
  embedder->before = [](std::span<const std::string>) { throw std::runtime_error("refused"); };
  EXPECT_THROW(runtime.run(document.add(Source("a", "second form"))), std::runtime_error);
  embedder->before = nullptr;
  const std::vector<SourceStatus> failed = runtime.run(document.retry_failed());
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].id, "a");
  EXPECT_EQ(runtime.run(document.text("a")), "first form");
  runtime.run(document.add(Source("a", "second form")));
  EXPECT_TRUE(runtime.run(document.retry_failed()).empty());
}

TEST_F(BuildTest, AFailedRunTellsItsObserversWhy) {
  class Recorder final : public Observer {
   public:
    std::map<EventKind, Errc> errors;

   private:
    void on_event(const Event& event) override {
      if (event.phase() == EventPhase::error) errors[event.kind()] = errc_of(event.error());
    }
  };
  const auto recorder = std::make_shared<Recorder>();
  CallContext context;
  context = context.with_observer(recorder);
  const auto embedder = std::make_shared<CountingEmbedder>();
  embedder->before = [](std::span<const std::string>) { throw Error(Errc::rejected, "no"); };
  DocumentOptions options;
  options.embedders["test"] = embedder;
  options.dataset = "/nowhere/at/all";
  Document document = open(options);
  EXPECT_EQ(code_of([&] { runtime.run(Retriever(document, {}).retrieve("x", context)); }), Errc::rejected);
  EXPECT_EQ(recorder->errors[EventKind::retrieve], Errc::rejected);
  SyncOptions sync_options;
  EXPECT_EQ(code_of([&] { runtime.run(document.sync(sync_options, context)); }), Errc::not_found);
  EXPECT_EQ(recorder->errors[EventKind::index_run], Errc::not_found);
}

// CB-1: whichever way vectors come to be made, their calls are below an index run, and each run is below another or a
// root.
TEST_F(BuildTest, IndexingIsARunWithItsEmbedCallsBelow) {
  const TemporaryFolder folder;
  folder.write("a.txt", "apples");
  DocumentOptions options;
  options.dataset = folder.path();
  options.embedders["test"] = std::make_shared<CountingEmbedder>();
  Document document = open(options);
  const auto indexing_above_embedding = [&](Task<void> task, const RecordingObserver& recorder) {
    runtime.run(std::move(task));
    std::map<Hash128, Event> starts;
    for (const Event& event : recorder.events())
      if (event.phase() == EventPhase::start) starts.emplace(event.run_id(), event);
    std::string name;
    for (const auto& [id, start] : starts) {
      if (start.kind() != EventKind::embed || start.name() != "counting") continue;
      for (auto above = starts.find(id); above != starts.end(); above = starts.find(above->second.parent_run_id()))
        if (above->second.kind() == EventKind::index_run) name += above->second.name() + ";";
    }
    return name;
  };
  const auto observed = [](std::shared_ptr<RecordingObserver>& recorder) {
    recorder = std::make_shared<RecordingObserver>();
    return CallContext().with_observer(recorder);
  };
  std::shared_ptr<RecordingObserver> recorder;
  CallContext context = observed(recorder);
  const SyncOptions sync_options;
  runtime.run(document.sync(sync_options));
  EXPECT_EQ(indexing_above_embedding(document.build(kMediumChunk, {}, context), *recorder), "MediumChunk;");
  folder.write("b.txt", "pears");
  context = observed(recorder);
  EXPECT_EQ(indexing_above_embedding(without_result(document.sync(sync_options, context)), *recorder), "sync;");
  context = observed(recorder);
  const Source plums("c", "plums");
  EXPECT_EQ(indexing_above_embedding(without_result(document.add(plums, context)), *recorder), "add;");
}

// CB-1, CB-2
TEST_F(BuildTest, ObserversSeeRunsWithExactlyOneEnd) {
  class Recorder final : public Observer {
   public:
    std::map<Hash128, std::vector<EventPhase>> runs;
    std::set<EventKind> kinds;

   private:
    void on_event(const Event& event) override {
      const std::lock_guard lock(mutex_);
      runs[event.run_id()].push_back(event.phase());
      kinds.insert(event.kind());
    }
    std::mutex mutex_;
  };
  const auto recorder = std::make_shared<Recorder>();
  CallContext context;
  context = context.with_observer(recorder);
  DocumentOptions options;
  options.embedders["test"] = std::make_shared<CountingEmbedder>();
  Document document = open(options);
  const Retriever retriever(document, {});
  runtime.run(document.build(kMediumChunk));
  runtime.run(document.add(Source("a", "apples"), context));
  runtime.run(retriever.retrieve("apples", context));
  // The commit's maintenance may still run, and is then cancelled.
  runtime.run(document.close());
  for (const auto& [id, phases] : recorder->runs) {
    ASSERT_EQ(phases.size(), 2u);
    EXPECT_EQ(phases.front(), EventPhase::start);
    EXPECT_TRUE(phases.back() == EventPhase::end || phases.back() == EventPhase::error);
  }
  for (const EventKind kind : {EventKind::load, EventKind::chunk, EventKind::embed, EventKind::index_run,
                               EventKind::store_write, EventKind::retrieve, EventKind::store_read})
    EXPECT_TRUE(recorder->kinds.contains(kind)) << name_of(kind);
}

}  // namespace
}  // namespace ragstone::test
