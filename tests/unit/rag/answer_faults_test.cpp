// Questions that are cancelled, outlived by nothing, or asked of servers that repeat secrets: C1, C4 and S9.

#include "support/http/scripted_server.hpp"
#include "support/recording_observer.hpp"
#include "support/rounds.hpp"
#include "support/run_on.hpp"
#include "support/scripted_chat_model.hpp"
#include "support/test_embedders.hpp"
#include <ragstone/ragstone.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

using namespace std::chrono_literals;

std::vector<Source> lecture() {
  std::vector<Source> sources;
  sources.emplace_back("momentum.md", "Momentum replaces gradients with a leaky average over past gradients.");
  sources.emplace_back("动量.md", "动量法用过去梯度的平均值代替梯度。这样可以加快收敛。");
  return sources;
}

/// An assistant with all its parts, on a caller's loop that a test runs handler by handler.
class Answering {
 public:
  Answering() {
    ChatScript script;
    model_->add(script.piece("Momentum ").piece("averages [1].").usage(100, 10));
    DocumentOptions options;
    options.embedders["test"] = std::make_shared<CountingEmbedder>();
    document_ = run(Document::open(*runtime, options));
    run(document_.add_all(lecture()));
    AssistantOptions answering;
    answering.model = cached_chat_model(model_, memory_cache());
    answering.memory = window_memory(sessions, 3);
    KeywordRerankerOptions keywords;
    keywords.excluded.emplace_back("bananas");
    const auto hits = hit_source(Retriever(document_, RetrieverOptions()));
    assistant = Assistant(*runtime, reranked(hits, keyword_reranker(runtime->pool(), keywords), 3), answering);
  }

  template <class T>
  T run(Task<T> task) {
    return run_on(loop, std::move(task));
  }

  /// A question of its own words, so that no cache knows it.
  static Question question(int number) {
    Question question("What is momentum, asked for the time " + std::to_string(number) + "?");
    question.session = SessionId("session-" + std::to_string(number));
    return question;
  }

  boost::asio::io_context loop;
  std::unique_ptr<Runtime> runtime = std::make_unique<Runtime>(loop.get_executor());
  std::shared_ptr<SessionStore> sessions = memory_sessions();
  Assistant assistant;

 private:
  std::shared_ptr<ScriptedChatModel> model_ = std::make_shared<ScriptedChatModel>("qwen-max");
  Document document_;
};

/// Reads to the end, whatever that is.
Task<std::string> read(AsyncStream<std::string> stream) {
  std::string text;
  try {
    while (true) {
      std::optional<std::string> piece = co_await stream.next();
      if (!piece) break;
      text += *piece;
    }
  } catch (const boost::system::system_error&) {
    text += "(broken off)";
  }
  co_return text;
}

// C1: whatever the question was waiting for.
TEST(AnswerFaults, AQuestionThatIsCancelledAtAnyAwaitEndsAndLeavesItsSessionWhole) {
  Answering bed;
  bed.run(bed.assistant.ask(Answering::question(-1)));
  std::size_t cancelled = 0;
  bool answered = false;
  for (int handlers = 0; !answered; ++handlers) {
    ASSERT_LT(handlers, 2'000);
    auto recorder = std::make_shared<RecordingObserver>();
    boost::asio::cancellation_signal signal;
    std::optional<std::exception_ptr> end;
    const Question question = Answering::question(handlers);
    AsyncStream<std::string> stream(1);
    auto asking = bed.assistant.ask_stream(question, stream.producer(), CallContext().with_observer(recorder));
    auto text = boost::asio::co_spawn(bed.loop, read(std::move(stream)), boost::asio::use_future);
    bed.loop.restart();
    boost::asio::co_spawn(
        bed.loop, std::move(asking),
        boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error, Answer) { end = error; }));
    for (int i = 0; i < handlers && !end; ++i) bed.loop.run_one_for(100ms);
    if (!end) signal.emit(boost::asio::cancellation_type::terminal);
    bed.loop.run_for(10min);
    ASSERT_TRUE(end) << "after " << handlers << " handlers: it hangs";
    ASSERT_TRUE(bed.loop.stopped()) << "after " << handlers << " handlers: something still waits";
    answered = !*end;
    if (*end) {
      EXPECT_TRUE(is_cancelled(*end)) << message_of(*end);
      ++cancelled;
    }
    const bool whole = !text.get().ends_with("(broken off)");
    EXPECT_TRUE(whole || !answered) << "a part is never given as the whole";
    const auto events = recorder->events();
    const auto in_phase = [&](EventPhase phase) {
      return std::count_if(events.begin(), events.end(), [&](const Event& event) { return event.phase() == phase; });
    };
    EXPECT_EQ(in_phase(EventPhase::start), in_phase(EventPhase::end) + in_phase(EventPhase::error));
    const SessionRecord record = bed.run(bed.sessions->load(question.session));
    EXPECT_EQ(record.turns.size(), whole ? 1u : 0u)
        << "what was given as a whole is kept, though the call was cancelled";
    for (const Turn& turn : record.turns) EXPECT_FALSE(turn.question.empty() || turn.answer.empty());
    EXPECT_EQ(bed.runtime->operations(), 0u);
  }
  EXPECT_GE(cancelled, 10u) << "there are that many awaits at least";
}

// C4: on a caller's loop it cannot wait for them.
TEST(AnswerFaults, QuestionsThatOutliveTheirRuntimeEnd) {
  std::mt19937 random(1);
  for (std::size_t round = 0; round < rounds(20); ++round) {
    Answering bed;
    std::size_t ended = 0;
    for (int i = 0; i < 10; ++i)
      boost::asio::co_spawn(bed.loop, bed.assistant.ask(Answering::question(i)),
                            [&](std::exception_ptr, Answer) { ++ended; });
    bed.loop.restart();
    for (std::size_t i = random() % 300; i > 0; --i) bed.loop.run_one_for(10ms);
    bed.runtime.reset();
    bed.loop.restart();
    bed.loop.run_for(10min);
    EXPECT_TRUE(bed.loop.stopped());
    EXPECT_EQ(ended, 10u);
  }
}

// C4: what a user's callback throws reaches the caller, and nothing else breaks.
TEST(AnswerFaults, AnExceptionOfAUsersOwnStepReachesTheCaller) {
  class Throwing final : public HitSource {
   public:
    Throwing() : HitSource("throwing") {}

   private:
    Task<Retrieval> do_retrieve(Query, CallContext) override {
      throw std::runtime_error("the user's own failure");
      co_return Retrieval();
    }
  };
  Runtime runtime;
  const Assistant assistant(runtime, std::make_shared<Throwing>());
  try {
    runtime.run(assistant.ask("What is momentum?"));
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "the user's own failure");
  }
}

// S9: a server that repeats the key in whatever it says, watched by all observers.
TEST(AnswerFaults, NoKeyAppearsInAnswersErrorsEventsOrLogs) {
  constexpr const char* kKey = "canary-key-93f1";
  std::size_t asked = 0;
  ScriptedServer server([&](const ServerRequest& request) {
    const std::string key = request.header("authorization");
    EXPECT_EQ(key, std::string("Bearer ") + kKey);
    switch (asked++ % 4) {
      case 0:
        return ServerReply::text(401, R"({"error":{"message":"bad key )" + key + R"("}})");
      case 1:
        return ServerReply::text(400, "what is " + key + "?");
      case 2:
        return ServerReply().send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nX-Key: " + key + "\r\n\r\n{").close();
      default:
        return ServerReply::text(200, R"({"choices":[{"message":{"content":"Averages [1]."},"finish_reason":"stop"}]})",
                                 "X-Key: " + key + "\r\n");
    }
  });
  std::mutex mutex;
  std::string told;
  const auto tell = [&](std::string_view text) {
    const std::lock_guard lock(mutex);
    told.append(text).append("\n");
  };
  std::ostringstream console;
  Metrics metrics;
  Runtime runtime;
  const CallContext context = CallContext()
                                  .with_observer(console_observer(console))
                                  .with_observer(log_observer(tell))
                                  .with_observer(json_lines_observer(tell))
                                  .with_observer(metrics.observer());
  ModelServerOptions options(provider_profile("openai"));
  options.base_url = server.url("/v1");
  options.key = KeySource::fixed(Secret(kKey));
  options.http.addresses = AddressPolicy::with_local();
  options.retry.max_retries = 0;
  Document document = runtime.run(Document::open(runtime, DocumentOptions()));
  runtime.run(document.add_all(lecture()));
  AssistantOptions answering;
  answering.model = remote_chat_model(ModelServer(runtime, options), "gpt");
  const Assistant assistant(Retriever(document, RetrieverOptions()), answering);
  std::size_t answers = 0;
  for (int i = 0; i < 8; ++i) {
    try {
      const Answer answer = runtime.run(assistant.ask(Question("What is momentum?"), context));
      tell(answer.text + answer.usage.text());
      ++answers;
    } catch (const Error& error) {
      tell(error.what());
    }
  }
  EXPECT_EQ(answers, 2u);
  told += console.str() + metrics.otlp_json("test");
  EXPECT_NE(told.find("status 401"), std::string::npos) << told;
  EXPECT_EQ(told.find("canary"), std::string::npos) << told.substr(told.find("canary") - 200, 400);
}

}  // namespace
}  // namespace ragstone::test
