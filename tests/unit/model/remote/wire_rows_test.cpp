#include "support/http/model_servers.hpp"
#include "unit/model/remote/chat_replies.hpp"
#include "unit/model/remote/remote_bed.hpp"
#include <ragstone/model/usage_meter.hpp>

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

/// The rows of the wire tables: each server as it is, behind its own profile.
namespace ragstone {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::error_of;
using test::question;
using test::RemoteBed;
using test::reply_of_provider;
using test::ServerReply;
using test::ServerRequest;
using test::stream;
using test::Streamed;

/// The URL `path` of `base`, on the scripted server.
std::string moved(const test::ScriptedServer& server, const std::string& base) {
  const std::size_t path = base.find('/', base.find("://") + 3);
  return server.url(path == base.npos ? "" : base.substr(path));
}

/// A provider's server under its profile's own paths. Nothing is tried twice.
class ProviderBed : public RemoteBed {
 public:
  explicit ProviderBed(const std::string& provider)
      : RemoteBed([provider](const ServerRequest& request) { return reply_of_provider(provider, request); }, provider) {
    place();
    options.retry.max_retries = 0;
  }

  void place() {
    options.base_url = moved(server, options.profile.base_url);
    if (!options.profile.rerank_base_url.empty())
      options.profile.rerank_base_url = moved(server, options.profile.rerank_base_url);
  }

  std::shared_ptr<ChatModel> chat() { return chat_model("ep-20260101"); }
};

class WireRows : public testing::TestWithParam<std::string> {};

// HT-4
TEST_P(WireRows, ChatIsUnderstoodWholeStreamedAndWithASchema) {
  ProviderBed bed(GetParam());
  if (bed.options.profile.chat_path.empty()) {
    EXPECT_EQ(error_of([&] { bed.chat(); }).errc(), Errc::unsupported);
    return;
  }
  const auto model = bed.chat();
  ChatRequest request = question();
  request.temperature = 0.5;
  request.top_p = 0.9;
  const ChatReply whole = bed.runtime.run(model->chat(request));
  AsyncStream<std::string> pieces(100);
  const ChatReply streamed = bed.runtime.run(model->chat_stream(request, pieces.producer()));
  for (const ChatReply& reply : {whole, streamed}) {
    EXPECT_EQ(reply.text, "你好 there");
    EXPECT_EQ(reply.finish, FinishReason::stop);
    EXPECT_EQ(reply.model, GetParam() + "-model");
    EXPECT_EQ(reply.id, "c-1");
  }
  EXPECT_EQ(whole.usage.input, 9u) << "llama.cpp's timings count what was not in its cache";
  EXPECT_EQ(whole.usage.output, 4u);
  const std::set<std::string> thinking = {"deepseek", "llama.cpp", "lmdeploy", "ollama", "vllm"};
  const bool thinks = thinking.contains(GetParam());
  EXPECT_EQ(whole.reasoning, thinks ? "hm" : "");
  EXPECT_EQ(streamed.reasoning, whole.reasoning);
  if (GetParam() == "lightllm") {
    EXPECT_EQ(streamed.usage.source(), UsageSource::missing) << "it tells no usage of a stream";
  } else {
    EXPECT_EQ(streamed.usage, whole.usage);
  }
  request.schema.emplace("result", R"({"type":"object","properties":{"answer":{"type":"string"}}})");
  if (bed.options.profile.schema == SchemaStyle::none) {
    EXPECT_EQ(error_of([&] { bed.runtime.run(model->chat(request)); }).errc(), Errc::unsupported);
  } else {
    EXPECT_EQ(bed.runtime.run(model->chat(request)).text, R"({"answer":"yes"})");
  }
}

// HT-1, HT-2, HT-4
TEST_P(WireRows, EmbeddingsComeWithinTheServersLimits) {
  ProviderBed bed(GetParam());
  if (bed.options.profile.embeddings_path.empty()) {
    EXPECT_EQ(error_of([&] { bed.embedder(2); }).errc(), Errc::unsupported);
    return;
  }
  std::vector<std::string> texts;
  for (std::size_t i = 1; i <= 2'100; ++i) texts.push_back(std::string(i % 90 + 1, 'x') + std::to_string(i));
  const Embeddings embeddings = bed.runtime.run(bed.embedder(2)->embed(texts, EmbedRole::document));
  ASSERT_EQ(embeddings.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i)
    ASSERT_EQ(embeddings.row(i)[0], static_cast<float>(texts[i].size())) << i;
  EXPECT_EQ(embeddings.usage.input, texts.size());
  // TEI's body limit: these are few, but 3 MB.
  const std::vector<std::string> large = {std::string(1'000'000, 'a'), std::string(1'000'000, 'b'),
                                          std::string(1'000'000, 'c')};
  EXPECT_EQ(bed.runtime.run(bed.embedder(2)->embed(large, EmbedRole::document)).size(), 3u);
  // OpenAI's limit of tokens a request: these are 600,000.
  std::vector<std::string> chinese;
  for (int i = 0; i < 2'000; ++i) {
    chinese.push_back(std::to_string(i));
    for (int n = 0; n < 200; ++n) chinese.back() += "字";
  }
  const std::size_t before = bed.server.requests();
  EXPECT_EQ(bed.runtime.run(bed.embedder(2)->embed(chinese, EmbedRole::document)).size(), 2'000u);
  if (GetParam() == "openai") {
    EXPECT_EQ(bed.server.requests() - before, 3u) << "and none was refused";
  }
}

// HT-4
TEST_P(WireRows, RerankingComesWithinTheServersLimits) {
  ProviderBed bed(GetParam());
  if (bed.options.profile.rerank == RerankDialect::none) {
    EXPECT_EQ(error_of([&] { bed.reranker(); }).errc(), Errc::unsupported);
    return;
  }
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 1'100; ++i) texts.push_back(std::string(100 + i * 37 % 1'100, 'x'));
  const UsageMeter meter;
  const auto best = bed.runtime.run(bed.reranker()->rerank("问题", texts, 3, meter.context()));
  ASSERT_EQ(best.size(), 3u);
  for (std::size_t rank = 0; rank < 3; ++rank) EXPECT_EQ(texts[best[rank].index].size(), 1'199 - rank);
  const UsageRow total = meter.report().total(EventKind::rerank);
  EXPECT_EQ(total.requests, 1u) << "one call, however many requests it takes";
  if (GetParam() == "cohere") {
    EXPECT_EQ(total.searches, 1u);
    EXPECT_EQ(total.input, 0u);
  } else if (GetParam() != "tei" && GetParam() != "dashscope") {
    EXPECT_EQ(total.input, 11u);
  }
}

INSTANTIATE_TEST_SUITE_P(, WireRows, testing::ValuesIn(provider_profile_names()), [](const auto& instance) {
  std::string name = instance.param;
  std::erase(name, '.');
  return name;
});

// HT-4: thirty thousand tokens in all, which a server that counts fewer than the client still refuses to exceed.
TEST(WireRow, DashScopeRerankingIsAskedForInPartsByTokens) {
  ProviderBed bed("dashscope");
  const std::vector<std::string> texts(60, std::string(9'000, 'x'));
  EXPECT_EQ(bed.runtime.run(bed.reranker()->rerank("q", texts, 60)).size(), 60u);
  EXPECT_EQ(bed.server.requests(), 7u) << "nine to a request";
  const std::vector<std::string> chinese(60, std::string(9'000, 'x') + "中文");
  bed.options.profile.max_rerank_tokens = 0;
  EXPECT_EQ(error_of([&] { bed.runtime.run(bed.reranker()->rerank("q", chinese, 60)); }).errc(), Errc::rejected);
}

// HT-4
TEST(WireRow, VllmsScoreRouteIsNotSorted) {
  ProviderBed bed("vllm");
  bed.options.profile.rerank = RerankDialect::vllm_score;
  bed.options.profile.rerank_path = "/score";
  const auto best = bed.runtime.run(bed.reranker()->rerank("q", {"bb", "a", "cccc"}, 2));
  ASSERT_EQ(best.size(), 2u);
  EXPECT_EQ(best[0].index, 2u);
  EXPECT_EQ(best[1].index, 0u);
}

// HT-4: the price of a search is the only one that Cohere has for reranking.
TEST(WireRow, CohereIsPaidBySearches) {
  ProviderBed bed("cohere");
  UsageMeterOptions options;
  options.prices =
      std::make_shared<const PriceTable>(parse_prices(R"({"models": {"test-reranker": {"searches": 2}}})"));
  const UsageMeter meter(CallContext(), options);
  for (int i = 0; i < 3; ++i) bed.runtime.run(bed.reranker()->rerank("q", {"a", "b"}, 1, meter.context()));
  EXPECT_DOUBLE_EQ(meter.report().costs().at("USD"), 0.006);
}

std::string ended_by(const std::string& reason) {
  return json{{"choices", {{{"message", {{"content", "half a"}}}, {"finish_reason", reason}}}},
              {"usage", {{"prompt_tokens", 9}, {"completion_tokens", 2}}}}
      .dump();
}

// HT-4: an open set of reasons; those of LMDeploy and DeepSeek for a reply that broke off are errors.
TEST(WireRow, FinishReasonsAreAnOpenSet) {
  std::string reason;
  RemoteBed bed([&](const ServerRequest& request) {
    if (!json::parse(request.body).value("stream", false)) return ServerReply::text(200, ended_by(reason));
    json end = json::parse(ended_by(reason));
    end["choices"][0]["delta"] = end["choices"][0]["message"];
    end.erase("usage");
    return ServerReply::event_stream()
        .event(end.dump())
        .event(R"({"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}})")
        .event("[DONE]")
        .end_of_chunks();
  });
  bed.options.retry.max_retries = 0;
  const auto model = bed.chat_model();
  const std::vector<std::pair<const char*, FinishReason>> known = {{"stop", FinishReason::stop},
                                                                   {"length", FinishReason::length},
                                                                   {"content_filter", FinishReason::content_filter},
                                                                   {"tool_calls", FinishReason::other},
                                                                   {"parse_error", FinishReason::other},
                                                                   {"never heard of", FinishReason::other}};
  for (const auto& [name, finish] : known) {
    reason = name;
    EXPECT_EQ(bed.runtime.run(model->chat(question())).finish, finish) << name;
  }
  for (const char* name : {"error", "abort", "insufficient_system_resource"}) {
    reason = name;
    for (const bool streamed : {false, true}) {
      const UsageMeter meter;
      const Error error = error_of([&] {
        AsyncStream<std::string> pieces(100);
        auto call = streamed ? model->chat_stream(question(), pieces.producer(), meter.context())
                             : model->chat(question(), meter.context());
        bed.runtime.run(std::move(call));
      });
      EXPECT_EQ(error.errc(), Errc::transient) << name;
      EXPECT_NE(std::string(error.what()).find(reason), std::string::npos) << error.what();
      EXPECT_EQ(meter.report().total(EventKind::chat).output, 2u) << "it was paid for";
    }
  }
}

class StatusRow {
 public:
  const char* provider;
  int status;
  const char* body;
  Errc code;
  std::size_t requests;
};

// HT-4, RT-1: what each server means by its status, and whether it is worth another attempt.
TEST(WireRow, StatusesAreRepeatedOnlyWhereThatMayHelp) {
  const std::vector<StatusRow> rows = {
      {"tei", 429, R"({"error":"Model is overloaded","error_type":"Overloaded"})", Errc::transient, 3},
      {"tei", 424, R"({"error":"Backend failed","error_type":"Backend"})", Errc::rejected, 1},
      {"tei", 503, R"({"error":"unhealthy","error_type":"Unhealthy"})", Errc::transient, 3},
      {"tei", 422, R"({"error":"`inputs` is empty","error_type":"Empty"})", Errc::rejected, 1},
      {"lmdeploy", 400, R"({"object":"error","message":"no such model","code":400})", Errc::rejected, 1},
      {"vllm", 404, R"({"error":{"message":"no such model","type":"NotFoundError","code":404}})", Errc::not_found, 1},
      {"openai", 408, R"({"error":{"message":"slow"}})", Errc::transient, 3},
      {"openai", 409, R"({"error":{"message":"lock"}})", Errc::transient, 3},
      {"openai", 500, R"({"error":{"message":"oops"}})", Errc::transient, 3},
      {"openai", 401, R"({"error":{"message":"no key","code":"invalid_api_key"}})", Errc::unauthorized, 1},
  };
  for (const StatusRow& row : rows) {
    RemoteBed bed([&](const ServerRequest&) { return ServerReply::text(row.status, row.body); }, row.provider);
    const Error error =
        error_of([&] { bed.runtime.run(bed.embedder(2)->embed({std::string("a")}, EmbedRole::query)); });
    EXPECT_EQ(error.errc(), row.code) << row.provider << ' ' << row.status << ": " << error.what();
    EXPECT_EQ(bed.server.requests(), row.requests) << row.provider << ' ' << row.status;
    const json said = json::parse(row.body);
    const json& what = said.contains("message") ? said["message"] : said["error"];
    const std::string text = what.is_object() ? what["message"].get<std::string>() : what.get<std::string>();
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
  }
}

// HT-4: LightLLM answers 503 while it is busy and 417 to anything that it does not like.
TEST(WireRow, LightLlmIsAskedAgainWhenBusyAndNotWhenItRefuses) {
  RemoteBed bed(
      [](const ServerRequest& request) {
        if (request.number == 1) return ServerReply::text(503, R"({"message":"The server is busy"})");
        if (request.number == 2) return reply_of_provider("lightllm", request);
        return ServerReply::text(417, R"({"message":"the input prompt token len 9000 is too long"})");
      },
      "lightllm");
  EXPECT_EQ(bed.runtime.run(bed.chat_model()->chat(question())).text, "你好 there");
  EXPECT_EQ(bed.server.requests(), 2u);
  const Error error = error_of([&] { bed.runtime.run(bed.chat_model()->chat(question())); });
  EXPECT_EQ(error.errc(), Errc::rejected);
  EXPECT_NE(std::string(error.what()).find("too long"), std::string::npos);
  EXPECT_EQ(bed.server.requests(), 3u);
}

// HT-4
TEST(WireRow, LlamaCppIsWaitedForWhileItLoads) {
  RemoteBed bed(
      [](const ServerRequest& request) {
        return request.number <= 2
                   ? ServerReply::text(503,
                                       R"({"error":{"message":"Loading model","type":"unavailable_error","code":503}})")
                   : reply_of_provider("llama.cpp", request);
      },
      "llama.cpp");
  EXPECT_EQ(bed.runtime.run(bed.chat_model()->chat(question())).text, "你好 there");
  EXPECT_EQ(bed.server.requests(), 3u);
}

// HT-4: what a model refuses to say is told, and is no answer.
TEST(WireRow, ARefusalIsToldAsFiltered) {
  RemoteBed bed([](const ServerRequest&) {
    return ServerReply::text(
        200, R"({"choices":[{"message":{"content":null,"refusal":"I cannot"},"finish_reason":"stop"}]})");
  });
  const ChatReply reply = bed.runtime.run(bed.chat_model()->chat(question()));
  EXPECT_EQ(reply.text, "I cannot");
  EXPECT_EQ(reply.finish, FinishReason::content_filter);
}

// HT-4, CA-2: the same of a stream, whose last chunk names another reason.
TEST(WireRow, AStreamedRefusalIsToldAsFiltered) {
  RemoteBed bed([](const ServerRequest&) {
    ServerReply reply = ServerReply::event_stream();
    reply.event(R"({"choices":[{"delta":{"refusal":"I can"},"finish_reason":null}]})");
    reply.event(R"({"choices":[{"delta":{"refusal":"not"},"finish_reason":null}]})");
    reply.event(R"({"choices":[{"delta":{},"finish_reason":"stop"}]})");
    return reply.event("[DONE]").end_of_chunks();
  });
  const Streamed streamed = bed.runtime.run(stream(bed.chat_model(), question()));
  EXPECT_FALSE(streamed.error);
  EXPECT_EQ(streamed.reply.text, "I cannot");
  EXPECT_EQ(streamed.reply.finish, FinishReason::content_filter);
}

// N2: servers that give "" for the reason until there is one.
TEST(WireRow, AnEmptyReasonIsNoEnd) {
  bool is_cut = false;
  RemoteBed bed([&](const ServerRequest&) {
    ServerReply reply = ServerReply::event_stream();
    reply.event(R"({"choices":[{"delta":{"content":"你"},"finish_reason":""}]})");
    reply.event(R"({"choices":[{"delta":{"content":"好"},"finish_reason":"null"}]})");
    if (is_cut) return reply.end_of_chunks();
    return reply.event(R"({"choices":[{"delta":{"content":""},"finish_reason":"stop"}]})").end_of_chunks();
  });
  const auto model = bed.chat_model();
  EXPECT_EQ(bed.runtime.run(stream(model, question())).reply.text, "你好");
  is_cut = true;
  const Streamed cut = bed.runtime.run(stream(model, question()));
  ASSERT_TRUE(cut.error);
  EXPECT_EQ(errc_of(cut.error), Errc::transient);
}

// HT-4: the limits of the tables, as data.
TEST(WireRow, ProfilesHoldTheLimitsOfTheirServers) {
  EXPECT_EQ(provider_profile("openai").max_batch, 2'048u);
  EXPECT_EQ(provider_profile("openai").max_request_tokens, 300'000u);
  EXPECT_EQ(provider_profile("openai").max_tokens_field, "max_completion_tokens");
  EXPECT_EQ(provider_profile("tei").max_batch, 32u);
  EXPECT_EQ(provider_profile("tei").max_request_bytes, 2'097'152u);
  EXPECT_EQ(provider_profile("dashscope").max_batch, 10u);
  EXPECT_EQ(provider_profile("dashscope").max_documents, 500u);
  EXPECT_EQ(provider_profile("dashscope").max_rerank_tokens, 30'000u);
  EXPECT_EQ(provider_profile("cohere").max_documents, 10'000u);
  for (const char* name : {"dashscope", "ark"}) EXPECT_FALSE(provider_profile(name).base64) << name;
}

// HT-4: at most 300,000 tokens in a request to OpenAI, whatever their language.
TEST(WireRow, RequestsToOpenAiStayWithinTheirTokens) {
  std::size_t most = 0;
  RemoteBed bed([&](const ServerRequest& request) {
    std::size_t tokens = 0;  // 1.5 an ideograph
    const json body = json::parse(request.body);
    for (const json& text : body.at("input")) tokens += text.get<std::string>().size() / 2;
    most = std::max(most, tokens);
    return reply_of_provider("openai", request);
  });
  std::vector<std::string> texts;
  for (int i = 0; i < 1'000; ++i) {
    std::string text = std::to_string(i);
    for (int n = 0; n < 400; ++n) text += "字";
    texts.push_back(std::move(text));
  }
  EXPECT_EQ(bed.runtime.run(bed.embedder(2)->embed(texts, EmbedRole::document)).size(), 1'000u);
  EXPECT_LE(most, 300'000u);
  EXPECT_EQ(bed.server.requests(), 3u);
}

}  // namespace
}  // namespace ragstone
