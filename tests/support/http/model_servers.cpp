#include "support/http/model_servers.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <vector>

#include <nlohmann/json.hpp>

namespace ragstone::test {
namespace {

using nlohmann::json;

/// What a server says to a request that is not one of its own.
class Refusal : public std::runtime_error {
 public:
  Refusal(int http_status, const std::string& why, std::string its_code = {})
      : std::runtime_error(why), status(http_status), code(std::move(its_code)) {}
  int status;
  std::string code;
};

void require(bool holds, const std::string& why, int status = 400, const std::string& code = {}) {
  if (!holds) throw Refusal(status, why, code);
}

bool asks_for_json(const json& body) { return body.contains("response_format"); }

/// What providers check of a schema's place in a request.
void check_schema(const std::string& provider, const json& body) {
  if (!asks_for_json(body)) return;
  const json& format = body["response_format"];
  const std::string type = format.value("type", "");
  if (type == "regex_schema") {
    require(provider == "lmdeploy", "response_format.type regex_schema is not known");
    require(format.value("regex_schema", "").size() > 0, "regex_schema is missing");
    return;
  }
  if (provider == "lightllm") throw Refusal(417, "response_format is not known");
  if (provider == "dashscope" || provider == "deepseek") {
    require(type == "json_object", "response_format.type must be text or json_object");
    require(body["messages"].dump().find("JSON") != std::string::npos, "the messages must contain the word 'json'");
  } else if (provider == "llama.cpp") {
    require(type == "json_schema" && format.contains("schema"), "response_format.schema is missing");
  } else {
    require(type == "json_schema" && format["json_schema"].contains("schema"), "json_schema.schema is missing");
    require(format["json_schema"].value("name", "").size() - 1 < 64, "json_schema.name has 1 to 64 characters");
  }
}

json usage_of(const std::string& provider, int output) {
  json usage = {{"prompt_tokens", 9}, {"completion_tokens", output}, {"total_tokens", 9 + output}};
  if (provider == "openai") {
    usage["prompt_tokens_details"] = {{"cached_tokens", 3}};
    usage["completion_tokens_details"] = {{"reasoning_tokens", 1}};
  }
  return usage;
}

/// Adds what the model thought, under the names that a server gives it.
void add_thought(const std::string& provider, json& message) {
  if (provider == "ollama" || provider == "vllm") message["reasoning"] = "hm";
  if (provider == "lmdeploy" || provider == "llama.cpp" || provider == "deepseek" || provider == "vllm")
    message["reasoning_content"] = "hm";
}

json timings() { return {{"prompt_n", 1}, {"predicted_n", 77}, {"predicted_per_second", 31.4}}; }

ServerReply whole_chat(const std::string& provider, const std::string& text, const std::string& finish) {
  json message = {{"role", "assistant"}, {"content", text}};
  add_thought(provider, message);
  json reply = {{"id", "c-1"},
                {"object", "chat.completion"},
                {"model", provider + "-model"},
                {"choices", {{{"index", 0}, {"message", message}, {"finish_reason", finish}}}},
                {"usage", usage_of(provider, 4)}};
  if (provider == "llama.cpp") reply["timings"] = timings();
  return ServerReply::text(200, reply.dump());
}

ServerReply streamed_chat(const std::string& provider, const json& body, const std::string& text,
                          const std::string& finish) {
  const bool usage_asked = body.value("/stream_options/include_usage"_json_pointer, false);
  const bool tells_usage = usage_asked && provider != "lightllm";
  ServerReply reply = ServerReply::event_stream();
  int output = 0;
  const auto send = [&](json choices) {
    json chunk = {{"id", "c-1"}, {"model", provider + "-model"}, {"choices", std::move(choices)}};
    // Running totals in each chunk are vLLM's continuous_usage_stats.
    if (provider == "vllm") chunk["usage"] = usage_of(provider, output);
    if (provider == "llama.cpp") chunk["timings"] = timings();
    reply.chunk((provider == "lightllm" ? "data:" : "data: ") + chunk.dump() + "\n\n");
  };
  const auto delta = [](json content, json finish_reason) {
    return json{{{"index", 0}, {"delta", std::move(content)}, {"finish_reason", std::move(finish_reason)}}};
  };
  json thought = json::object();
  add_thought(provider, thought);
  if (!thought.empty()) send(delta(std::move(thought), nullptr));
  for (std::size_t at = 0; at < text.size(); at += 3) {
    ++output;
    if (provider == "llama.cpp" || provider == "deepseek") reply.chunk(": keep-alive\n\n");
    send(delta({{"content", text.substr(at, 3)}}, nullptr));
  }
  send(delta(json::object(), finish));
  if (provider == "lightllm") return reply.end_of_chunks();  // and no [DONE]
  if (tells_usage)
    reply.event(json{{"id", "c-1"}, {"choices", json::array()}, {"usage", usage_of(provider, 4)}}.dump());
  return reply.event("[DONE]").end_of_chunks();
}

ServerReply chat(const std::string& provider, const json& body) {
  require(!body["messages"].empty() && body["messages"][0]["content"].is_string(), "messages are missing");
  check_schema(provider, body);
  if (provider == "openai") require(!body.contains("max_tokens"), "use max_completion_tokens");
  if (provider != "openai") require(!body.contains("max_completion_tokens"), "max_completion_tokens is not known");
  if (provider == "ollama") require(!body.contains("n") && !body.contains("tool_choice"), "n is not supported");
  if (provider == "ark") require(body["model"].get<std::string>().starts_with("ep-"), "no such endpoint", 404);
  std::string text = asks_for_json(body) ? R"({"answer":"yes"})" : "你好 there";
  if (body.value("/response_format/type"_json_pointer, "") == "regex_schema") text = "yes";
  std::string finish = "stop";
  if (provider == "lightllm" && body.value("max_tokens", 16) <= 16) {
    text = text.substr(0, 6);
    finish = "length";
  }
  if (provider == "lightllm" && body.contains("temperature"))
    require(body.value("do_sample", false), "do_sample is false, so temperature has no effect", 417);
  return body.value("stream", false) ? streamed_chat(provider, body, text, finish) : whole_chat(provider, text, finish);
}

/// As many as cl100k_base has of prose: a quarter of the ASCII, and 1.5 for each ideograph.
double prose_tokens(const json& input) {
  double tokens = 0;
  for (const json& text : input)
    for (const char c : text.get<std::string>()) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x80) tokens += 0.25;
      if (byte >= 0xE0) tokens += 1.5;
    }
  return tokens;
}

ServerReply embeddings(const std::string& provider, const ServerRequest& request, const json& body) {
  const std::size_t count = body["input"].size();
  if (provider == "openai") {
    require(count <= 2'048, "array of at most 2048 inputs");
    require(prose_tokens(body["input"]) <= 300'000, "max 300000 tokens per request", 400, "max_tokens_per_request");
  }
  if (provider == "dashscope") require(count <= 10, "batch size is invalid, it should not be larger than 10");
  if (provider == "tei") {
    require(count <= 32, "batch size " + std::to_string(count) + " > maximum allowed batch size 32", 422);
    require(request.body.size() <= 2'097'152, "length limit exceeded", 413);
  }
  const std::string format = body.value("encoding_format", "float");
  if (provider == "dashscope" || provider == "ark") require(format == "float", "encoding_format must be float");
  if (provider != "openai" && provider != "dashscope") require(!body.contains("dimensions"), "dimensions is not known");
  json data = json::array();
  std::size_t index = 0;
  for (const json& input : body["input"]) {
    require(input.is_string() && !input.get<std::string>().empty(), "an input must be a text, and not empty");
    const std::vector<float> row = {static_cast<float>(input.get<std::string>().size()), 1};
    json item = {{"index", index++}, {"object", provider == "lmdeploy" ? "pooling" : "embedding"}};
    json& vector = item[provider == "lmdeploy" ? "data" : "embedding"];
    if (format == "base64") {
      vector = base64(row);
    } else {
      vector = row;
    }
    data.push_back(std::move(item));
  }
  std::reverse(data.begin(), data.end());
  return ServerReply::text(200,
                           json{{"data", data}, {"usage", {{"prompt_tokens", count}, {"total_tokens", count}}}}.dump());
}

/// Refuses members of a rerank request that the server does not have, where the real one says nothing.
void check_rerank_members(const std::string& provider, const json& body) {
  std::vector<std::string> known = {"model", "query", "documents", "top_n"};
  if (provider == "jina") known.emplace_back("return_documents");
  if (provider == "cohere") known.emplace_back("max_tokens_per_doc");
  if (provider == "vllm") known.insert(known.end(), {"truncate_prompt_tokens", "use_activation"});
  if (provider == "tei") known = {"query", "texts", "raw_scores", "return_text", "truncate"};
  if (provider == "dashscope") known = {"model", "input", "parameters"};
  for (const auto& [name, value] : body.items())
    require(std::find(known.begin(), known.end(), name) != known.end(), name + " is not known");
}

/// How much of a text a server reads that is told to read only some of it.
std::size_t most_bytes(const json& body) {
  for (const char* name : {"max_tokens_per_doc", "truncate_prompt_tokens"})
    if (body.contains(name)) return 4 * body[name].get<std::size_t>();
  return SIZE_MAX;
}

/// A rough count, below what a client should reckon with.
std::size_t tokens_of(const json& texts) {
  std::size_t tokens = 0;
  for (const json& text : texts) tokens += std::min<std::size_t>(4'000, text.get<std::string>().size() / 5 + 1);
  return tokens;
}

ServerReply rerank(const std::string& provider, const json& body) {
  check_rerank_members(provider, body);
  const bool is_native = provider == "dashscope";
  const json& question = is_native ? body["input"] : body;
  const json& texts = question[provider == "tei" ? "texts" : "documents"];
  require(question["query"].is_string() && !texts.empty(), "query and texts are needed", 422);
  if (provider == "tei") require(texts.size() <= 32, "batch size > maximum allowed batch size 32", 422);
  if (provider == "cohere") require(texts.size() <= 10'000, "at most 10000 documents");
  if (is_native) {
    require(texts.size() <= 500, "at most 500 documents");
    require(tokens_of(texts) <= 30'000, "the total tokens should not exceed 30000");
  }
  std::size_t top_n = texts.size();
  if (is_native) top_n = body["parameters"].value("top_n", top_n);
  if (!is_native && provider != "tei") top_n = body.value("top_n", top_n);
  if (provider == "vllm" && top_n == 0) top_n = texts.size();
  if (provider == "tei") require(body.value("truncate", false), "inputs must have less than 512 tokens", 422);
  const char* score = provider == "tei" ? "score" : "relevance_score";
  json results = json::array();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::size_t size = std::min(most_bytes(body), texts[i].get<std::string>().size());
    json& result = results.emplace_back(json{{"index", i}, {score, size}});
    if (provider == "tei" && !body.value("raw_scores", false))
      result[score] = static_cast<double>(size) / static_cast<double>(size + 1);
    if (provider == "jina" && body.value("return_documents", true)) result["document"] = {{"text", texts[i]}};
  }
  std::stable_sort(results.begin(), results.end(), [&](const json& a, const json& b) { return a[score] > b[score]; });
  if (results.size() > top_n) results.erase(results.begin() + static_cast<std::ptrdiff_t>(top_n), results.end());
  if (provider == "tei") return ServerReply::text(200, results.dump());
  json reply;
  if (is_native) {
    reply = {
        {"request_id", "r-1"}, {"output", {{"results", results}}}, {"usage", {{"total_tokens", tokens_of(texts)}}}};
  } else if (provider == "cohere") {
    reply = {{"id", "r-1"}, {"results", results}, {"meta", {{"billed_units", {{"search_units", 1}}}}}};
  } else {
    reply = {{"id", "r-1"}, {"model", "m"}, {"results", results}, {"usage", {{"total_tokens", 11}}}};
  }
  return ServerReply::text(200, reply.dump());
}

/// vLLM's other route: not sorted, no top_n.
ServerReply score(const json& body) {
  require(body["text_1"].is_string() && !body["text_2"].empty(), "text_1 and text_2 are needed");
  json data = json::array();
  for (const json& text : body["text_2"])
    data.push_back({{"index", data.size()}, {"object", "score"}, {"score", text.get<std::string>().size()}});
  return ServerReply::text(200, json{{"id", "s-1"}, {"data", data}, {"usage", {{"prompt_tokens", 11}}}}.dump());
}

/// A refusal in the shape of the server's errors.
ServerReply refused(const std::string& provider, const Refusal& refusal) {
  const std::string why = refusal.what();
  json error = {
      {"error", {{"message", why}, {"type", "invalid_request_error"}, {"param", nullptr}, {"code", nullptr}}}};
  if (!refusal.code.empty()) error["error"]["code"] = refusal.code;
  if (provider == "lmdeploy")
    error = {{"object", "error"}, {"message", why}, {"type", "invalid_request_error"}, {"code", refusal.status}};
  if (provider == "tei") error = {{"error", why}, {"error_type", "Validation"}};
  if (provider == "lightllm" || provider == "cohere") error = {{"message", why}};
  if (provider == "jina") error = {{"detail", why}};
  return ServerReply::text(refusal.status, error.dump());
}

ServerReply routed(const std::string& provider, const ServerRequest& request) {
  const json body = json::parse(request.body, nullptr, false);
  require(body.is_object(), "the body is no JSON object");
  const std::string& target = request.target;
  const bool is_local = provider == "vllm" || provider == "lmdeploy" || provider == "lightllm" ||
                        provider == "llama.cpp" || provider == "ollama" || provider == "tei";
  if (!is_local) require(request.header("authorization").starts_with("Bearer "), "no key", 401);

  if (provider == "tei") {
    if (target == "/v1/embeddings") return embeddings(provider, request, body);
    if (target == "/rerank") return rerank(provider, body);
  } else if (provider == "lmdeploy") {
    if (target == "/v1/chat/completions") return chat(provider, body);
    if (target == "/pooling") return embeddings(provider, request, body);
    require(target != "/v1/embeddings", "Unsupported by turbomind");
  } else if (provider == "dashscope") {
    if (target == "/compatible-mode/v1/chat/completions") return chat(provider, body);
    if (target == "/compatible-mode/v1/embeddings") return embeddings(provider, request, body);
    if (target == "/api/v1/services/rerank/text-rerank/text-rerank") return rerank(provider, body);
  } else if (provider == "ark") {
    if (target == "/api/v3/chat/completions") return chat(provider, body);
    if (target == "/api/v3/embeddings") return embeddings(provider, request, body);
  } else if (provider == "deepseek") {
    if (target == "/chat/completions") return chat(provider, body);
  } else if (provider == "cohere") {
    if (target == "/v2/rerank") return rerank(provider, body);
  } else if (provider == "jina") {
    if (target == "/v1/rerank") return rerank(provider, body);
  } else {
    if (target == "/v1/chat/completions") return chat(provider, body);
    if (target == "/v1/embeddings" && provider != "lightllm") return embeddings(provider, request, body);
    if (provider == "vllm" && target == "/v1/rerank") return rerank(provider, body);
    if (provider == "vllm" && target == "/v1/score") return score(body);
    const bool is_alias = target == "/rerank" || target == "/v1/rerank" || target == "/v1/reranking";
    if (provider == "llama.cpp" && is_alias) return rerank(provider, body);
  }
  throw Refusal(404, "there is no " + target);
}

}  // namespace

std::string base64(const std::vector<float>& row) {
  static constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<unsigned char> bytes(row.size() * sizeof(float));
  std::memcpy(bytes.data(), row.data(), bytes.size());
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    for (std::size_t b = 0; b < 3; ++b) word = word << 8 | (i + b < bytes.size() ? bytes[i + b] : 0u);
    for (std::size_t d = 0; d < 4; ++d) out += i + d > bytes.size() ? '=' : kLetters[word >> (18 - 6 * d) & 63];
  }
  return out;
}

ServerReply reply_of_provider(const std::string& provider, const ServerRequest& request) {
  try {
    return routed(provider, request);
  } catch (const Refusal& refusal) {
    return refused(provider, refusal);
  } catch (const json::exception& error) {
    return refused(provider, Refusal(400, error.what()));
  }
}

}  // namespace ragstone::test
