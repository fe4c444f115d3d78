// C3: everything at once on the threads of a caller, cancelled at random, with observers. What it proves, it proves
// under ThreadSanitizer (the preset tsan; tests/long.sh threads runs it for long).

#include "support/http/scripted_server.hpp"
#include "support/rounds.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_embedders.hpp"
#include <ragstone/ragstone.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

using namespace std::chrono_literals;

ServerReply unsteady(const ServerRequest& request) {
  if (request.number % 7 == 0) return ServerReply::text(503, "busy", "retry-after-ms: 1\r\n");
  if (request.number % 11 == 0) return ServerReply().close();
  if (request.body.find("\"stream\":true") == std::string::npos)
    return ServerReply::text(200, R"({"choices":[{"message":{"content":"Keys [1]."},"finish_reason":"stop"}]})");
  ServerReply stream = ServerReply::event_stream();
  for (int i = 0; i < 4; ++i)
    stream.event(R"({"choices":[{"index":0,"delta":{"content":"keys "},"finish_reason":null}]})");
  return stream.event("[DONE]").end_of_chunks();
}

template <class T>
Task<void> without_result(Task<T> task) {
  co_await std::move(task);
}

Task<void> read_some(AsyncStream<std::string> stream, unsigned pieces) {
  for (unsigned i = 0; i < pieces; ++i) {
    std::optional<std::string> piece = co_await stream.next();
    if (!piece) break;
  }
}

class Stress : public testing::Test {
 protected:
  template <class T>
  T run(Task<T> task) {
    return runtime.spawn(std::move(task), boost::asio::use_future).get();
  }

  Stress() {
    for (const bool persistent : {false, true}) {
      DocumentOptions options;
      if (persistent) options.store = sqlite_store(folder.path());
      options.embedders["test"] = cached_embedder(std::make_shared<CountingEmbedder>(), cache);
      documents.push_back(run(Document::open(runtime, options)));
      run(documents.back().add_all(some_sources(0, 40)));
      ModelServerOptions asking(provider_profile("vllm"));
      asking.base_url = server.url("/v1");
      asking.retry.budget_floor = 1'000'000;
      asking.retry.breaker_failures = 0;
      asking.limits.max_concurrency = 8;
      std::atomic<int>* count = &keys;
      asking.key = KeySource([count] { return Secret("key-" + std::to_string(++*count % 3)); });
      AssistantOptions answering;
      answering.model = cached_chat_model(remote_chat_model(ModelServer(runtime, asking), "m"), cache);
      answering.memory = window_memory(sessions, 2);
      retrievers.emplace_back(documents.back(), RetrieverOptions());
      assistants.emplace_back(retrievers.back(), answering);
    }
  }
  ~Stress() override {
    for (Document& document : documents) run(document.close());
    threads.join();
  }

  static std::vector<Source> some_sources(unsigned first, unsigned count) {
    std::vector<Source> sources;
    for (unsigned i = first; i < first + count; ++i)
      sources.emplace_back("s" + std::to_string(i % 60),
                           "Text " + std::to_string(i) + " says: keys are rotated. 密钥。");
    return sources;
  }

  Task<void> something(std::mt19937& random, const CallContext& context) {
    const std::size_t which = random() % 2;
    Document& document = documents[which];
    switch (random() % 12) {
      case 0:
        return without_result(document.add_all(some_sources(static_cast<unsigned>(random() % 60), 5), context));
      case 1:
        return without_result(document.remove("s" + std::to_string(random() % 60), context));
      case 2:
        return document.build(random() % 2 == 0 ? kFineChunk : kCoarseChunk, {}, context);
      case 3:
        return without_result(document.sources(context));
      case 4:
      case 5: {
        Question question("Which keys are rotated, " + std::to_string(random() % 20) + "?");
        question.session = SessionId("s" + std::to_string(random() % 3));
        return without_result(assistants[which].ask(question, context));
      }
      case 6: {
        AsyncStream<std::string> stream(1);
        const Question question("What is rotated, " + std::to_string(random() % 1'000) + "?");
        auto answering = assistants[which].ask_stream(question, stream.producer(), context);
        runtime.spawn(read_some(std::move(stream), static_cast<unsigned>(random() % 6)), [](std::exception_ptr) {});
        return without_result(std::move(answering));
      }
      case 7:
        return without_result(retrievers[which].retrieve_all({"rotated keys", "密钥"}, context));
      default:
        return without_result(retrievers[which].retrieve("keys " + std::to_string(random() % 50), context));
    }
  }

  TemporaryFolder folder;
  ScriptedServer server{&unsteady};
  boost::asio::thread_pool threads{4};
  Runtime runtime{threads.get_executor()};
  std::shared_ptr<Cache> cache = memory_cache();
  std::shared_ptr<SessionStore> sessions = memory_sessions();
  std::atomic<int> keys = 0;
  std::vector<Document> documents;
  std::vector<Retriever> retrievers;
  std::vector<Assistant> assistants;
};

TEST_F(Stress, AllOperationsAtOnceOnFourThreads) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const Metrics metrics;
  const UsageMeter meter;
  // Work that a call has begun in the background, as an update of an index, may tell of itself after its end.
  const auto lines = std::make_shared<std::atomic<std::size_t>>(0);
  const auto count = [lines](std::string_view) { ++*lines; };
  const CallContext context =
      meter.context().with_observer(metrics.observer()).with_observer(json_lines_observer(count));
  const std::size_t wanted = rounds(600);
  std::size_t failed = 0;
  for (std::size_t done = 0; done < wanted; done += 100) {
    std::vector<std::future<void>> running;
    for (int i = 0; i < 100; ++i) {
      Task<void> task = something(random, context);
      if (random() % 4 == 0) task = with_timeout(std::move(task), std::chrono::microseconds(random() % 5'000));
      running.push_back(runtime.spawn(std::move(task), boost::asio::use_future));
      if (i % 25 == 0) {
        EXPECT_FALSE(metrics.otlp_json("stress").empty());
      }
    }
    for (std::future<void>& one : running) {
      try {
        one.get();
      } catch (const boost::system::system_error&) {
        ++failed;
      }
    }
  }
  EXPECT_LT(failed, wanted / 2);
  EXPECT_GE(*lines, wanted);
  EXPECT_GT(meter.report().total(EventKind::chat).requests, 0u);
  for (Document& document : documents) EXPECT_TRUE(run(document.verify()).ok());
}

}  // namespace
}  // namespace ragstone::test
