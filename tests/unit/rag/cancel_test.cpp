// C1: each public operation, cancelled wherever it waits, ends at once, leaves nothing behind, and the store whole.

#include "support/cancel_sweep.hpp"
#include "support/http/scripted_server.hpp"
#include "support/run_on.hpp"
#include "support/scripted_chat_model.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_embedders.hpp"
#include <ragstone/model/sqlite_cache.hpp>
#include <ragstone/model/sqlite_store.hpp>
#include <ragstone/ragstone.hpp>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

std::string text_of(int number) {
  return "Chapter " + std::to_string(number) + " speaks of keys. They are rotated.\n\n第" + std::to_string(number) +
         "章讲密钥。密钥要轮换。";
}

/// A document in a persistent store, on a caller's loop that a test runs handler by handler.
class Cancel : public testing::Test {
 protected:
  Cancel() {
    for (int i = 0; i < 3; ++i) dataset.write("chapter" + std::to_string(i) + ".md", text_of(i));
    document = run(Document::open(runtime, options()));
    run(document.sync());
    run(document.build(kFineChunk));
  }

  DocumentOptions options() {
    DocumentOptions all;
    all.dataset = dataset.path();
    SqliteOptions storing;
    storing.lock_timeout = std::chrono::seconds(10);  // a dropped handle closes its store in the background
    all.store = sqlite_store(store.path() / "kb", storing);
    all.embedders["test"] = std::make_shared<CountingEmbedder>();
    return all;
  }

  template <class T>
  T run(Task<T> task) {
    return run_on(loop, std::move(task));
  }

  /// Cancels the operation at each await; after each run nothing is in flight, and at the end the store is whole. At
  /// least so many runs are cancelled: what a thread of the pool answers at once may be there before any cancellation.
  template <class Make>
  testing::AssertionResult withstands(Make make, std::size_t least = 0) {
    return withstands(std::move(make), least, [](std::size_t, bool) { return std::string(); });
  }
  template <class Make, class FindProblem>
  testing::AssertionResult withstands(Make make, std::size_t least, FindProblem find_problem) {
    const CancelSweep sweep = cancel_at_every_await(loop, std::move(make), [&](std::size_t k, bool cancelled) {
      return runtime.operations() > 0 ? "an operation is in flight" : find_problem(k, cancelled);
    });
    const std::string problem = sweep.problem.empty() ? problem_of_store() : sweep.problem;
    if (!problem.empty()) return testing::AssertionFailure() << problem;
    if (sweep.cancelled < least) return testing::AssertionFailure() << "cancelled only " << sweep.cancelled << " times";
    return testing::AssertionSuccess();
  }

  /// Empty if all sources are in the store from beginning to end, and can be found.
  std::string problem_of_store() {
    if (!document) return {};
    const VerifyReport report = run(document.verify());
    if (!report.ok()) return report.findings.front().object + ": " + report.findings.front().problem;
    for (const SourceStatus& source : run(document.sources())) {
      const std::string text = run(document.text(source.id));
      NodeQuery query;
      query.group = kFineChunk;
      query.source = source.id;
      const std::vector<Node> nodes = run(document.nodes(query));
      if (nodes.empty()) return source.id + " has no nodes";
      for (const Node& node : nodes)
        if (node.text != node.span.of(text)) return source.id + " has a node of another text";
    }
    RetrieverOptions retrieval;
    retrieval.group = kFineChunk;
    return run(Retriever(document, retrieval).retrieve("keys")).empty() ? "nothing is found" : "";
  }

  TemporaryFolder dataset;
  TemporaryFolder store;
  boost::asio::io_context loop{1};
  Runtime runtime{loop.get_executor()};
  Document document;
};

TEST_F(Cancel, Open) {
  run(document.close());
  document = Document();
  const DocumentOptions opening = options();
  EXPECT_TRUE(withstands([&](std::size_t) { return Document::open(runtime, opening); }, 1,
                         [&](std::size_t, bool) {
                           Document again = run(Document::open(runtime, opening));
                           const std::string problem = run(again.sources()).size() == 3 ? "" : "sources are missing";
                           run(again.close());
                           return problem;
                         }));
}

TEST_F(Cancel, Close) {
  run(document.close());
  std::vector<Document> opened;
  const auto close = [&](std::size_t) {
    opened.push_back(run(Document::open(runtime, options())));
    return opened.back().close();
  };
  document = Document();
  EXPECT_TRUE(withstands(close, 1, [&](std::size_t, bool) {
    run(std::exchange(opened.back(), Document()).close());
    return std::string();
  }));
  document = run(Document::open(runtime, options()));
  EXPECT_EQ(problem_of_store(), "");
}

TEST_F(Cancel, Sync) {
  EXPECT_TRUE(withstands(
      [&](std::size_t k) {
        dataset.write("chapter0.md", text_of(static_cast<int>(k) + 100));
        dataset.write("more" + std::to_string(k % 3) + ".md", text_of(static_cast<int>(k)));
        return document.sync();
      },
      5));
  const SyncReport report = run(document.sync());
  EXPECT_EQ(report.failed, 0u);
  EXPECT_EQ(run(document.text("chapter0.md")).find("Chapter 1"), 0u);
}

TEST_F(Cancel, Plan) {
  EXPECT_TRUE(withstands([&](std::size_t) { return document.plan(); }));
}

TEST_F(Cancel, Add) {
  EXPECT_TRUE(
      withstands([&](std::size_t k) { return document.add(Source("added", text_of(static_cast<int>(k)))); }, 3));
  EXPECT_FALSE(run(document.text("added")).empty());
}

TEST_F(Cancel, AddAll) {
  EXPECT_TRUE(withstands(
      [&](std::size_t k) {
        std::vector<Source> sources;
        for (int i = 0; i < 20; ++i) sources.emplace_back("many" + std::to_string(i), text_of(static_cast<int>(k) + i));
        return document.add_all(sources);
      },
      3));
  EXPECT_EQ(run(document.sources()).size(), 23u);
}

TEST_F(Cancel, Remove) {
  EXPECT_TRUE(withstands([&](std::size_t k) {
    run(document.add(Source("gone", text_of(static_cast<int>(k)))));
    return document.remove("gone");
  }));
  EXPECT_EQ(run(document.sources()).size(), 3u);
}

TEST_F(Cancel, RetryFailed) {
  EXPECT_TRUE(withstands([&](std::size_t) { return document.retry_failed(); }));
}

TEST_F(Cancel, Reading) {
  EXPECT_TRUE(withstands([&](std::size_t) { return document.sources(); }));
  EXPECT_TRUE(withstands([&](std::size_t) { return document.text("chapter1.md"); }));
  NodeQuery query;
  query.group = kFineChunk;
  EXPECT_TRUE(withstands([&](std::size_t) { return document.nodes(query); }));
}

TEST_F(Cancel, Build) {
  const auto group = [](std::size_t k) { return "Group" + std::to_string(k); };
  EXPECT_TRUE(withstands(
      [&](std::size_t k) {
        document.add_group(NodeGroup(group(k), sentence_chunker(SentenceChunkerOptions())));
        return document.build(group(k));
      },
      1,
      [&](std::size_t k, bool) {
        NodeQuery query;
        query.group = group(k);
        // The build belongs to the document.
        return run(document.nodes(query)).empty() ? "the group has no nodes" : std::string();
      }));
}

TEST_F(Cancel, RebuildIndex) {
  document.register_index("words", kFineChunk, trie_index());
  EXPECT_TRUE(withstands([&](std::size_t) { return document.rebuild_index("words"); }));
  run(document.rebuild_index("words"));
  EXPECT_FALSE(document.indexes().front().stale) << document.indexes().front().reason;
}

TEST_F(Cancel, Verify) {
  EXPECT_TRUE(withstands([&](std::size_t) { return document.verify(); }));
}

TEST_F(Cancel, Backup) {
  const auto folder = [&](std::size_t k) { return store.path() / ("backup" + std::to_string(k)); };
  const auto find_problem = [&](std::size_t k, bool cancelled) -> std::string {
    if (cancelled && !std::filesystem::exists(folder(k))) return {};
    DocumentOptions opening = options();
    opening.store = sqlite_store(folder(k));
    Document copy = run(Document::open(runtime, opening));
    const std::size_t sources = run(copy.sources()).size();
    run(copy.close());
    return sources == 3 ? "" : "the backup is not whole";
  };
  EXPECT_TRUE(withstands([&](std::size_t k) { return document.backup(folder(k)); }, 1, find_problem));
}

TEST_F(Cancel, Retrieve) {
  RetrieverOptions retrieval;
  retrieval.group = kFineChunk;
  const Retriever retriever(document, retrieval);
  const Query query("rotate keys");
  EXPECT_TRUE(withstands([&](std::size_t) { return retriever.retrieve(query); }));
  EXPECT_TRUE(withstands([&](std::size_t) { return retriever.explain(query); }));
  const std::vector<std::string> queries = {"rotate keys", "轮换密钥"};
  EXPECT_TRUE(withstands([&](std::size_t) { return retriever.retrieve_all(queries); }));
}

TEST_F(Cancel, Ask) {
  const auto model = std::make_shared<ScriptedChatModel>("m");
  ChatScript script;
  model->add(script.piece("Keys ").piece("are rotated [1]."));
  AssistantOptions answering;
  answering.model = cached_chat_model(model, sqlite_cache(runtime.pool(), store.path() / "cache"));
  answering.memory = window_memory(memory_sessions(), 3);
  const Assistant assistant(Retriever(document, RetrieverOptions()), answering);
  run(assistant.ask("What is rotated?"));
  EXPECT_TRUE(withstands(
      [&](std::size_t k) {
        Question question("Are keys rotated, asked for the time " + std::to_string(k) + "?");
        question.session = SessionId("s" + std::to_string(k));
        return assistant.ask(question);
      },
      5));
}

TEST_F(Cancel, Remember) {
  const auto model = std::make_shared<ScriptedChatModel>("m");
  ChatScript script;
  model->add(script.piece("a summary"));
  TokenMemoryOptions remembering;
  remembering.max_tokens = 30;
  const auto sessions = sqlite_sessions(runtime.pool(), store.path() / "cache");
  const auto memory = summary_memory(sessions, model, remembering);
  std::size_t saved = 0;
  EXPECT_TRUE(withstands(
      [&](std::size_t) {
        return memory->save(SessionId("s"), "a question that is long enough", "and an answer to it, not shorter");
      },
      1,
      [&](std::size_t, bool) {
        const SessionRecord record = run(sessions->load(SessionId("s")));
        const std::size_t before = std::exchange(saved, record.turns.size() + record.summarized);
        return saved < before ? "a turn is lost" : std::string();
      }));
  EXPECT_GE(saved, 1u);
}

/// Clients of a server that answers in pieces.
class CancelRemote : public testing::Test {
 protected:
  static ServerReply reply(const ServerRequest& request) {
    if (request.target == "/v1/embeddings")
      return ServerReply::text(200, R"({"data":[{"index":0,"embedding":[1,2]}],"usage":{"prompt_tokens":1}})");
    if (request.target == "/v1/rerank")
      return ServerReply::text(200, R"({"results":[{"index":0,"relevance_score":0.5}]})");
    if (request.target == "/moved") return ServerReply::text(302, "", "Location: /page\r\n");
    if (request.number % 2 == 1) return ServerReply::text(503, "busy", "retry-after-ms: 1\r\n");  // asked again
    if (request.body.find("\"stream\":true") == std::string::npos)
      return ServerReply::text(200, R"({"choices":[{"message":{"content":"ok"},"finish_reason":"stop"}]})");
    ServerReply stream = ServerReply::event_stream();
    for (int i = 0; i < 3; ++i)
      stream.event(R"({"choices":[{"index":0,"delta":{"content":"a piece "},"finish_reason":null}]})");
    return stream.event("[DONE]").end_of_chunks();
  }

  /// Cancels the call at each await; after each run nothing is in flight, and connections of cancelled calls are
  /// closed, or wait for the next.
  template <class Make>
  testing::AssertionResult withstands(Make make) {
    const CancelSweep sweep = cancel_at_every_await(loop, std::move(make), [&](std::size_t, bool) {
      return runtime.operations() > 0 ? "an operation is in flight" : std::string();
    });
    if (!sweep.problem.empty()) return testing::AssertionFailure() << sweep.problem;
    if (sweep.cancelled < 2) return testing::AssertionFailure() << "cancelled only " << sweep.cancelled << " times";
    if (!server.wait_for([&] { return server.open_connections() <= 4; }))
      return testing::AssertionFailure() << server.open_connections() << " connections stay open";
    return testing::AssertionSuccess();
  }

  ModelServer model_server() {
    ModelServerOptions options(provider_profile("vllm"));
    options.base_url = server.url("/v1");
    options.retry.budget_floor = 1'000'000;
    options.retry.breaker_failures = 0;
    return ModelServer(runtime, options);
  }

  static Task<std::string> read(AsyncStream<std::string> stream) {
    std::string text;
    while (true) {
      std::optional<std::string> piece = co_await stream.next();
      if (!piece) break;
      text += *piece;
    }
    co_return text;
  }

  ScriptedServer server{&reply};
  boost::asio::io_context loop{1};
  Runtime runtime{loop.get_executor()};
};

TEST_F(CancelRemote, Chat) {
  const auto model = remote_chat_model(model_server(), "m");
  ChatRequest request;
  request.messages.emplace_back(ChatRole::user, "why?");
  EXPECT_TRUE(withstands([&](std::size_t) { return model->chat(request); }));
  EXPECT_TRUE(withstands([&](std::size_t) {
    AsyncStream<std::string> pieces(1);
    auto task = model->chat_stream(request, pieces.producer());
    boost::asio::co_spawn(loop, read(std::move(pieces)), [](std::exception_ptr, const std::string&) {});
    return task;
  }));
}

TEST_F(CancelRemote, EmbedAndRerank) {
  EmbedderIdentity identity;
  identity.name = "e";
  identity.dimension = 2;
  const auto embedder = cached_embedder(remote_embedder(model_server(), identity), memory_cache());
  EXPECT_TRUE(withstands([&](std::size_t k) {
    return embedder->embed(std::vector<std::string>(1, "text " + std::to_string(k)), EmbedRole::document);
  }));
  ModelServerOptions options(provider_profile("vllm"));
  options.base_url = server.url("/v1");
  const auto reranker = remote_reranker(ModelServer(runtime, options), "r");
  const std::vector<std::string> texts = {"one"};
  EXPECT_TRUE(withstands([&](std::size_t) { return reranker->rerank("query", texts, 1); }));
}

TEST_F(CancelRemote, Fetch) {
  HttpOptions options;
  options.addresses = AddressPolicy::with_local();
  const HttpClient client(runtime, options);
  HttpRequest request;
  request.url = server.url("/moved");
  EXPECT_TRUE(withstands([&](std::size_t) { return client.fetch(request); }));
}

}  // namespace
}  // namespace ragstone::test
