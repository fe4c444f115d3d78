#include "support/http/model_servers.hpp"
#include "unit/model/remote/chat_replies.hpp"
#include "unit/model/remote/remote_bed.hpp"

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

/// What only some servers of the wire tables can be told.
namespace ragstone {
namespace {

using nlohmann::json;
using test::error_of;
using test::kReply;
using test::question;
using test::RemoteBed;
using test::reply_of_provider;
using test::ServerReply;
using test::ServerRequest;
using test::stream;

/// A server of a provider, and the body of the last request.
class OptionsBed : public RemoteBed {
 public:
  explicit OptionsBed(const std::string& provider)
      : RemoteBed(
            [this, provider](const ServerRequest& request) {
              sent = json::parse(request.body);
              return reply_of_provider(provider, request);
            },
            provider) {
    const std::string& base =
        options.profile.rerank_base_url.empty() ? options.profile.base_url : options.profile.rerank_base_url;
    const std::size_t path = base.find('/', base.find("://") + 3);
    options.base_url = server.url(path == base.npos ? "" : base.substr(path));
    options.profile.rerank_base_url.clear();
    options.retry.max_retries = 0;
  }

  /// The scores of three texts.
  std::vector<double> scores(RemoteRerankerOptions reranker_options) {
    const std::vector<std::string> texts = {std::string(40, 'x'), std::string(30, 'x'), std::string(20, 'x')};
    std::vector<double> all;
    for (const RankedText& text : runtime.run(reranker(std::move(reranker_options))->rerank("q", texts, 3)))
      all.push_back(text.score.value_or(-1));
    return all;
  }

  json sent;
};

// HT-4: Cohere's max_tokens_per_doc and vLLM's truncate_prompt_tokens; the others cannot be told.
TEST(WireOptions, ARerankerReadsNoMoreOfATextThanItIsToldTo) {
  RemoteRerankerOptions options;
  options.max_document_tokens = 8;
  for (const auto& [provider, field] :
       {std::pair("cohere", "max_tokens_per_doc"), std::pair("vllm", "truncate_prompt_tokens")}) {
    OptionsBed bed(provider);
    EXPECT_EQ(bed.scores({}), (std::vector<double>{40, 30, 20})) << provider;
    EXPECT_FALSE(bed.sent.contains(field)) << provider;
    EXPECT_EQ(bed.scores(options), (std::vector<double>{32, 30, 20})) << provider;
    EXPECT_EQ(bed.sent[field], 8) << provider;
  }
  for (const char* provider : {"jina", "tei", "dashscope", "llama.cpp"}) {
    OptionsBed bed(provider);
    EXPECT_EQ(error_of([&] { bed.reranker(options); }).errc(), Errc::unsupported) << provider;
  }
}

// HT-4: texts that nobody reads are not sent back.
TEST(WireOptions, ServersThatWouldSendTextsBackAreToldNotTo) {
  OptionsBed jina("jina");
  jina.scores({});
  EXPECT_EQ(jina.sent["return_documents"], false);
  OptionsBed dashscope("dashscope");
  dashscope.scores({});
  EXPECT_EQ(dashscope.sent["parameters"]["return_documents"], false);
  for (const char* provider : {"cohere", "vllm", "llama.cpp"}) {
    OptionsBed bed(provider);
    bed.scores({});
    EXPECT_FALSE(bed.sent.contains("return_documents")) << provider << " does not know it";
  }
}

// HT-4: TEI's raw_scores, vLLM's use_activation, DashScope's parameters.
TEST(WireOptions, ARerankersOwnOptionsReachItsServer) {
  RemoteRerankerOptions options;
  OptionsBed tei("tei");
  EXPECT_DOUBLE_EQ(tei.scores({}).front(), 40.0 / 41);
  EXPECT_EQ(tei.sent["truncate"], true);
  options.extra = R"({"raw_scores": true})";
  EXPECT_DOUBLE_EQ(tei.scores(options).front(), 40);
  options.extra = R"({"use_activation": false})";
  OptionsBed vllm("vllm");
  vllm.scores(options);
  EXPECT_EQ(vllm.sent["use_activation"], false);
  options.extra = R"({"instruct": "问答"})";
  OptionsBed dashscope("dashscope");
  dashscope.scores(options);
  EXPECT_EQ(dashscope.sent["parameters"]["instruct"], "问答");
  EXPECT_EQ(dashscope.sent["parameters"]["top_n"], 3);
  for (const char* wrong : {"[]", "x", R"({"query": "other"})", R"({"top_n": 1})"}) {
    options.extra = wrong;
    EXPECT_EQ(error_of([&] { vllm.reranker(options); }).errc(), Errc::invalid_argument) << wrong;
  }
}

// HT-4: LMDeploy's regex_schema.
TEST(WireOptions, AReplyIsHeldToAPatternAndChecked) {
  OptionsBed bed("lmdeploy");
  ChatRequest request = question();
  request.pattern = "yes|no";
  EXPECT_EQ(bed.runtime.run(bed.chat_model()->chat(request)).text, "yes");
  EXPECT_EQ(bed.sent["response_format"], json({{"type", "regex_schema"}, {"regex_schema", "yes|no"}}));
  const auto code = [&](const std::string& pattern) {
    request.pattern = pattern;
    return error_of([&] { bed.runtime.run(bed.chat_model()->chat(request)); }).errc();
  };
  EXPECT_EQ(code("是|否"), Errc::rejected);
  EXPECT_EQ(code("y|n"), Errc::rejected) << "the whole reply, not some of it";
  EXPECT_EQ(code("(?=y)yes"), Errc::invalid_argument);
  request.schema.emplace("result", "{}");
  EXPECT_EQ(code("yes"), Errc::invalid_argument) << "a schema and a pattern";
  request.schema.reset();
  for (const char* provider : {"openai", "vllm", "ollama", "lightllm"}) {
    OptionsBed other(provider);
    EXPECT_EQ(error_of([&] { other.runtime.run(other.chat_model()->chat(request)); }).errc(), Errc::unsupported);
    EXPECT_EQ(other.server.requests(), 0u) << "nothing is paid for what cannot be held";
  }
}

// HT-4: options of a server that Ragstone has no names for.
TEST(WireOptions, OptionsOfOneServerReachItInChatAndEmbeddings) {
  OptionsBed bed("vllm");
  bed.options.profile.chat_extra = R"({"top_k": 5, "min_p": 0.1})";
  ChatRequest request = question();
  request.temperature = 0.5;
  request.extra = R"({"top_k": 20, "frequency_penalty": 0.5, "temperature": 1})";
  bed.runtime.run(bed.chat_model()->chat(request));
  EXPECT_EQ(bed.sent["top_k"], 20) << "the request's rather than the profile's";
  EXPECT_EQ(bed.sent["min_p"], 0.1);
  EXPECT_EQ(bed.sent["frequency_penalty"], 0.5);
  EXPECT_EQ(bed.sent["temperature"], 0.5) << "an option that has a name of its own";
  RemoteEmbedderOptions options;
  const std::string plain = bed.embedder(2)->identity().signature();
  options.extra = R"({"truncate_prompt_tokens": 8192})";
  const auto embedder = bed.embedder(2, options);
  bed.runtime.run(embedder->embed({std::string("a")}, EmbedRole::query));
  EXPECT_EQ(bed.sent["truncate_prompt_tokens"], 8192);
  EXPECT_NE(embedder->identity().signature(), plain) << "other vectors";
  options.extra = R"({"input": "other"})";
  EXPECT_EQ(error_of([&] { bed.embedder(2, options); }).errc(), Errc::invalid_argument);
}

// HT-4: n is not for Ollama, nor for LightLLM's streams; one call has one reply everywhere.
TEST(WireOptions, ACallAsksForOneReplyAndReadsTheFirst) {
  RemoteBed bed([](const ServerRequest&) {
    return ServerReply::event_stream()
        .event(R"({"choices":[{"index":1,"delta":{"content":"other"},"finish_reason":null}]})")
        .event(R"({"choices":[{"index":0,"delta":{"content":"first"},"finish_reason":null}]})")
        .event(R"({"choices":[{"index":1,"delta":{},"finish_reason":"length"}]})")
        .event(R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})")
        .event("[DONE]")
        .end_of_chunks();
  });
  const auto streamed = bed.runtime.run(stream(bed.chat_model(), question()));
  EXPECT_EQ(streamed.reply.text, "first");
  EXPECT_EQ(streamed.reply.finish, FinishReason::stop);
  ChatRequest request = question();
  for (const char* wrong : {R"({"n": 2})", R"({"stream": true})", R"({"model": "other"})", "[1]", "no"}) {
    request.extra = wrong;
    EXPECT_EQ(error_of([&] { bed.runtime.run(bed.chat_model()->chat(request)); }).errc(), Errc::invalid_argument);
  }
}

}  // namespace
}  // namespace ragstone
