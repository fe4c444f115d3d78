// Documents and retrievers on every kind of executor: AS-1, AS-2, AS-4, C1 and C2.
#include "rag_fixture.hpp"
#include "support/counting_executor.hpp"
#include "support/errors.hpp"
#include "support/rounds.hpp"
#include "unit/async/bed.hpp"
#include <ragstone/model/sqlite_store.hpp>

#include <fstream>
#include <random>

#include <boost/asio/use_future.hpp>

namespace ragstone::test {
namespace {

class RagPlaces : public EveryPlace {};
RAGSTONE_EVERY_PLACE(RagPlaces);

std::vector<Source> many_sources(int count) {
  std::vector<Source> sources;
  for (int i = 0; i < count; ++i)
    sources.emplace_back("source" + std::to_string(i), "Source number" + std::to_string(i) + " speaks of keys.\n\n第" +
                                                           std::to_string(i) + "个来源。");
  return sources;
}

Document open_on(Bed& bed, std::shared_ptr<Embedder> embedder = nullptr) {
  DocumentOptions options;
  if (embedder) options.embedders["test"] = std::move(embedder);
  return bed.run(Document::open(bed.runtime(), options));
}

TEST_P(RagPlaces, AddsAndRetrieves) {
  Bed bed(GetParam());
  Document document = open_on(bed, std::make_shared<CountingEmbedder>());
  bed.run(document.add_all(many_sources(100)));
  const Retriever retriever(document, {});
  const std::vector<Hit> hits = bed.run(retriever.retrieve("number42"));
  ASSERT_EQ(hits.size(), 6u);
  EXPECT_EQ(hits[0].source, "source42");
}

TEST_P(RagPlaces, TenThousandRetrievalsInFlightAllAnswer) {
  Bed bed(GetParam());
  Document document = open_on(bed);
  bed.run(document.add_all(many_sources(200)));
  const Retriever retriever(document, {});
  bed.run(retriever.retrieve("number1"));
  std::vector<Task<std::vector<Hit>>> queries;
  const std::size_t count = 10'000;
  for (std::size_t i = 0; i < count; ++i) queries.push_back(retriever.retrieve("number" + std::to_string(i % 200)));
  const std::vector<std::vector<Hit>> answers = bed.run(gather(std::move(queries)));
  ASSERT_EQ(answers.size(), count);
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_FALSE(answers[i].empty());
    EXPECT_EQ(answers[i][0].source, "source" + std::to_string(i % 200));
  }
}

TEST_P(RagPlaces, OperationsCancelledAtRandomLeaveNothingAndLoseNothing) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  Bed bed(GetParam());
  Document document = open_on(bed, std::make_shared<CountingEmbedder>());
  bed.run(document.add_all(many_sources(50)));
  const Retriever retriever(document, {});
  bed.run(retriever.retrieve("keys"));
  for (std::size_t round = 0; round < rounds(60); ++round) {
    auto query = bed.start(retriever.retrieve("number7"));
    auto adding = bed.start(document.add_all(many_sources(40)));
    bed.run(pause(std::chrono::microseconds(random() % 3000)));
    query.cancel();
    adding.cancel();
    try {
      EXPECT_EQ(query.get()[0].source, "source7");
    } catch (...) {
      EXPECT_TRUE(is_cancelled(std::current_exception()));
    }
    try {
      adding.get();
    } catch (...) {
      EXPECT_TRUE(is_cancelled(std::current_exception()));
    }
  }
  EXPECT_EQ(bed.run(document.sources()).size(), 50u);
  EXPECT_EQ(bed.run(retriever.retrieve("number7"))[0].source, "source7");
  bed.run(document.close());
  const auto is_idle = [&](Lane lane) { return bed.pool().stats(lane).queued + bed.pool().stats(lane).running == 0; };
  while (!is_idle(Lane::foreground) || !is_idle(Lane::background) || bed.runtime().operations() > 0) bed.run(yield());
}

TEST_P(RagPlaces, AReaderSeesEachSourceWholeWhileTheyAreReplaced) {
  Bed bed(GetParam());
  Document document = open_on(bed);
  document.add_group(NodeGroup("Line", line_chunker()));
  RetrieverOptions options;
  options.group = "Line";
  options.target = kRootGroup;
  options.target_score = TargetScore::count;
  const Retriever retriever(document, options);
  bed.run(document.add(Source("a", "word\nword\nword")));
  bed.run(retriever.retrieve("word"));
  for (std::size_t round = 0; round < rounds(100); ++round) {
    auto writing = bed.start(document.add(Source("a", round % 2 == 0 ? "word" : "word\nword\nword")));
    const std::vector<Hit> hits = bed.run(retriever.retrieve("word"));
    ASSERT_EQ(hits.size(), 1u);
    EXPECT_EQ(hits[0].score, hits[0].text == "word" ? 1 : 3);
    writing.get();
  }
}

TEST(CallersExecutor, ARuntimeMayEndBeforeTheOperationsOfItsDocuments) {
  for (int handlers = 0; handlers < 40; ++handlers) {
    boost::asio::io_context context;
    auto runtime = std::make_unique<Runtime>(context.get_executor());
    DocumentOptions options;
    options.embedders["test"] = std::make_shared<CountingEmbedder>();
    auto opening = boost::asio::co_spawn(context, Document::open(*runtime, options), boost::asio::use_future);
    context.run();
    Document document = opening.get();
    std::exception_ptr added;
    std::exception_ptr built;
    boost::asio::co_spawn(context, document.add_all(many_sources(30)),
                          [&](std::exception_ptr error, std::vector<SourceStatus>) { added = error; });
    boost::asio::co_spawn(context, document.build(kFineChunk), [&](std::exception_ptr error) { built = error; });
    context.restart();
    for (int i = 0; i < handlers; ++i) context.run_one_for(std::chrono::milliseconds(50));
    runtime.reset();
    context.restart();
    context.run_for(std::chrono::minutes(10));
    EXPECT_TRUE(context.stopped()) << "nothing waits any more";
  }
}

// Whoever is about to release a store's lock may need the thread that a waiting opener would hold.
TEST(Opening, WaitsForAnotherWriterWithoutAThread) {
  RuntimeOptions two_threads;
  two_threads.threads = 2;  // one of them for the background
  Runtime runtime(two_threads);
  TemporaryFolder folder;
  SqliteOptions patient;
  patient.lock_timeout = std::chrono::minutes(1);
  DocumentOptions options;
  options.store = sqlite_store(folder.path() / "kb", patient);
  Document first = runtime.run(Document::open(runtime, options));
  auto opening = runtime.spawn(Document::open(runtime, options), boost::asio::use_future);
  for (int i = 0; i < 20; ++i) {
    Work<void> work;
    work.set([](const StopToken&) {});
    CallContext soon;
    soon = soon.with_timeout(std::chrono::seconds(30));
    runtime.run(offload(runtime.pool(), Lane::background, std::move(work), soon));
  }
  runtime.run(first.close());
  EXPECT_TRUE(runtime.run(opening.get().sources()).empty());

  CallContext brief;
  brief = brief.with_timeout(std::chrono::milliseconds(20));
  options.store = sqlite_store(folder.path() / "other", patient);
  first = runtime.run(Document::open(runtime, options));
  EXPECT_EQ(error_of([&] { runtime.run(Document::open(runtime, options, brief)); }).errc(), Errc::timeout);
}

TEST(CallersExecutor, NoHandlerBlocksOrComputesWhile1000SourcesAreIngested) {
  TemporaryFolder folder;
  for (int i = 0; i < 1000; ++i) {
    std::string text = "# Chapter " + std::to_string(i) + "\n\n";
    for (int line = 0; line < 60; ++line)
      text += "Sentence " + std::to_string(line) + " of chapter " + std::to_string(i) + " is here. 第" +
              std::to_string(line) + "句在这里。\n\n";
    folder.write("chapter" + std::to_string(i) + ".md", text);
  }
  HandlerMeter meter;
  boost::asio::io_context context;
  const CountingExecutor executor(context.get_executor(), meter);
  {
    Runtime runtime(executor);
    DocumentOptions options;
    options.dataset = folder.path();
    HashingEmbedderOptions hashing;
    options.embedders["hash"] = hashing_embedder(runtime.pool(), hashing);
    struct Ingest {
      static Task<SyncReport> run(Runtime& owner, DocumentOptions document_options) {
        Document document = co_await Document::open(owner, std::move(document_options));
        co_await document.build(kMediumChunk);
        const SyncReport report = co_await document.sync();
        RetrieverOptions retrieval;
        const Retriever retriever(document, retrieval);
        co_await retriever.retrieve("chapter 77");
        co_await document.close();
        co_return report;
      }
    };
    auto future = boost::asio::co_spawn(executor, Ingest::run(runtime, options), boost::asio::use_future);
    context.run();
    EXPECT_EQ(future.get().added, 1000u);
  }
  EXPECT_GT(meter.handlers(), 100u);
  EXPECT_EQ(meter.slow(), 0u) << "longest: " << meter.longest_cpu().count() << " ns";
  EXPECT_EQ(meter.blocking(), 0u) << "longest: " << meter.longest_sleep().count() << " ns";
}

}  // namespace
}  // namespace ragstone::test
