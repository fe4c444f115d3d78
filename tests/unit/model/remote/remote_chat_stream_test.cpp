#include "support/process_use.hpp"
#include "support/rounds.hpp"
#include "unit/model/remote/chat_replies.hpp"
#include "unit/model/remote/remote_bed.hpp"
#include <ragstone/async/deadline.hpp>
#include <ragstone/model/usage_meter.hpp>
#include <ragstone/text/utf8.hpp>

#include <chrono>
#include <random>
#include <vector>

#include <nlohmann/json.hpp>

namespace ragstone {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::delta;
using test::joined;
using test::kFinish;
using test::kUsage;
using test::question;
using test::RemoteBed;
using test::ServerReply;
using test::ServerRequest;
using test::stream;
using test::Streamed;

// TK-2, HT-4
TEST(RemoteChatStream, StreamsPiecesAndKeepsTheLastUsage) {
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

class ThinkCase {
 public:
  std::string content;
  std::string finish;
  std::string text;
  std::string reasoning;
};

const std::vector<ThinkCase>& think_cases() {
  static const std::vector<ThinkCase> cases = {
      {"<think>\nLet me see.\n</think>\n\nForty-two.", "stop", "Forty-two.", "\nLet me see.\n"},
      {"\n<think>让我想想</think>四十二。", "stop", "四十二。", "让我想想"},
      {"<think></think>四十二", "stop", "四十二", ""},
      {"<think>a < b </ think </thin</think>c < d </think>", "stop", "c < d </think>", "a < b </ think </thin"},
      {"<think>还没想完", "length", "", "还没想完"},
      {"<think> is how it begins", "stop", "<think> is how it begins", ""},
      {"<thin", "stop", "<thin", ""},
      {" <b>四十二</b> <think>x</think>", "stop", " <b>四十二</b> <think>x</think>", ""},
      {"四十二", "stop", "四十二", ""},
  };
  return cases;
}

json finish_of(const std::string& reason) {
  json chunk;
  chunk["choices"][0]["delta"] = json::object();
  chunk["choices"][0]["finish_reason"] = reason;
  return chunk;
}

TEST(RemoteChatStream, ABlockOfThoughtsIsNoPartOfTheTextWhereverItIsCut) {
  ThinkCase now;
  std::size_t cut = 0;
  RemoteBed bed([&](const ServerRequest&) {
    return ServerReply::event_stream()
        .event(delta(now.content.substr(0, cut)))
        .event(delta(now.content.substr(cut)))
        .event(finish_of(now.finish).dump())
        .event("[DONE]")
        .end_of_chunks();
  });
  for (const ThinkCase& one : think_cases()) {
    now = one;
    for (cut = 0; cut <= one.content.size(); ++cut) {
      if (!utf8::is_boundary(one.content, cut)) continue;
      const Streamed streamed = bed.runtime.run(stream(bed.chat_model(), question()));
      EXPECT_FALSE(streamed.error);
      EXPECT_EQ(streamed.reply.text, one.text) << one.content << " cut at " << cut;
      EXPECT_EQ(streamed.reply.reasoning, one.reasoning) << one.content << " cut at " << cut;
      EXPECT_EQ(joined(streamed.pieces), one.text);
    }
  }
}

TEST(RemoteChatStream, ABlockOfThoughtsIsNoPartOfAWholeReply) {
  ThinkCase now;
  RemoteBed bed([&](const ServerRequest&) {
    json reply;
    reply["choices"][0]["message"]["content"] = now.content;
    reply["choices"][0]["finish_reason"] = now.finish;
    return ServerReply::text(200, reply.dump());
  });
  for (const ThinkCase& one : think_cases()) {
    now = one;
    const ChatReply reply = bed.runtime.run(bed.chat_model()->chat(question()));
    EXPECT_EQ(reply.text, one.text);
    EXPECT_EQ(reply.reasoning, one.reasoning);
  }
  now = think_cases().front();
  bed.options.profile = provider_profile_from_json(R"({"like": "openai", "think_tags": false})");
  EXPECT_EQ(bed.runtime.run(bed.chat_model()->chat(question())).text, now.content);
}

// A server that takes the thoughts out has a text as it is.
TEST(RemoteChatStream, ATextWithReasoningBesideItHasNoBlock) {
  const std::string text = "<think>is a tag</think>";
  RemoteBed bed([&](const ServerRequest&) {
    return ServerReply::event_stream()
        .event(R"({"choices":[{"delta":{"reasoning":"hm"}}]})")
        .event(delta(text))
        .event(kFinish)
        .event("[DONE]")
        .end_of_chunks();
  });
  const Streamed streamed = bed.runtime.run(stream(bed.chat_model(), question()));
  EXPECT_EQ(joined(streamed.pieces), text);
  EXPECT_EQ(streamed.reply.reasoning, "hm");
}

// AS-1
TEST(RemoteChatStream, ALargeEventIsReadOnThePool) {
  std::string text;
  while (text.size() < (1u << 20)) text += "很长的一段 a long piece ";
  RemoteBed bed([&](const ServerRequest&) {
    return ServerReply::event_stream()
        .event(delta("你"))
        .event(delta(text))
        .event(delta("好"))
        .event(kFinish)
        .event(kUsage)
        .event("[DONE]")
        .end_of_chunks();
  });
  const auto model = bed.chat_model();
  const std::uint64_t before = bed.runtime.pool().stats(Lane::foreground).finished;
  const Streamed streamed = bed.runtime.run(stream(model, question()));
  EXPECT_EQ(bed.runtime.pool().stats(Lane::foreground).finished - before, 1u);
  EXPECT_FALSE(streamed.error);
  EXPECT_EQ(streamed.pieces, (std::vector<std::string>{"你", text, "好"}));
  EXPECT_EQ(streamed.reply.text, "你" + text + "好");
  EXPECT_EQ(streamed.reply.usage.total, 7u);
}

TEST(RemoteChatStream, ALargeEventThatIsNoJsonIsToldAsASmallOneIs) {
  const std::string text(1u << 20, 'x');
  RemoteBed bed(
      [&](const ServerRequest&) { return ServerReply::event_stream().event(delta("你")).event(text).end_of_chunks(); });
  const Streamed streamed = bed.runtime.run(stream(bed.chat_model(), question()));
  ASSERT_TRUE(streamed.error);
  EXPECT_EQ(errc_of(streamed.error), Errc::transient);
  EXPECT_EQ(streamed.pieces, std::vector<std::string>{"你"});
}

// N2, TK-3
TEST(RemoteChatStream, AStreamThatIsCutAnywhereIsNeverCalledComplete) {
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

// N7: LMDeploy sends an error inside a reply of status 200, and then [DONE].
TEST(RemoteChatStream, AnErrorInsideAStreamFailsTheCall) {
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

// N1: a model may think for long between the first sign of life and its first token, and not afterwards.
TEST(RemoteChatStream, TheFirstTokenHasALimitOfItsOwn) {
  const std::string role = R"({"choices":[{"delta":{"role":"assistant","content":""}}]})";
  RemoteBed bed([&](const ServerRequest& request) {
    ServerReply reply = ServerReply::event_stream().event(role);
    if (request.number == 3) return reply.hang();
    reply.pause(300ms).chunk(": keep-alive\n\n").event(delta("想好了"));
    if (request.number == 2) return reply.hang();
    return reply.event(kFinish).event("[DONE]").end_of_chunks();
  });
  bed.options.http.idle_timeout = 100ms;
  bed.options.retry.max_retries = 0;
  EXPECT_EQ(bed.runtime.run(stream(bed.chat_model(), question())).reply.text, "想好了");
  const Streamed stalled = bed.runtime.run(stream(bed.chat_model(), question()));
  ASSERT_TRUE(stalled.error);
  EXPECT_EQ(joined(stalled.pieces), "想好了");
  EXPECT_NE(message_of(stalled.error).find("idle_timeout"), std::string::npos) << message_of(stalled.error);
  bed.options.http.idle_timeout = 1h;
  bed.options.first_token_timeout = 60ms;
  EXPECT_EQ(errc_of(bed.runtime.run(stream(bed.chat_model(), question())).error), Errc::transient);
}

// HT-4: some servers stream nothing, whatever they are asked for.
TEST(RemoteChatStream, AWholeReplyIsOnePieceOfAStream) {
  RemoteBed bed([](const ServerRequest& request) {
    if (request.number == 2) return ServerReply::text(200, R"({"error":{"message":"no streams here"}})");
    if (request.number == 3) return ServerReply::text(200, "<html>", {}, "text/html");
    return ServerReply::text(200, test::kReply);
  });
  bed.options.retry.max_retries = 0;
  const auto model = bed.chat_model();
  const Streamed streamed = bed.runtime.run(stream(model, question()));
  EXPECT_FALSE(streamed.error);
  EXPECT_EQ(streamed.pieces, std::vector<std::string>{"你好 there"});
  EXPECT_EQ(streamed.reply.text, "你好 there");
  EXPECT_EQ(streamed.reply.usage.output, 4u);
  const Streamed refused = bed.runtime.run(stream(model, question()));
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(errc_of(refused.error), Errc::rejected);
  EXPECT_NE(message_of(refused.error).find("no streams here"), std::string::npos);
  const Streamed page = bed.runtime.run(stream(model, question()));
  ASSERT_TRUE(page.error);
  EXPECT_NE(message_of(page.error).find("text/html"), std::string::npos) << message_of(page.error);
}

TEST(RemoteChatStream, AStreamIsAskedForAgainOnlyBeforeItsFirstPiece) {
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

// N2
TEST(RemoteChatStream, AnErrorWithinAStreamIsOneInEveryShape) {
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
TEST(RemoteChatStream, AStreamThatIsNotReadToItsEndCountsWhatItsServerHasTold) {
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
  // Longer and longer, until what the server tells arrives before the deadline.
  std::optional<UsageMeter> late;
  for (std::chrono::milliseconds time(250); !late || late->report().total(EventKind::chat).output != 3u; time *= 4) {
    ASSERT_LT(time, 1h);
    late.emplace();
    EXPECT_EQ(errc_of(bed.runtime.run(stream(model, question(), late->context().with_timeout(time))).error),
              Errc::timeout);
  }
  const UsageMeter gone;
  AsyncStream<std::string> pieces(1);
  EXPECT_THROW(bed.runtime.run(read_one_piece(model, &pieces, gone.context())), Error);
  for (const UsageMeter* meter : {&broken, static_cast<const UsageMeter*>(&*late), &gone}) {
    const UsageRow total = meter->report().total(EventKind::chat);
    EXPECT_EQ(total.failures, 1u);
    EXPECT_EQ(total.reported, 1u);
    EXPECT_EQ(total.input, 9u);
    EXPECT_GE(total.output, 1u);
  }
}

// C1, N1: at whatever point a stream is given up, the connection is closed and nothing stays behind.
TEST(RemoteChatStream, StreamsCancelledAnywhereLeaveNothing) {
  RemoteBed bed([](const ServerRequest&) {
    ServerReply reply = ServerReply::event_stream();
    for (int i = 0; i < 20; ++i) reply.event(delta("token")).pause(1ms);
    return reply.hang();
  });
  const auto model = bed.chat_model();
  std::mt19937 random(1);
  const auto cancel_streams = [&](std::size_t rounds) {
    for (std::size_t round = 0; round < rounds; ++round) {
      std::vector<Task<Streamed>> calls;
      for (int i = 0; i < 50; ++i)
        calls.push_back(with_timeout(stream(model, question()), std::chrono::microseconds(random() % 20'000)));
      bed.runtime.run(gather_outcomes(std::move(calls)));
    }
    EXPECT_TRUE(bed.server.wait_for_no_connection());
    EXPECT_EQ(bed.runtime.operations(), 0u);
  };
  cancel_streams(10);  // what is kept for later streams is there afterwards
  const std::size_t descriptors = test::open_descriptors();
  const test::PeakMemory memory;
  cancel_streams(test::rounds(20));
  EXPECT_EQ(test::open_descriptors(), descriptors);
  // A thousand streams that left a buffer of 16 KiB each would take four times that.
  if (test::PeakMemory::counts()) {
    EXPECT_LT(memory.bytes(), 4u << 20);
  }
}

}  // namespace
}  // namespace ragstone
