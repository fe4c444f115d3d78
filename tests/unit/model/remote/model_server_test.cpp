#include "model/remote/error_reply.hpp"
#include "model/remote/model_server_core.hpp"
#include "support/beir.hpp"
#include "support/data.hpp"
#include "unit/model/remote/remote_bed.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <numeric>
#include <random>
#include <sstream>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <spdlog/sinks/sink.h>
#include <spdlog/spdlog.h>

namespace ragstone {
namespace {

using namespace std::chrono_literals;
using test::error_of;
using test::question;
using test::RemoteBed;
using test::ServerReply;
using test::ServerRequest;

ServerReply answer() {
  return ServerReply::text(200, R"({"choices":[{"message":{"content":"ok"},"finish_reason":"stop"}]})");
}

// HT-4: each shape that servers have for errors.
TEST(ModelServer, UnderstandsErrorsOfAllServers) {
  const std::vector<std::pair<const char*, const char*>> shapes = {
      {R"({"error":{"message":"m","type":"t","param":null,"code":null}})", "m"},
      {R"({"error":{"message":"m","code":400}})", "m"},
      {R"({"message":"m","type":"t","code":400,"object":"error"})", "m"},
      {R"({"error":"m","error_type":"Validation"})", "m"},
      {R"({"message":"m"})", "m"},
      {R"({"detail":"m"})", "m"},
      {R"({"detail":[{"loc":["body"],"msg":"m"}]})", R"([{"loc":["body"],"msg":"m"}])"},
      {"<html>\n m\xFF</html>\n", "<html> m\xEF\xBF\xBD</html>"},
      {"", ""},
  };
  for (const auto& [body, text] : shapes) EXPECT_EQ(detail::error_text(body), text) << body;
  EXPECT_LE(detail::error_text(std::string(1 << 20, 'x')).size(), 65'536u);
}

/// Tells its key wherever it can.
class LeakyModel final : public ChatModel {
 public:
  const std::string& name() const noexcept override { return name_; }

 private:
  void describe(Metadata& attributes) const override { attributes.set("provider", Scalar(std::string(test::kCanary))); }
  Task<ChatReply> do_chat(const ChatRequest&, ChatPieces&, CallContext) override {
    throw Error(Errc::rejected, std::string("the key ") + test::kCanary + " is wrong");
  }

  std::string name_ = "leaky";
};

// S9: what all tests of models on servers are watched by does hear a key in every place.
TEST(KeyWatch, HearsAKeyInEachPlace) {
  const test::KeyWatch watch(test::kCanary);
  Runtime runtime;
  EXPECT_THROW(runtime.run(watch.watched(std::make_shared<LeakyModel>())->chat(question())), Error);
  spdlog::default_logger()->sinks().front()->set_level(spdlog::level::off);  // the terminal
  spdlog::debug("a program logs {}", test::kCanary);
  spdlog::default_logger()->sinks().front()->set_level(spdlog::level::trace);
  std::size_t events = 0;
  std::size_t spans = 0;
  std::size_t logged = 0;
  for (const std::string& leak : watch.leaks()) {
    events += leak == test::kCanary ? 1 : 0;
    spans += leak.starts_with("{") ? 1 : 0;
    logged += leak.find("[watched]") != leak.npos ? 1 : 0;
  }
  EXPECT_GE(logged, 1u) << "by spdlog, where an observer writes to it";
  EXPECT_NE(watch.leaks().back().find("a program logs"), std::string::npos) << "by spdlog's default logger";
  EXPECT_EQ(events, 1u) << "as an attribute";
  EXPECT_EQ(spans, 1u) << "in a JSON line";
  EXPECT_GE(watch.leaks().size(), 11u) << "and in the event's error, the exception, on the console, in each log";
  EXPECT_LT(watch.leaks().size(), watch.heard());
}

// AS-1
TEST(ModelServer, LargeErrorsAreReadOnThePool) {
  std::string filling;
  RemoteBed bed([&](const ServerRequest&) {
    return ServerReply::text(400, R"({"error":{"details":")" + filling + R"(","message":"too many words"}})");
  });
  const auto chat = bed.chat_model();
  const auto embedder = bed.embedder(3);
  bed.options.profile.rerank = RerankDialect::tei;
  bed.options.profile.rerank_path = "/rerank";
  const auto reranker = bed.reranker();
  const auto jobs_of = [&](auto call) {
    const std::uint64_t before = bed.runtime.pool().stats(Lane::foreground).finished;
    const Error error = error_of(call);
    EXPECT_EQ(error.errc(), Errc::rejected);
    EXPECT_NE(std::string(error.what()).find("too many words"), std::string::npos) << error.what();
    return bed.runtime.pool().stats(Lane::foreground).finished - before;
  };
  const std::vector<std::string> texts = {"一段文字"};
  for (const std::uint64_t jobs : {0u, 1u}) {
    AsyncStream<std::string> pieces(1);
    EXPECT_EQ(jobs_of([&] { bed.runtime.run(chat->chat(question())); }), jobs);
    EXPECT_EQ(jobs_of([&] { bed.runtime.run(chat->chat_stream(question(), pieces.producer())); }), jobs);
    EXPECT_EQ(jobs_of([&] { bed.runtime.run(embedder->embed(texts, EmbedRole::query)); }), jobs);
    EXPECT_EQ(jobs_of([&] { bed.runtime.run(reranker->rerank("问题", texts, 1)); }), jobs);
    filling.assign(1u << 20, 'x');
  }
}

// S9, HT-3
TEST(ModelServer, SecretsPrintAsSuch) {
  std::ostringstream out;
  out << Secret(test::kCanary);
  EXPECT_EQ(out.str(), "[secret]");
}

TEST(ModelServer, ReadsTheKeyThatTheProfileNames) {
  ::setenv("RAGSTONE_TEST_KEY", "from-environment", 1);
  EXPECT_EQ(KeySource::environment("RAGSTONE_TEST_KEY").get().reveal(), "from-environment");
  EXPECT_EQ(error_of([] { KeySource::environment("RAGSTONE_TEST_NO_KEY"); }).errc(), Errc::not_found);
  std::string seen;
  RemoteBed bed([&](const ServerRequest& request) {
    seen = request.header("authorization");
    return answer();
  });
  bed.options.key = KeySource();
  bed.options.profile.key_variable = "RAGSTONE_TEST_KEY";
  bed.runtime.run(bed.chat_model()->chat(question()));
  EXPECT_EQ(seen, "Bearer from-environment");
  bed.options.key = KeySource([] { return Secret("asked"); });
  bed.runtime.run(bed.chat_model()->chat(question()));
  EXPECT_EQ(seen, "Bearer asked");
  ::unsetenv("RAGSTONE_TEST_KEY");
}

TEST(ModelServer, RefusesABaseUrlThatIsNone) {
  RemoteBed bed([](const ServerRequest&) { return answer(); });
  bed.options.base_url = "localhost:8080/v1";
  EXPECT_EQ(error_of([&] { bed.model_server(); }).errc(), Errc::invalid_argument);
}

// BT-2
TEST(ModelServer, TheModelsOfAServerShareItsLimits) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  RemoteBed bed([&](const ServerRequest&) {
    most = std::max<int>(most, ++running);
    --running;
    return ServerReply().pause(2ms).send(std::get<ServerReply::Send>(answer().steps[0]).bytes);
  });
  bed.options.limits.max_concurrency = 3;
  const ModelServer server = bed.model_server();
  const auto a = remote_chat_model(server, "a");
  const auto b = remote_chat_model(server, "b");
  std::vector<Task<ChatReply>> calls;
  for (int i = 0; i < 40; ++i) calls.push_back((i % 2 == 0 ? a : b)->chat(question()));
  bed.runtime.run(gather(std::move(calls)));
  EXPECT_LE(bed.server.connections(), 3u);
}

// HT-2: estimated_token_counter() is fitted to cl100k_base.
TEST(EstimatedTokens, AreNotFewerThanThoseOfProseInEitherLanguage) {
  const auto counter = estimated_token_counter();
  for (const char* name : {"cmrc2018-dev", "drcd-dev", "xquad-zh", "xquad-en", "scifact"}) {
    RAGSTONE_DATA_OR_SKIP(path, std::string("retrieval/") + name);
    std::uint64_t counted = 0;
    std::uint64_t estimated = 0;
    for (const BeirText& source : test::load_beir(path).corpus) {
      counted += counter->count(source.text);
      estimated += detail::estimated_tokens(source.text);
    }
    EXPECT_GE(estimated, counted) << name;
    EXPECT_LE(estimated, 2 * counted) << name;
  }
}

Task<void> enter(RateGate gate, CallPriority priority, std::vector<CallPriority>* order) {
  const RatePass pass = co_await gate.enter(priority, 1);
  order->push_back(priority);
}

Task<void> release_once_waited_for(RateGate gate, RatePass pass, std::size_t waiting) {
  while (gate.waiting() < waiting) co_await boost::asio::post(boost::asio::use_awaitable);
  pass.release();
}

TEST(RateGate, QueriesGoBeforeIngest) {
  using enum CallPriority;
  Runtime runtime;
  RateLimits limits;
  limits.max_concurrency = 1;
  limits.requests_per_minute = 60'000;
  const RateGate gate(limits);
  std::vector<CallPriority> order;
  std::vector<Task<void>> calls;
  calls.push_back(release_once_waited_for(gate, runtime.run(gate.enter(ingest, 1)), 6));
  for (const CallPriority priority : {ingest, query, ingest, query, ingest, query})
    calls.push_back(enter(gate, priority, &order));
  runtime.run(gather(std::move(calls)));
  EXPECT_EQ(order, (std::vector<CallPriority>{query, query, query, ingest, ingest, ingest}));
  EXPECT_EQ(gate.waiting(), 0u);
}

Task<std::size_t> enter_until(RateGate gate, std::uint64_t tokens, CallContext context) {
  std::size_t passed = 0;
  try {
    while (true) {
      const RatePass pass = co_await gate.enter(CallPriority::query, tokens, context);
      ++passed;
    }
  } catch (const Error& error) {
    EXPECT_EQ(error.errc(), Errc::timeout);
  }
  co_return passed;
}

TEST(RateGate, LetsThroughNoMoreThanThePerMinuteLimits) {
  Runtime runtime;
  CallContext context;
  RateLimits limits;
  limits.requests_per_minute = 6'000;
  using Seconds = std::chrono::duration<double>;
  auto begin = std::chrono::steady_clock::now();
  const auto requests = runtime.run(enter_until(RateGate(limits), 1, context.with_timeout(200ms)));
  Seconds took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(requests, 100u) << "a second's share at once";
  EXPECT_LE(static_cast<double>(requests), 101 + 100 * took.count());
  limits.requests_per_minute = 0;
  limits.tokens_per_minute = 60'000;
  begin = std::chrono::steady_clock::now();
  const auto calls = runtime.run(enter_until(RateGate(limits), 100, context.with_timeout(200ms)));
  took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(calls, 10u);
  EXPECT_LE(static_cast<double>(calls), 11 + 10 * took.count());
}

// N5
TEST(ModelServer, AStormIsNotMadeWorse) {
  std::mt19937 random(1);
  RemoteBed bed([&](const ServerRequest&) {
    return random() % 2 == 0 ? answer() : ServerReply::text(random() % 2 == 0 ? 429 : 503, "busy");
  });
  bed.options.retry.breaker_failures = 0;
  const auto model = bed.chat_model();
  std::vector<Task<ChatReply>> calls;
  for (int i = 0; i < 1'000; ++i) calls.push_back(model->chat(question()));
  bed.runtime.run(gather_outcomes(std::move(calls)));
  EXPECT_GE(bed.server.requests(), 1'000u);
  EXPECT_LE(bed.server.requests(), 1'100u);
}

// N5
TEST(ModelServer, AServerThatFailsAgainAndAgainIsLeftAlone) {
  std::atomic<bool> healed = false;
  RemoteBed bed([&](const ServerRequest&) { return healed ? answer() : ServerReply::text(503, "busy"); });
  bed.options.retry.breaker_failures = 5;
  bed.options.retry.breaker_pause = 1s;  // no test waits that long between two calls
  bed.options.retry.max_retries = 0;
  const auto model = bed.chat_model();
  for (int i = 0; i < 5; ++i) EXPECT_THROW(bed.runtime.run(model->chat(question())), Error);
  const Error error = error_of([&] { bed.runtime.run(model->chat(question())); });
  EXPECT_EQ(error.errc(), Errc::transient);
  EXPECT_TRUE(error.retry_after());
  EXPECT_EQ(bed.server.requests(), 5u);
  healed = true;
  const auto end = std::chrono::steady_clock::now() + 5s;
  std::string text;
  while (text.empty() && std::chrono::steady_clock::now() < end) {
    try {
      text = bed.runtime.run(model->chat(question())).text;
    } catch (const Error& open) {
      EXPECT_TRUE(open.retry_after()) << "not asked: " << open.what();
    }
  }
  EXPECT_EQ(text, "ok");
  EXPECT_EQ(bed.server.requests(), 6u) << "once the pause is over, and not before";
}

// N5: calls that the breaker refuses neither wait for their turn nor take it from others.
TEST(ModelServer, CallsOfAServerThatIsLeftAloneFailAtOnceWhateverItsLimits) {
  RemoteBed bed([](const ServerRequest&) { return ServerReply::text(503, "busy"); });
  bed.options.limits.requests_per_minute = 1e-3;  // one at once, and no other in the time of a test
  bed.options.retry.breaker_failures = 1;
  bed.options.retry.breaker_pause = 1h;
  bed.options.retry.max_retries = 0;
  const ModelServer server = bed.model_server();
  const auto model = remote_chat_model(server, "m");
  CallContext context;
  EXPECT_THROW(bed.runtime.run(model->chat(question())), Error);
  for (int i = 0; i < 20; ++i) {
    const Error error = error_of([&] { bed.runtime.run(model->chat(question(), context.with_timeout(100ms))); });
    EXPECT_EQ(error.errc(), Errc::transient) << error.what();
    EXPECT_TRUE(error.retry_after());
  }
  EXPECT_EQ(bed.server.requests(), 1u);
}

// N5
TEST(ModelServer, ACallThatIsRefusedAfterItsTurnCameGivesItBack) {
  RemoteBed bed([](const ServerRequest&) { return ServerReply::text(503, "busy"); });
  bed.options.limits.max_concurrency = 1;
  bed.options.limits.requests_per_minute = 120;  // two at once
  bed.options.retry.breaker_failures = 1;
  bed.options.retry.breaker_pause = 1h;
  bed.options.retry.max_retries = 0;
  const ModelServer server = bed.model_server();
  const auto model = remote_chat_model(server, "m");
  std::vector<Task<ChatReply>> calls;
  for (int i = 0; i < 10; ++i) calls.push_back(model->chat(question()));
  for (const auto& outcome : bed.runtime.run(gather_outcomes(std::move(calls)))) EXPECT_FALSE(outcome.has_value());
  EXPECT_EQ(bed.server.requests(), 1u);
  CallContext context;
  bed.runtime.run(server.core()->gate().enter(CallPriority::query, 1, context.with_timeout(100ms)));
}

/// An attempt that came so far as to see a status.
std::unique_ptr<detail::ApiCall> call_that_saw(RemoteBed& bed, const ModelServer& server, int status,
                                               CallContext context = {}) {
  auto call = std::make_unique<detail::ApiCall>(server.core(), EventKind::chat, "m", CallPriority::query, 1, context);
  HttpRequest request;
  bed.runtime.run(call->begin(request));
  if (status != 0) call->saw(status, HttpHeaders());
  return call;
}

/// What the call's failed() throws; null if it returns, for another attempt.
std::exception_ptr thrown_by_failed(RemoteBed& bed, detail::ApiCall& call, std::exception_ptr error) {
  try {
    bed.runtime.run(call.failed(std::move(error)));
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

const auto kCancelled = std::make_exception_ptr(boost::system::system_error(boost::asio::error::operation_aborted));

// N5: a call that is cancelled while the reply's error is read is over, whatever the status promises.
TEST(ModelServer, ACancelledCallIsNotTriedAgain) {
  RemoteBed bed([](const ServerRequest&) { return answer(); });
  bed.options.retry.budget_floor = 1;
  const ModelServer server = bed.model_server();
  const auto observer = std::make_shared<test::RecordingObserver>();
  const CallContext context = CallContext().with_observer(observer);
  for (const int status : {429, 503}) {
    const auto cancelled = call_that_saw(bed, server, status, context);
    const std::exception_ptr thrown = thrown_by_failed(bed, *cancelled, kCancelled);
    ASSERT_TRUE(thrown) << status;
    EXPECT_TRUE(is_cancelled(thrown)) << status;
  }
  EXPECT_TRUE(observer->events().empty()) << "no retry is told";
  const auto busy = call_that_saw(bed, server, 503);
  EXPECT_FALSE(thrown_by_failed(bed, *busy, std::make_exception_ptr(Error(Errc::transient, "busy"))))
      << "the one retry that the budget has was not taken";
}

// N5
TEST(ModelServer, AServerThatRefusesAProbeIsThereForAllCalls) {
  for (const bool cancelled : {false, true}) {
    RemoteBed bed([](const ServerRequest&) { return answer(); });
    bed.options.retry.breaker_failures = 2;
    bed.options.retry.breaker_pause = 0ms;
    bed.options.retry.max_retries = 0;
    const ModelServer server = bed.model_server();
    const auto busy = std::make_exception_ptr(Error(Errc::transient, "busy"));
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(thrown_by_failed(bed, *call_that_saw(bed, server, 503), busy));
    {
      const auto probe = call_that_saw(bed, server, 0);
      EXPECT_EQ(error_of([&] { call_that_saw(bed, server, 0); }).errc(), Errc::transient) << "one probe at a time";
      probe->saw(400, HttpHeaders());
      const auto refused = std::make_exception_ptr(Error(Errc::rejected, "too long"));
      EXPECT_TRUE(thrown_by_failed(bed, *probe, cancelled ? kCancelled : refused));
    }
    const auto first = call_that_saw(bed, server, 0);
    if (cancelled) {
      EXPECT_EQ(error_of([&] { call_that_saw(bed, server, 0); }).errc(), Errc::transient) << "nothing was learnt";
    } else {
      EXPECT_NO_THROW(call_that_saw(bed, server, 0));
    }
  }
}

/// Asks until the server has healed and has answered; how many calls that were.
Task<std::size_t> ask_until_answered(std::shared_ptr<ChatModel> model, const std::atomic<bool>* healed,
                                     std::chrono::milliseconds pause) {
  for (std::size_t calls = 1;; ++calls) {
    const bool should_succeed = *healed;
    try {
      co_await model->chat(question());
      if (should_succeed) co_return calls;
    } catch (const Error& error) {
      EXPECT_EQ(error.errc(), Errc::transient) << error.what();
    }
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, pause);
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
}

Task<void> heal_after(std::atomic<bool>* healed, std::chrono::milliseconds time) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, time);
  co_await timer.async_wait(boost::asio::use_awaitable);
  *healed = true;
}

// N5: with the options that are the default. How soon exactly: Storm, in a time of its own.
TEST(ModelServer, AThousandClientsGetThroughAStormAndAreServedWhenItIsOver) {
  std::atomic<bool> healed = false;
  std::atomic<std::size_t> random = 0;
  RemoteBed bed([&](const ServerRequest&) {
    if (healed || ++random % 10 == 0) return answer();
    return random % 2 == 0 ? ServerReply::text(429, "busy", "retry-after-ms: 50\r\n") : ServerReply::text(503, "busy");
  });
  bed.options.retry = RetryOptions();
  const auto model = bed.chat_model();
  std::vector<Task<std::size_t>> clients;
  for (int i = 0; i < 1'000; ++i)
    clients.push_back(ask_until_answered(model, &healed, std::chrono::milliseconds(20 + i % 50)));
  auto healing = bed.runtime.spawn(heal_after(&healed, 500ms), boost::asio::use_future);
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<std::size_t> calls = bed.runtime.run(gather(std::move(clients)));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin - 500ms;
  healing.get();
  const std::size_t all = std::accumulate(calls.begin(), calls.end(), std::size_t{0});
  EXPECT_LE(bed.server.requests(), all + all / 10);
  RecordProperty("seconds_until_all_are_served", std::to_string(took.count()));
}

TEST(ProviderProfile, AllThatAreKnownCanBeNamed) {
  EXPECT_EQ(provider_profile_names().size(), 12u);
  for (const auto& name : provider_profile_names()) EXPECT_EQ(provider_profile(name).name, name);
  const Error error = error_of([] { provider_profile("opanai"); });
  EXPECT_EQ(error.errc(), Errc::not_found);
  EXPECT_NE(std::string(error.what()).find("openai"), std::string::npos);
}

// HT-1
TEST(ProviderProfile, IsDataThatUsersCanWrite) {
  const ProviderProfile profile = provider_profile_from_json(
      R"({"like":"vllm","name":"ours","base_url":"http://10.0.0.5/v1","max_batch":8,"rerank":"vllm_score","local":true})");
  EXPECT_EQ(profile.name, "ours");
  EXPECT_EQ(profile.max_batch, 8u);
  EXPECT_EQ(profile.rerank, RerankDialect::vllm_score);
  EXPECT_TRUE(profile.base64);
  for (const char* wrong :
       {"", "[]", "{}", R"({"like":"x"})", R"({"like":"vllm","batch":8})", R"({"like":"vllm","max_batch":-1})",
        R"({"like":"vllm","max_batch":0})", R"({"like":"vllm","local":1})", R"({"like":"vllm","rerank":"cohere2"})",
        R"({"name":"x"})", R"({"like":"vllm","chat_extra":"[]"})"})
    EXPECT_THROW(provider_profile_from_json(wrong), Error) << wrong;
}

}  // namespace
}  // namespace ragstone
