// C4: whatever is dropped while whatever is in flight, every operation ends, once, and nothing is left.

#include "support/http/scripted_server.hpp"
#include "support/process_use.hpp"
#include "support/rounds.hpp"
#include "support/test_embedders.hpp"
#include <ragstone/ragstone.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

using namespace std::chrono_literals;

ServerReply piecewise(const ServerRequest& request) {
  if (request.target == "/v1/embeddings") return ServerReply::text(503, "busy");
  switch (request.number % 4) {
    case 0:
      return ServerReply().hang();
    case 1:
      return ServerReply().close();
    default:
      ServerReply reply = ServerReply::event_stream();
      for (int i = 0; i < 5; ++i)
        reply.event(R"({"choices":[{"index":0,"delta":{"content":"piece "},"finish_reason":null}]})").pause(1ms);
      return request.number % 4 == 2 ? reply.hang() : reply.event("[DONE]").end_of_chunks();
  }
}

Task<void> read_some(AsyncStream<std::string> stream, unsigned pieces) {
  for (unsigned i = 0; i < pieces; ++i) {
    std::optional<std::string> piece = co_await stream.next();
    if (!piece) break;
  }
}

Task<void> read_body(HttpClient client, HttpRequest request, unsigned times) {
  HttpStream stream = co_await client.open(request);
  std::string bytes;
  for (unsigned i = 0; i < times && !stream.ended(); ++i)
    if (!stream.take(bytes)) co_await stream.wait();
}

/// A model outlives its calls, by its contract.
Task<void> chat(std::shared_ptr<ChatModel> model, ChatRequest request) { co_await model->chat(std::move(request)); }

/// One life of a program's objects, ended at a random point in a random order.
class Life {
 public:
  Life(const ScriptedServer& server, std::mt19937& random) : server_(server), random_(random) {}

  void live() {
    const bool own_loop = dice(2) == 0;
    if (own_loop) {
      runtime_.emplace();
    } else {
      threads_.emplace(2);
      runtime_.emplace(threads_->get_executor());
    }
    make_objects();
    for (unsigned i = 2 + dice(6); i > 0; --i) start_something();
    let_run(dice(3'000));
    // The Runtime may go before the others, or among them; operations in flight keep what they need.
    std::vector<std::function<void()>> drops = {[this] { client_.reset(); },        [this] { model_.reset(); },
                                                [this] { document_ = Document(); }, [this] { retriever_.reset(); },
                                                [this] { assistant_.reset(); },     [this] { streams_.clear(); }};
    std::shuffle(drops.begin(), drops.end(), random_);
    for (const auto& drop : drops) {
      drop();
      if (dice(4) == 0) let_run(dice(500));
    }
    runtime_.reset();
    if (threads_) threads_->join();
    EXPECT_EQ(ended_, started_) << (own_loop ? "on the Runtime's loop" : "on a caller's threads");
    EXPECT_EQ(twice_, 0);
  }

 private:
  /// Gives way to the others so many times: about as many points to be dropped at, however fast the machine is; and for
  /// a few milliseconds at most, which other programs may take for each time.
  static void let_run(unsigned times) {
    const auto end = std::chrono::steady_clock::now() + 5ms;
    for (; times > 0 && std::chrono::steady_clock::now() < end; --times) std::this_thread::yield();
  }

  unsigned dice(unsigned sides) { return static_cast<unsigned>(random_() % sides); }

  template <class T>
  void start(Task<T> task) {
    ++started_;
    auto once = std::make_shared<std::atomic<bool>>(false);
    runtime_->spawn(std::move(task), [this, once](std::exception_ptr, auto...) {
      if (once->exchange(true)) ++twice_;
      ++ended_;
    });
  }

  template <class T>
  T run(Task<T> task) {
    auto result = std::make_shared<std::promise<T>>();
    runtime_->spawn(std::move(task), [result](std::exception_ptr error, T value) {
      if (error) {
        result->set_exception(error);
      } else {
        result->set_value(std::move(value));
      }
    });
    return result->get_future().get();
  }

  void make_objects() {
    DocumentOptions options;
    if (dice(2) == 0) options.embedders["test"] = std::make_shared<CountingEmbedder>();
    document_ = run(Document::open(*runtime_, options));
    std::vector<Source> sources;
    for (int i = 0; i < 10; ++i) sources.emplace_back("s" + std::to_string(i), "Keys are rotated. 密钥要轮换。");
    run(document_.add_all(sources));
    ModelServerOptions server_options(provider_profile("vllm"));
    server_options.base_url = server_.url("/v1");
    server_options.retry.initial_delay = 1ms;
    server_options.http.addresses = AddressPolicy::with_local();
    model_ = cached_chat_model(remote_chat_model(ModelServer(*runtime_, server_options), "m"), memory_cache());
    client_.emplace(*runtime_, server_options.http);
    retriever_.emplace(document_, RetrieverOptions());
    AssistantOptions answering;
    answering.model = model_;
    answering.memory = window_memory(memory_sessions(), 2);
    assistant_.emplace(*retriever_, answering);
  }

  void start_something() {
    switch (dice(8)) {
      case 0:
        return start(retriever_->retrieve("keys"));
      case 1:
        return start(assistant_->ask("Which keys are rotated?"));
      case 2: {
        AsyncStream<std::string> stream(1);
        start(assistant_->ask_stream(Question("What is rotated?"), stream.producer()));
        if (dice(2) == 0) return start(read_some(std::move(stream), dice(8)));
        streams_.push_back(std::move(stream));  // dropped unread
        return;
      }
      case 3: {
        HttpRequest request;
        request.url = server_.url("/page");
        return start(read_body(*client_, request, dice(8)));
      }
      case 4: {
        std::vector<Source> sources;
        for (int i = 0; i < 30; ++i) sources.emplace_back("s" + std::to_string(i), "Other keys. 别的密钥。");
        return start(document_.add_all(sources));
      }
      case 5:
        return start(document_.build(kFineChunk));
      case 6:
        return start(document_.close());
      default: {
        ChatRequest request;
        request.messages.emplace_back(ChatRole::user, "why?");
        return start(chat(model_, request));
      }
    }
  }

  const ScriptedServer& server_;
  std::mt19937& random_;
  std::optional<boost::asio::thread_pool> threads_;
  std::optional<Runtime> runtime_;
  Document document_;
  std::shared_ptr<ChatModel> model_;
  std::optional<HttpClient> client_;
  std::optional<Retriever> retriever_;
  std::optional<Assistant> assistant_;
  std::vector<AsyncStream<std::string>> streams_;
  int started_ = 0;
  std::atomic<int> ended_ = 0;
  std::atomic<int> twice_ = 0;
};

TEST(Destruction, AtAnyPointInAnyOrderEndsEachOperationOnceAndLeavesNothing) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  ScriptedServer server(&piecewise);
  std::size_t descriptors = 0;
  for (std::size_t round = 0; round < rounds(100); ++round) {
    Life(server, random).live();
    ASSERT_TRUE(server.wait_for_no_connection());
    if (round == 0) descriptors = open_descriptors();
    ASSERT_TRUE(server.wait_for([&] { return open_descriptors() <= descriptors; })) << open_descriptors();
    if (HasFailure()) break;
  }
}

// What a user's callback throws reaches the one who asked, and the others go on.
TEST(Destruction, ACallbackThatThrowsEndsItsOwnOperationOnly) {
  Runtime runtime;
  Document document = runtime.run(Document::open(runtime, DocumentOptions()));
  std::atomic<int> calls = 0;
  document.on_progress([&](const Progress&) {
    if (++calls % 3 == 0) throw std::runtime_error("the user's own failure");
  });
  std::mt19937 random(1);
  std::size_t failed = 0;
  for (std::size_t round = 0; round < rounds(20); ++round) {
    std::vector<Task<std::vector<SourceStatus>>> adding;
    for (int i = 0; i < 4; ++i)
      adding.push_back(document.add_all(std::vector<Source>(1, Source("s" + std::to_string(random() % 9), "Keys."))));
    for (const auto& outcome : runtime.run(gather_outcomes(std::move(adding)))) {
      if (outcome) continue;
      EXPECT_EQ(message_of(outcome.error()), "the user's own failure");
      ++failed;
    }
  }
  EXPECT_GE(failed, 1u);
  document.on_progress(nullptr);
  runtime.run(document.add(Source("last", "Keys.")));
  runtime.run(document.close());
}

}  // namespace
}  // namespace ragstone::test
