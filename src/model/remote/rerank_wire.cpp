#include "model/remote/rerank_wire.hpp"

#include "model/remote/error_reply.hpp"
#include "model/remote/extra_members.hpp"
#include "model/remote/json_reply.hpp"
#include "model/remote/json_size.hpp"
#include "model/remote/model_server_core.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

namespace ragstone::detail {
namespace {

using nlohmann::json;

std::optional<dom::array> results_of(RerankDialect dialect, const dom::element& reply) {
  switch (dialect) {
    case RerankDialect::vllm_score:
      return array_of(member(reply, "data"));
    case RerankDialect::tei:
      return array_of(reply);
    case RerankDialect::dashscope: {
      const auto output = member(reply, "output");
      return output ? array_of(member(*output, "results")) : std::nullopt;
    }
    case RerankDialect::jina:
    case RerankDialect::none:
      break;
  }
  return array_of(member(reply, "results"));
}

void add_options(json& body, const ProviderProfile& profile, const RemoteRerankerOptions& options) {
  for (const auto& [extra, what] : {std::pair(&profile.rerank_extra, "rerank_extra of the provider profile"),
                                    std::pair(&options.extra, "remote reranker: the option extra")})
    add_members(body, *extra, what, {"model", "query", "documents", "texts", "text_1", "text_2", "top_n"});
  if (options.max_document_tokens == 0) return;
  if (profile.document_tokens_field.empty())
    throw Error(Errc::unsupported, profile.name + " cannot be told how many tokens of a text to read");
  body[profile.document_tokens_field] = options.max_document_tokens;
}

}  // namespace

std::size_t rerank_batch_size(const ProviderProfile& profile, std::size_t frame_bytes, std::string_view query,
                              std::span<const std::string> texts) {
  const std::size_t most =
      profile.max_documents == 0 ? texts.size() : std::min<std::size_t>(profile.max_documents, texts.size());
  if (profile.max_rerank_tokens == 0 && profile.max_request_bytes == 0) return most;
  const std::uint64_t query_tokens = estimated_tokens(query);
  std::uint64_t tokens = 0;
  std::uint64_t bytes = frame_bytes + json_bytes(query);
  std::size_t count = 0;
  while (count < most) {
    tokens += query_tokens + estimated_tokens(texts[count]);
    bytes += json_bytes(texts[count]) + kJsonTextFrame;
    const bool too_many = (profile.max_rerank_tokens > 0 && tokens > profile.max_rerank_tokens) ||
                          (profile.max_request_bytes > 0 && bytes > profile.max_request_bytes);
    if (too_many && count > 0) break;
    ++count;
  }
  return count;
}

std::string rerank_body(const ProviderProfile& profile, const RemoteRerankerOptions& options, const std::string& model,
                        std::string_view query, std::span<const std::string> texts, std::size_t top_n) {
  json body = json::object();
  const bool has_parameters = profile.rerank == RerankDialect::dashscope;
  add_options(has_parameters ? body["parameters"] : body, profile, options);
  json documents = json::array();
  for (const std::string& text : texts) documents.push_back(text);
  switch (profile.rerank) {
    case RerankDialect::none:
      throw Error(Errc::unsupported, "the server has no reranking");
    case RerankDialect::jina:
      body["model"] = model;
      body["query"] = query;
      body["documents"] = std::move(documents);
      body["top_n"] = std::min(top_n, texts.size());
      break;
    case RerankDialect::vllm_score:
      body["model"] = model;
      body["text_1"] = query;
      body["text_2"] = std::move(documents);
      break;
    case RerankDialect::tei:
      body["query"] = query;
      body["texts"] = std::move(documents);
      body.emplace("truncate", true);  // it refuses texts that are too long
      break;
    case RerankDialect::dashscope:
      body["model"] = model;
      body["input"]["query"] = query;
      body["input"]["documents"] = std::move(documents);
      body["parameters"]["top_n"] = std::min(top_n, texts.size());
      body["parameters"]["return_documents"] = false;
      break;
  }
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

namespace {

/// How many texts a whole reply ranks.
std::size_t wanted(RerankDialect dialect, std::size_t count, std::size_t top_n) {
  const bool ranks_all = dialect == RerankDialect::tei || dialect == RerankDialect::vllm_score;
  return ranks_all ? count : std::min(top_n, count);
}

Reranking read_results(RerankDialect dialect, const dom::element& reply, std::size_t count, std::size_t top_n,
                       std::size_t offset) {
  if (const std::string error = error_text(reply); !error.empty())
    throw Error(Errc::rejected, "the server reports: " + error);
  const auto results = results_of(dialect, reply);
  if (!results) throw Error(Errc::rejected, "the reply has no results");
  Reranking reranking;
  for (const dom::element item : *results) {
    const auto index = count_of(member(item, "index"));
    auto score = number_of(member(item, "relevance_score"));
    if (!score) score = number_of(member(item, "score"));
    if (!index || *index >= count) throw Error(Errc::rejected, "the reply ranks a text that was not sent");
    if (!score) throw Error(Errc::rejected, "the reply ranks a text without a score");
    RankedText text;
    text.index = *index + offset;
    text.score = *score;
    reranking.texts.push_back(text);
  }
  if (const std::size_t least = wanted(dialect, count, top_n); reranking.texts.size() < least)
    throw Error(Errc::rejected, "the reply ranks " + std::to_string(reranking.texts.size()) + " texts, not " +
                                    std::to_string(least) + " of " + std::to_string(count));
  read_usage(reply, reranking.usage);
  return reranking;
}

}  // namespace

Reranking read_reranking(RerankDialect dialect, std::string_view body, std::size_t count, std::size_t top_n,
                         std::size_t offset) {
  dom::parser parser = reply_parser();
  dom::element reply;
  if (parser.parse(body.data(), body.size()).get(reply) != simdjson::SUCCESS) throw no_json(body);
  return read_paid(reply, [&] { return read_results(dialect, reply, count, top_n, offset); });
}

}  // namespace ragstone::detail
