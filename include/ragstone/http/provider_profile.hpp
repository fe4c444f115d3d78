#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ragstone {

/// How a server is asked to hold a reply to a JSON Schema.
enum class SchemaStyle {
  none,         ///< It cannot be.
  json_schema,  ///< response_format {type: json_schema, json_schema: {name, schema, strict}}
  flat_schema,  ///< response_format {type: json_schema, schema}
  json_object,  ///< response_format {type: json_object}: some JSON; the schema goes into a system message
};

/// Which request and reply a rerank route has.
enum class RerankDialect {
  none,
  jina,        ///< {model, query, documents, top_n} -> results[{index, relevance_score}]; Cohere's, vLLM's, llama.cpp's
  vllm_score,  ///< {model, text_1, text_2} -> data[{index, score}]
  tei,         ///< {query, texts} -> [{index, score}]
  dashscope,   ///< {model, input {query, documents}, parameters {top_n}} -> output.results[{index, relevance_score}]
};

/// What is particular to a server of OpenAI's kind, as data. Limits of 0: none known.
class ProviderProfile {
 public:
  ProviderProfile() = default;

  std::string name;
  std::string base_url;      ///< "https://api.openai.com/v1"
  std::string key_variable;  ///< The environment variable that usually holds the key.
  std::string key_header;    ///< The header field of the key: "api-key", as Azure has it. Empty: Authorization: Bearer.
  bool local = false;        ///< Usually on this machine or in this network: such addresses are allowed.

  std::string chat_path = "/chat/completions";  ///< Empty: no chat.
  std::string max_tokens_field = "max_tokens";
  std::uint32_t default_max_tokens = 0;  ///< Sent where a request has none and the server's own is useless.
  bool stream_usage = true;              ///< stream_options {include_usage} is understood.
  SchemaStyle schema = SchemaStyle::json_schema;
  bool regex_schema = false;  ///< response_format {type: regex_schema, regex_schema: pattern} is understood.
  /// The <think>...</think> with which a reply begins, as models of DeepSeek-R1's and Qwen3's kind write it where their
  /// server does not take it out, is the reply's reasoning and no part of its text. One without an end is, if the reply
  /// was cut off. False: it stays in the text.
  bool think_tags = true;
  std::string chat_extra;  ///< A JSON object whose members are added to each chat request.

  std::string embeddings_path = "/embeddings";  ///< Empty: no embeddings.
  std::uint32_t max_batch = 64;                 ///< Texts in a request.
  std::uint32_t max_request_tokens = 0;         ///< Estimated, of all texts of a request.
  std::uint32_t max_request_bytes = 0;          ///< Of the whole request as JSON, for reranking too.
  /// The dimension is asked for, as models that were trained for it allow; RemoteEmbedderOptions::send_dimensions says
  /// otherwise for one model.
  bool dimensions_field = false;
  bool base64 = false;           ///< Vectors can be asked for as base64: a third of the bytes.
  std::string embeddings_extra;  ///< As chat_extra, for embedding requests.

  RerankDialect rerank = RerankDialect::none;
  std::string rerank_path = "/rerank";
  std::string rerank_base_url;          ///< Empty: base_url.
  std::uint32_t max_documents = 0;      ///< In a request; more are asked for in several.
  std::uint32_t max_rerank_tokens = 0;  ///< Estimated, of all documents of a request, and of the query for each.
  /// Where RemoteRerankerOptions::max_document_tokens is put: Cohere's max_tokens_per_doc, vLLM's
  /// truncate_prompt_tokens (which counts the query as well). Empty: the server cannot be told.
  std::string document_tokens_field;
  std::string rerank_extra;  ///< As chat_extra, for rerank requests; with `dashscope`, members of its parameters.
};

/// A profile that Ragstone knows. Errors: Errc::not_found, naming those that there are.
ProviderProfile provider_profile(std::string_view name);
std::vector<std::string> provider_profile_names();

/// A profile as a JSON object whose members have the names above; "like" names a known profile to begin with, enum
/// values are spelled as above. Errors: Errc::parse_error for anything else, naming the member.
ProviderProfile provider_profile_from_json(std::string_view json);

static_assert(!std::is_aggregate_v<ProviderProfile>);

}  // namespace ragstone
