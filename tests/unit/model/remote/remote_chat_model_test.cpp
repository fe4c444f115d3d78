#include "support/counting_executor.hpp"
#include "support/process_use.hpp"
#include "support/rounds.hpp"
#include "unit/model/remote/chat_replies.hpp"
#include "unit/model/remote/remote_bed.hpp"
#include <ragstone/model/cache.hpp>
#include <ragstone/model/usage_meter.hpp>

#include <chrono>
#include <random>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <nlohmann/json.hpp>

namespace ragstone {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::delta;
using test::error_of;
using test::kFinish;
using test::kReply;
using test::question;
using test::RemoteBed;
using test::ServerReply;
using test::ServerRequest;
using test::stream;
using test::Streamed;

// HT-1, HT-4
TEST(RemoteChatModel, SendsARequestAndReadsTheReply) {
  json sent;
  ServerRequest seen;
  RemoteBed bed([&](const ServerRequest& request) {
    seen = request;
    sent = json::parse(request.body);
    return ServerReply::text(200, kReply);
  });
  ChatRequest request = question();
  request.temperature = 0.5;
  request.max_tokens = 20;
  request.seed = 7;
  request.stop = {"END"};
  const ChatReply reply = bed.runtime.run(bed.chat_model()->chat(request));
  EXPECT_EQ(reply.text, "你好 there");
  EXPECT_EQ(reply.model, "real-model");
  EXPECT_EQ(reply.id, "c-1");
  EXPECT_EQ(reply.usage.input, 9u);
  EXPECT_EQ(reply.usage.output, 4u);
  EXPECT_EQ(reply.usage.cache_read, 3u);
  EXPECT_EQ(reply.usage.cache_write, 1u);
  EXPECT_EQ(reply.usage.reasoning, 2u);
  EXPECT_EQ(seen.target, "/v1/chat/completions");
  EXPECT_EQ(seen.header("authorization"), std::string("Bearer ") + test::kCanary);
  const json expected = {{"model", "test-model"},
                         {"messages", {{{"role", "user"}, {"content", "你好?"}}}},
                         {"temperature", 0.5},
                         {"max_completion_tokens", 20},
                         {"seed", 7},
                         {"stop", {"END"}}};
  EXPECT_EQ(sent, expected);
}

// HT-1: LightLLM's own limit is 16 tokens, and it ignores temperature unless told to sample.
TEST(RemoteChatModel, ProfilesMakeUpForServers) {
  json sent;
  RemoteBed bed(
      [&](const ServerRequest& request) {
        sent = json::parse(request.body);
        return ServerReply::event_stream().event(delta("a")).event(kFinish).end_of_chunks().close();
      },
      "lightllm");
  const Streamed streamed = bed.runtime.run(stream(bed.chat_model(), question()));
  EXPECT_EQ(streamed.reply.text, "a") << "without [DONE]";
  EXPECT_EQ(sent["max_tokens"], 2'048);
  EXPECT_EQ(sent["do_sample"], true);
  EXPECT_EQ(sent["stream"], true);
  EXPECT_FALSE(sent.contains("stream_options"));
}

// N2
TEST(RemoteChatModel, AWholeReplyThatIsCutAnywhereIsAnError) {
  const std::string whole = kReply;
  std::size_t cut = 0;
  RemoteBed bed([&](const ServerRequest&) {
    return ServerReply().send("HTTP/1.1 200 OK\r\n\r\n" + whole.substr(0, cut)).close();
  });
  bed.options.retry.max_retries = 0;
  bed.options.retry.breaker_failures = 0;
  const auto model = bed.chat_model();
  for (cut = 0; cut < whole.size(); ++cut)
    EXPECT_EQ(error_of([&] { bed.runtime.run(model->chat(question())); }).errc(), Errc::transient) << cut;
}

// RT-1, CB-1
TEST(RemoteChatModel, RepeatsWhatMaySucceedAndSaysSo) {
  RemoteBed bed([](const ServerRequest& request) {
    if (request.number == 1)
      return ServerReply::text(429, R"({"error":{"message":"slow down"}})", "retry-after-ms: 5\r\n");
    if (request.number == 2) return ServerReply().send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{").close();
    return ServerReply::text(200, kReply);
  });
  const auto observer = std::make_shared<test::RecordingObserver>();
  CallContext context;
  context = context.with_observer(observer);
  EXPECT_EQ(bed.runtime.run(bed.chat_model()->chat(question(), context)).text, "你好 there");
  EXPECT_EQ(observer->phases(),
            (std::vector{EventPhase::start, EventPhase::retry, EventPhase::retry, EventPhase::end}));
  const auto events = observer->events();
  EXPECT_EQ(*events[1].attributes().find("status"), Scalar(std::int64_t{429}));
  EXPECT_EQ(events[1].run_id(), events[0].run_id());
  EXPECT_EQ(events[0].attributes().text("provider"), "openai");
  EXPECT_EQ(events[0].attributes().text("server_address"), "127.0.0.1");
  EXPECT_EQ(*events[0].attributes().find("server_port"), Scalar(std::int64_t{bed.server.port()}));
}

/// Throws when it hears of a repeat, and has the call fail for it.
class FailsOnRetry final : public Observer {
 public:
  FailsOnRetry() { raise_errors(); }

 private:
  void on_event(const Event& event) override {
    if (event.phase() == EventPhase::retry) throw std::runtime_error("no");
  }
};

// CB-4
TEST(RemoteChatModel, TellsOfARepeatThoughAnObserverThrowsAtIt) {
  RemoteBed bed([](const ServerRequest&) {
    return ServerReply::text(429, R"({"error":{"message":"slow down"}})", "retry-after-ms: 5\r\n");
  });
  const auto observer = std::make_shared<test::RecordingObserver>();
  const CallContext context = CallContext().with_observer(std::make_shared<FailsOnRetry>()).with_observer(observer);
  EXPECT_THROW(bed.runtime.run(bed.chat_model()->chat(question(), context)), std::runtime_error);
  EXPECT_EQ(observer->phases(), (std::vector{EventPhase::start, EventPhase::retry, EventPhase::error}));
}

// RT-1
TEST(RemoteChatModel, GivesUpAfterTwoRetriesAndTellsWhenToComeBack) {
  RemoteBed bed([](const ServerRequest&) { return ServerReply::text(503, "busy", "Retry-After: 121\r\n"); });
  const Error late = error_of([&] { bed.runtime.run(bed.chat_model()->chat(question())); });
  EXPECT_EQ(late.errc(), Errc::transient);
  EXPECT_EQ(late.retry_after(), 121s);
  EXPECT_EQ(bed.server.requests(), 1u) << "a longer wait than two minutes is not waited for";

  RemoteBed busy([](const ServerRequest&) { return ServerReply::text(503, "busy"); });
  EXPECT_EQ(error_of([&] { busy.runtime.run(busy.chat_model()->chat(question())); }).errc(), Errc::transient);
  EXPECT_EQ(busy.server.requests(), 3u);
}

// RT-1
TEST(RemoteChatModel, DoesNotRepeatWhatIsWrongForGood) {
  RemoteBed bed([](const ServerRequest&) {
    return ServerReply::text(400, R"({"error":{"message":"no such field","code":null}})");
  });
  const Error error = error_of([&] { bed.runtime.run(bed.chat_model()->chat(question())); });
  EXPECT_EQ(error.errc(), Errc::rejected);
  EXPECT_NE(std::string(error.what()).find("no such field"), std::string::npos);
  EXPECT_EQ(bed.server.requests(), 1u);
}

// RT-1
TEST(RemoteChatModel, ADeadlineIsNotSleptThrough) {
  RemoteBed bed([](const ServerRequest&) { return ServerReply::text(503, "busy", "Retry-After: 60\r\n"); });
  CallContext context;
  EXPECT_EQ(error_of([&] { bed.runtime.run(bed.chat_model()->chat(question(), context.with_timeout(10s))); }).errc(),
            Errc::transient);
}

// S9, HT-3
TEST(RemoteChatModel, TheKeyIsInNoErrorEvenIfTheServerRepeatsIt) {
  RemoteBed bed([](const ServerRequest& request) {
    const std::string key = request.header("authorization");
    if (request.number == 1) return ServerReply::text(401, R"({"error":{"message":"Incorrect key: )" + key + R"("}})");
    if (request.number == 2) return ServerReply::text(400, key);
    if (request.number == 3) return ServerReply::text(200, R"({"error":{"message":"bad )" + key + R"("}})");
    // What is told of a long text ends in the middle of the key.
    if (request.number == 4) return ServerReply::text(400, std::string(2'038, 'x') + key);
    if (request.number == 5) return ServerReply::text(400, std::string(65'526, 'x') + key);
    return ServerReply::text(200, key);
  });
  bed.options.retry.max_retries = 0;
  const auto observer = std::make_shared<test::RecordingObserver>();
  CallContext context;
  context = context.with_observer(observer);
  const auto model = bed.chat_model();
  const std::string some_of_the_key = std::string(test::kCanary).substr(0, 6);
  for (int i = 0; i < 6; ++i) {
    const Error error = error_of([&] { bed.runtime.run(model->chat(question(), context)); });
    EXPECT_EQ(std::string(error.what()).find(some_of_the_key), std::string::npos) << error.what();
  }
  std::string told;
  for (const Event& event : observer->events()) {
    if (event.error()) told += message_of(event.error());
    for (const auto& [name, value] : event.attributes())
      if (const auto* text = std::get_if<std::string>(&value)) told += *text;
  }
  EXPECT_EQ(told.find(some_of_the_key), std::string::npos);
}

// TK-5
TEST(RemoteChatModel, ACallThatFailsCountsWhatItsReplyHasUsed) {
  ChatRequest request = question();
  request.schema.emplace("result", R"({"type":"object"})");
  RemoteBed bed([](const ServerRequest& asked) {
    if (asked.number == 1) return ServerReply::text(200, kReply);  // no object
    if (asked.number == 2) return ServerReply::text(200, R"({"choices":[],"usage":{"prompt_tokens":9}})");
    return ServerReply::event_stream()
        .event(delta("half of"))
        .event(R"({"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4}})")
        .end_of_chunks();
  });
  bed.options.retry.max_retries = 0;
  const UsageMeter meter;
  const auto model = bed.chat_model();
  EXPECT_EQ(error_of([&] { bed.runtime.run(model->chat(request, meter.context())); }).errc(), Errc::rejected);
  EXPECT_EQ(error_of([&] { bed.runtime.run(model->chat(question(), meter.context())); }).errc(), Errc::rejected);
  EXPECT_TRUE(bed.runtime.run(stream(model, question(), meter.context())).error);
  const UsageRow total = meter.report().total(EventKind::chat);
  EXPECT_EQ(total.requests, 0u);
  EXPECT_EQ(total.failures, 3u);
  EXPECT_EQ(total.input, 27u);
  EXPECT_EQ(total.output, 8u);
  EXPECT_EQ(total.missing, 0u);
}

// S8: models of the same name on two servers, or told other things by their profiles, answer differently.
TEST(RemoteChatModel, ModelsOfOneNameOnTwoServersShareNoCachedReply) {
  const auto says = [](const std::string& text) {
    return [text](const ServerRequest&) {
      json reply = json::parse(kReply);
      reply["choices"][0]["message"]["content"] = text;
      return ServerReply::text(200, reply.dump());
    };
  };
  RemoteBed here(says("here"));
  RemoteBed there(says("那里"));
  const auto cache = memory_cache();
  const auto ask = [&](RemoteBed& bed) {
    return bed.runtime.run(cached_chat_model(bed.chat_model(), cache)->chat(question())).text;
  };
  EXPECT_EQ(ask(here), "here");
  EXPECT_EQ(ask(there), "那里");
  EXPECT_EQ(ask(here), "here");
  EXPECT_EQ(ask(there), "那里");
  EXPECT_EQ(here.server.requests(), 1u);
  EXPECT_EQ(there.server.requests(), 1u);
  here.options.profile.chat_extra = R"({"enable_thinking":true})";
  ask(here);
  EXPECT_EQ(here.server.requests(), 2u);
  const std::string identity = here.chat_model()->identity();
  EXPECT_NE(identity.find(here.server.url()), std::string::npos) << identity;
  EXPECT_EQ(cached_chat_model(here.chat_model(), cache)->identity(), identity);
}

// N8
TEST(RemoteChatModel, HostileJsonIsAnError) {
  std::string body;
  RemoteBed bed([&](const ServerRequest&) { return ServerReply::text(200, body); });
  bed.options.retry.max_retries = 0;
  bed.options.retry.breaker_failures = 0;
  const auto model = bed.chat_model();
  for (const std::string& hostile :
       {std::string("null"), std::string("[]"), std::string("{}"), std::string(100'000, '['),
        std::string("{\"choices\":null}"), std::string("{\"choices\":[]}"), std::string("{\"choices\":[1]}"),
        std::string("{\"choices\":[{\"message\":[]}]"),
        std::string("{\"choices\":[{\"message\":{\"content\":\"\xFF\"}}]}"), std::string("1e400"),
        std::string("\0{}", 3)}) {
    body = hostile;
    EXPECT_THROW(bed.runtime.run(model->chat(question())), Error) << hostile.substr(0, 60);
  }
  body = R"({"choices":[{"message":{"content":7},"finish_reason":9}],"usage":[1],"model":{},"id":false})";
  EXPECT_EQ(bed.runtime.run(model->chat(question())).text, "");
}

// BT-1: what is repeated, and what overtakes it, does not take another's place.
TEST(RemoteChatModel, EachCallOfABatchGetsItsOwnReplyOrItsOwnError) {
  std::mt19937 random(1);
  RemoteBed bed([&](const ServerRequest& request) {
    ServerReply reply;
    reply.pause(std::chrono::milliseconds(random() % 6));
    const std::string text = json::parse(request.body)["messages"][0]["content"];
    if (text.ends_with("7")) return reply.then(ServerReply::text(400, "no: " + text));
    if (random() % 4 == 0) return reply.then(ServerReply::text(random() % 2 == 0 ? 429 : 503, "busy"));
    if (random() % 8 == 0) return reply.close();
    json good = json::parse(kReply);
    good["choices"][0]["message"]["content"] = "reply to " + text;
    return reply.then(ServerReply::text(200, good.dump()));
  });
  bed.options.retry.max_retries = 20;
  bed.options.retry.budget_ratio = 10;
  bed.options.retry.breaker_failures = 0;
  const auto model = bed.chat_model();
  for (std::size_t round = 0; round < test::rounds(2); ++round) {
    std::vector<Task<ChatReply>> calls;
    for (int i = 0; i < 200; ++i) calls.push_back(model->chat(question(std::to_string(i))));
    GatherOptions options;
    options.limit = random() % 64;
    const auto outcomes = bed.runtime.run(gather_outcomes(std::move(calls), options));
    ASSERT_EQ(outcomes.size(), 200u);
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      const std::string number = std::to_string(i);
      if (number.ends_with("7")) {
        ASSERT_FALSE(outcomes[i].has_value());
        EXPECT_NE(message_of(outcomes[i].error()).find("no: " + number), std::string::npos);
      } else {
        ASSERT_TRUE(outcomes[i].has_value()) << message_of(outcomes[i].error());
        EXPECT_EQ(outcomes[i].value().text, "reply to " + number);
      }
    }
  }
}

TEST(RemoteChatModel, ALocalServerNeedsAProfileOrAnOptionThatSaysSo) {
  RemoteBed bed([](const ServerRequest&) { return ServerReply::text(200, kReply); });
  bed.options.http.addresses = AddressPolicy();
  const Error error = error_of([&] { bed.runtime.run(bed.chat_model()->chat(question())); });
  EXPECT_EQ(error.errc(), Errc::rejected);
  EXPECT_NE(std::string(error.what()).find("with_local"), std::string::npos) << error.what();
  bed.options.profile = provider_profile("vllm");
  EXPECT_EQ(bed.runtime.run(bed.chat_model()->chat(question())).text, "你好 there");
}

// RT-1: openai-python does what this header says.
TEST(RemoteChatModel, AServerSaysWhetherToRepeat) {
  RemoteBed bed([](const ServerRequest& request) {
    if (request.number == 1) return ServerReply::text(400, "{}", "x-should-retry: true\r\n");
    if (request.number == 2) return ServerReply::text(200, kReply);
    return ServerReply::text(503, "{}", "x-should-retry: false\r\n");
  });
  EXPECT_EQ(bed.runtime.run(bed.chat_model()->chat(question())).text, "你好 there");
  EXPECT_EQ(bed.server.requests(), 2u);
  EXPECT_EQ(error_of([&] { bed.runtime.run(bed.chat_model()->chat(question())); }).errc(), Errc::transient);
  EXPECT_EQ(bed.server.requests(), 3u);
}

// RT-1: a key that was changed meanwhile is used by the next attempt.
TEST(RemoteChatModel, EachAttemptHasTheKeyOfItsTime) {
  std::vector<std::string> keys;
  int status = 429;
  RemoteBed bed([&](const ServerRequest& request) {
    keys.push_back(request.header("authorization"));
    return keys.back() == "Bearer key 1" ? ServerReply::text(status, "{}") : ServerReply::text(200, kReply);
  });
  for (status = 429; status > 0; status = status == 429 ? 401 : 0) {
    int asked = 0;
    keys.clear();
    // The 401 asks whether there is another key before it asks for the next attempt's.
    bed.options.key = KeySource([&] { return Secret("key " + std::to_string(++asked)); });
    EXPECT_EQ(bed.runtime.run(bed.chat_model()->chat(question())).text, "你好 there") << status;
    ASSERT_EQ(keys.size(), 2u);
    EXPECT_NE(keys[0], keys[1]);
  }
  status = 401;
  bed.options.key = KeySource::fixed(Secret("key 1"));
  keys.clear();
  EXPECT_EQ(error_of([&] { bed.runtime.run(bed.chat_model()->chat(question())); }).errc(), Errc::unauthorized);
  EXPECT_EQ(keys.size(), 1u) << "the same key is refused again";
}

// S9
TEST(RemoteChatModel, SendsTheHeadersOfItsServerAndTellsNoneOfThem) {
  bool fails = false;
  RemoteBed bed([&](const ServerRequest& request) {
    EXPECT_EQ(request.header("api-key"), test::kCanary);
    EXPECT_EQ(request.header("authorization"), "");
    EXPECT_EQ(request.header("openai-organization"), "org-of-mine");
    return fails ? ServerReply::text(400, R"({"error":{"message":"org-of-mine may not"}})")
                 : ServerReply::text(200, kReply);
  });
  bed.options.profile = provider_profile_from_json(R"({"like": "openai", "key_header": "api-key"})");
  bed.options.base_url = bed.server.url("/v1");
  bed.options.headers.add("OpenAI-Organization", "org-of-mine");
  EXPECT_EQ(bed.runtime.run(bed.chat_model()->chat(question())).text, "你好 there");
  fails = true;
  const Error error = error_of([&] { bed.runtime.run(bed.chat_model()->chat(question())); });
  EXPECT_NE(std::string(error.what()).find("[secret] may not"), std::string::npos) << error.what();
  for (const char* name : {"Api-Key", "Content-Type"}) {
    ModelServerOptions options = bed.options;
    options.headers.add(name, "x");
    EXPECT_EQ(error_of([&] { ModelServer(bed.runtime, options); }).errc(), Errc::invalid_argument) << name;
  }
}

// HT-4
TEST(RemoteChatModel, ExtraMembersThatCannotBeAddedToAreRefused) {
  RemoteBed bed([](const ServerRequest& request) {
    EXPECT_EQ(json::parse(request.body)["response_format"]["type"], "json_schema");
    return ServerReply::text(200, kReply);
  });
  ChatRequest asked = question();
  asked.extra = R"({"stream_options": "all"})";
  AsyncStream<std::string> pieces(4);
  EXPECT_EQ(error_of([&] { bed.runtime.run(bed.chat_model()->chat_stream(asked, pieces.producer())); }).errc(),
            Errc::invalid_argument);
  EXPECT_EQ(bed.server.requests(), 0u);
  asked.extra = R"({"response_format": "text"})";
  asked.schema = ReplySchema("n", "{}");
  EXPECT_EQ(error_of([&] { bed.runtime.run(bed.chat_model()->chat(asked)); }).errc(), Errc::rejected)
      << "what is set counts, and the reply is no JSON";
}

// AS-1: what takes long to write, read or check is written, read and checked elsewhere.
TEST(RemoteChatModel, LargeRequestsAndRepliesAreHandledOnThePool) {
  std::string text;
  RemoteBed bed([&](const ServerRequest&) {
    json reply = json::parse(kReply);
    reply["choices"][0]["message"]["content"] = '"' + text + '"';
    return ServerReply::text(200, reply.dump());
  });
  const auto model = bed.chat_model();
  const auto jobs_of_call = [&] {
    const std::uint64_t before = bed.runtime.pool().stats(Lane::foreground).finished;
    ChatRequest asked = question(text);
    asked.schema = ReplySchema("s", R"({"type": "string"})");
    EXPECT_EQ(bed.runtime.run(model->chat(asked)).text.size(), text.size() + 2);
    return bed.runtime.pool().stats(Lane::foreground).finished - before;
  };
  text = "短的回答 a short answer";
  EXPECT_EQ(jobs_of_call(), 0u);
  while (text.size() < (1u << 20)) text += "很长的回答 a long answer ";
  EXPECT_EQ(jobs_of_call(), 3u) << "the request, the reply, and its schema";
}

}  // namespace
}  // namespace ragstone
