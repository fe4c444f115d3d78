#include "support/rounds.hpp"
#include "unit/model/remote/remote_bed.hpp"
#include <ragstone/async/deadline.hpp>
#include <ragstone/model/cache.hpp>
#include <ragstone/model/usage_meter.hpp>

#include <chrono>
#include <random>
#include <vector>

#include <nlohmann/json.hpp>

namespace ragstone {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::error_of;
using test::question;
using test::RemoteBed;
using test::ServerReply;
using test::ServerRequest;

const char* const kReply =
    R"({"id":"c-1","object":"chat.completion","created":1,"model":"real-model","choices":[{"index":0,
"message":{"role":"assistant","content":"你好 there","refusal":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,
"completion_tokens":4,"total_tokens":13,"prompt_tokens_details":{"cached_tokens":3,"cache_write_tokens":1},
"completion_tokens_details":{"reasoning_tokens":2}}})";

class Streamed {
 public:
  ChatReply reply;
  std::vector<std::string> pieces;
  std::exception_ptr error;
};

Task<Streamed> stream(std::shared_ptr<ChatModel> model, ChatRequest request, CallContext context = {}) {
  AsyncStream<std::string> pieces(10'000);
  Streamed result;
  auto producer = pieces.producer();
  try {
    result.reply = co_await model->chat_stream(std::move(request), producer, context);
  } catch (...) {
    result.error = std::current_exception();
  }
  try {
    while (auto piece = co_await pieces.next()) result.pieces.push_back(*piece);
  } catch (const boost::system::system_error&) {
  }
  co_return result;
}

std::string joined(const std::vector<std::string>& pieces) {
  std::string all;
  for (const auto& piece : pieces) all += piece;
  return all;
}

std::string delta(const std::string& text) {
  json chunk;
  chunk["id"] = "c-2";
  chunk["model"] = "real-model";
  chunk["choices"][0]["delta"]["content"] = text;
  chunk["choices"][0]["finish_reason"] = nullptr;
  return chunk.dump();
}

const char* const kFinish = R"({"choices":[{"index":0,"delta":{},"finish_reason":"length"}]})";
const char* const kUsage = R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}})";

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

// TK-2, HT-4
TEST(RemoteChatModel, StreamsPiecesAndKeepsTheLastUsage) {
  RemoteBed bed([](const ServerRequest& request) {
    EXPECT_EQ(json::parse(request.body)["stream_options"]["include_usage"], true);
    ServerReply reply = ServerReply::event_stream();
    reply.chunk(": ping\n\n");
    reply.event(R"({"choices":[{"delta":{"role":"assistant","content":""}}],"usage":null})");
    reply.event(
        R"({"choices":[{"delta":{"reasoning_content":"hm"}}],"usage":{"prompt_tokens":5,"completion_tokens":1}})");
    reply.event(delta("你")).event(delta("好")).event(kFinish).event(kUsage).event("[DONE]");
    return reply.end_of_chunks();
  });
  const auto model = bed.chat_model();
  const Streamed streamed = bed.runtime.run(stream(model, question()));
  EXPECT_FALSE(streamed.error);
  EXPECT_EQ(streamed.pieces, (std::vector<std::string>{"你", "好"}));
  EXPECT_EQ(streamed.reply.text, "你好");
  EXPECT_EQ(streamed.reply.reasoning, "hm");
  EXPECT_EQ(streamed.reply.finish, FinishReason::length);
  EXPECT_EQ(streamed.reply.usage.input, 5u);
  EXPECT_EQ(streamed.reply.usage.output, 2u);
  EXPECT_EQ(streamed.reply.usage.total, 7u);
  bed.runtime.run(stream(model, question()));
  EXPECT_EQ(bed.server.connections(), 1u) << "a stream that was read to its end gives its connection back";
}

// N2, TK-3
TEST(RemoteChatModel, AStreamThatIsCutAnywhereIsNeverCalledComplete) {
  const std::string events =
      "data: " + delta("你好") + "\n\ndata: " + delta(" there") + "\n\ndata: " + kFinish + "\n\ndata: [DONE]\n\n";
  const std::size_t complete = events.find(kFinish) + std::string(kFinish).size() + 2;
  std::size_t cut = 0;
  RemoteBed bed([&](const ServerRequest&) {
    return ServerReply()
        .send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + events.substr(0, cut))
        .close();
  });
  bed.options.retry.max_retries = 0;
  bed.options.retry.breaker_failures = 0;
  const auto model = bed.chat_model();
  for (cut = 0; cut <= events.size(); ++cut) {
    const Streamed streamed = bed.runtime.run(stream(model, question()));
    if (cut >= complete) {
      EXPECT_FALSE(streamed.error) << cut;
      EXPECT_EQ(streamed.reply.text, "你好 there");
    } else {
      ASSERT_TRUE(streamed.error) << cut << " bytes";
      EXPECT_EQ(errc_of(streamed.error), Errc::transient);
      EXPECT_TRUE(std::string("你好 there").starts_with(joined(streamed.pieces)));
    }
  }
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

// N7: LMDeploy sends an error inside a reply of status 200, and then [DONE].
TEST(RemoteChatModel, AnErrorInsideAStreamFailsTheCall) {
  RemoteBed bed([](const ServerRequest&) {
    return ServerReply::event_stream()
        .event(delta("a"))
        .event(R"({"error":{"message":"out of memory"}})")
        .event("[DONE]")
        .end_of_chunks();
  });
  const Streamed streamed = bed.runtime.run(stream(bed.chat_model(), question()));
  ASSERT_TRUE(streamed.error);
  EXPECT_EQ(errc_of(streamed.error), Errc::rejected);
  EXPECT_NE(message_of(streamed.error).find("out of memory"), std::string::npos);
  EXPECT_EQ(bed.server.requests(), 1u);
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

TEST(RemoteChatModel, AStreamIsAskedForAgainOnlyBeforeItsFirstPiece) {
  RemoteBed bed([](const ServerRequest& request) {
    ServerReply reply = ServerReply::event_stream();
    if (request.number == 1) return reply.close();
    reply.event(delta("a"));
    return request.number == 2 ? reply.close() : reply.event("[DONE]").end_of_chunks();
  });
  const Streamed streamed = bed.runtime.run(stream(bed.chat_model(), question()));
  EXPECT_EQ(bed.server.requests(), 2u);
  EXPECT_TRUE(streamed.error);
  EXPECT_EQ(joined(streamed.pieces), "a");
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

// N2
TEST(RemoteChatModel, AnErrorWithinAStreamIsOneInEveryShape) {
  for (const std::string error :
       {R"({"error":{"message":"out of memory","type":"internal","code":500}})", R"({"error":"out of memory"})",
        R"({"object":"error","message":"out of memory","type":"internal","code":500})"}) {
    RemoteBed bed([&](const ServerRequest&) {
      return ServerReply::event_stream().event(delta("half of")).event(error).event("[DONE]").end_of_chunks();
    });
    const Streamed streamed = bed.runtime.run(stream(bed.chat_model(), question()));
    ASSERT_TRUE(streamed.error) << error;
    EXPECT_EQ(errc_of(streamed.error), Errc::rejected);
    EXPECT_NE(message_of(streamed.error).find("out of memory"), std::string::npos) << message_of(streamed.error);
  }
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

Task<void> ask(std::shared_ptr<ChatModel> model, AsyncStream<std::string>* pieces, CallContext context) {
  auto producer = pieces->producer();
  co_await model->chat_stream(question(), producer, context);
}

Task<void> leave_after_one(AsyncStream<std::string>* pieces) {
  co_await pieces->next();
  throw Error(Errc::closed, "enough");
}

/// Asks, and cancels the call when its first piece is there.
Task<void> read_one_piece(std::shared_ptr<ChatModel> model, AsyncStream<std::string>* pieces, CallContext context) {
  std::vector<Task<void>> both;
  both.push_back(ask(model, pieces, context));
  both.push_back(leave_after_one(pieces));
  co_await gather(std::move(both));
}

// TK-2, TK-5: of running totals the last one counts, also for a stream that breaks off or that its reader gives up.
TEST(RemoteChatModel, AStreamThatIsNotReadToItsEndCountsWhatItsServerHasTold) {
  RemoteBed bed([](const ServerRequest& asked) {
    ServerReply reply = ServerReply::event_stream();
    for (int i = 1; i <= 3; ++i) {
      json chunk = json::parse(delta("x"));
      chunk["usage"] = {{"prompt_tokens", 9}, {"completion_tokens", i}};
      reply.event(chunk.dump());
    }
    return asked.number == 1 ? reply.reset() : reply.hang();
  });
  const auto model = bed.chat_model();
  const UsageMeter broken;
  EXPECT_EQ(errc_of(bed.runtime.run(stream(model, question(), broken.context())).error), Errc::transient);
  const UsageMeter late;
  EXPECT_EQ(errc_of(bed.runtime.run(stream(model, question(), late.context().with_timeout(100ms))).error),
            Errc::timeout);
  const UsageMeter gone;
  AsyncStream<std::string> pieces(1);
  EXPECT_THROW(bed.runtime.run(read_one_piece(model, &pieces, gone.context())), Error);
  for (const UsageMeter* meter : {&broken, &late, &gone}) {
    const UsageRow total = meter->report().total(EventKind::chat);
    EXPECT_EQ(total.failures, 1u);
    EXPECT_EQ(total.reported, 1u);
    EXPECT_EQ(total.input, 9u);
    EXPECT_GE(total.output, 1u);
  }
  EXPECT_EQ(late.report().total(EventKind::chat).output, 3u);
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

TEST(RemoteChatModel, ASchemaIsSentInTheServersWayAndTheReplyIsChecked) {
  json sent;
  std::string content = R"({"answer":"yes","score":3})";
  const auto handler = [&](const ServerRequest& request) {
    sent = json::parse(request.body);
    json reply = json::parse(kReply);
    reply["choices"][0]["message"]["content"] = content;
    return ServerReply::text(200, reply.dump());
  };
  ChatRequest request = question();
  request.schema.emplace("result",
                         R"({"type":"object","properties":{"answer":{"type":"string"},"score":{"type":"integer",
    "minimum":1}},"required":["answer"],"additionalProperties":false})");
  RemoteBed openai(handler);
  EXPECT_EQ(openai.runtime.run(openai.chat_model()->chat(request)).text, content);
  EXPECT_EQ(sent["response_format"]["json_schema"]["name"], "result");
  EXPECT_EQ(sent["response_format"]["json_schema"]["strict"], true);
  RemoteBed llama(handler, "llama.cpp");
  EXPECT_EQ(llama.runtime.run(llama.chat_model()->chat(request)).text, content);
  EXPECT_EQ(sent["response_format"]["schema"]["type"], "object");
  RemoteBed deepseek(handler, "deepseek");
  EXPECT_EQ(deepseek.runtime.run(deepseek.chat_model()->chat(request)).text, content);
  EXPECT_EQ(sent["messages"][0]["role"], "system");
  RemoteBed lightllm(handler, "lightllm");
  EXPECT_EQ(error_of([&] { lightllm.runtime.run(lightllm.chat_model()->chat(request)); }).errc(), Errc::unsupported);
  for (const char* wrong : {"", "no", "{}", R"({"answer":1})", R"({"answer":"a","score":0})", R"({"answer":"a","b":1})",
                            R"({"answer":"a"} x)"}) {
    content = wrong;
    EXPECT_EQ(error_of([&] { openai.runtime.run(openai.chat_model()->chat(request)); }).errc(), Errc::rejected)
        << wrong;
  }
  request.schema->json = R"({"type":"string","pattern":"(?=a)a+"})";
  EXPECT_EQ(error_of([&] { openai.runtime.run(openai.chat_model()->chat(request)); }).errc(), Errc::unsupported);
}

// N8
TEST(RemoteChatModel, ASchemaIsRefusedWhereItsKeywordsMakeNoSense) {
  RemoteBed bed([](const ServerRequest&) { return ServerReply::text(200, kReply); });
  const auto model = bed.chat_model();
  ChatRequest request = question();
  const auto code = [&](const std::string& schema) {
    request.schema = ReplySchema("result", schema);
    return error_of([&] { bed.runtime.run(model->chat(request)); }).errc();
  };
  for (const char* schema :
       {R"({"type":5})", R"({"type":[1]})", R"({"required":"a"})", R"({"required":[1]})", R"({"properties":[]})",
        R"({"properties":{"a":1}})", R"({"items":[]})", R"({"anyOf":{}})", R"({"enum":1})", R"({"minLength":-1})",
        R"({"maximum":"1"})", R"({"multipleOf":0})", R"({"uniqueItems":1})",
        R"({"$ref":"#/enum/0","enum":[{"type":5}]})", R"({"$ref":"#/title","title":"no schema"})", "[]", "{"})
    EXPECT_EQ(code(schema), Errc::invalid_argument) << schema;
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += R"({"not":)";
  EXPECT_EQ(code(deep + "{}" + std::string(100'000, '}')), Errc::invalid_argument);
  EXPECT_EQ(bed.server.requests(), 0u) << "nothing is paid for what cannot be checked";
}

// N8: alternatives that refer to each other would take longer than anyone waits.
TEST(RemoteChatModel, AReplyIsCheckedInBoundedTime) {
  RemoteBed bed([](const ServerRequest&) {
    json reply = json::parse(kReply);
    reply["choices"][0]["message"]["content"] = "[1]";
    return ServerReply::text(200, reply.dump());
  });
  ChatRequest request = question();
  request.schema.emplace("result", R"({"anyOf":[{"$ref":"#"},{"$ref":"#"}]})");
  EXPECT_EQ(error_of([&] { bed.runtime.run(bed.chat_model()->chat(request)); }).errc(), Errc::limit_exceeded);
}

TEST(RemoteChatModel, APatternOfASchemaIsCheckedInLinearTime) {
  std::string content;
  RemoteBed bed([&](const ServerRequest&) {
    json reply = json::parse(kReply);
    reply["choices"][0]["message"]["content"] = content;
    return ServerReply::text(200, reply.dump());
  });
  ChatRequest request = question();
  request.schema.emplace("result", R"({"type":"object","properties":{"date":{"type":"string",
    "pattern":"^[0-9]{4}-[0-9]{2}$"},"text":{"pattern":"动量|momentum"},"many":{"pattern":"^(a+)+$"}}})");
  const auto code = [&](const std::string& reply) {
    content = reply;
    try {
      bed.runtime.run(bed.chat_model()->chat(request));
      return std::string("ok");
    } catch (const Error& error) {
      return std::string(name_of(error.errc()));
    }
  };
  EXPECT_EQ(code(R"({"date":"2024-05","text":"the momentum of it"})"), "ok") << "a pattern may match anywhere";
  EXPECT_EQ(code(R"({"text":"动量法","date":"1999-12"})"), "ok");
  EXPECT_EQ(code(R"({"date":"2024-5"})"), "rejected");
  EXPECT_EQ(code(R"({"text":"gradient"})"), "rejected");
  EXPECT_EQ(code(R"({"text":7})"), "ok") << "a pattern says nothing of numbers";
  EXPECT_EQ(code(R"({"many":")" + std::string(50'000, 'a') + R"(b"})"), "rejected");
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

// C1, N1: at whatever point a stream is given up, the connection is closed and nothing stays behind.
TEST(RemoteChatModel, StreamsCancelledAnywhereLeaveNothing) {
  RemoteBed bed([](const ServerRequest&) {
    ServerReply reply = ServerReply::event_stream();
    for (int i = 0; i < 20; ++i) reply.event(delta("token")).pause(1ms);
    return reply.hang();
  });
  const auto model = bed.chat_model();
  std::mt19937 random(1);
  for (std::size_t round = 0; round < test::rounds(10); ++round) {
    std::vector<Task<Streamed>> calls;
    for (int i = 0; i < 20; ++i)
      calls.push_back(with_timeout(stream(model, question()), std::chrono::microseconds(random() % 20'000)));
    bed.runtime.run(gather_outcomes(std::move(calls)));
  }
  EXPECT_TRUE(bed.server.wait_for_no_connection());
  EXPECT_EQ(bed.runtime.operations(), 0u);
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

}  // namespace
}  // namespace ragstone
