#include <ragstone/base/error.hpp>
#include <ragstone/http/provider_profile.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace ragstone {
namespace {

using nlohmann::json;

// As users write them. Members that are left out have ProviderProfile's defaults.
constexpr std::string_view kKnown[] = {
    R"({"name": "openai", "base_url": "https://api.openai.com/v1", "key_variable": "OPENAI_API_KEY",
        "max_tokens_field": "max_completion_tokens",
        "max_batch": 2048, "max_request_tokens": 300000, "dimensions_field": true, "base64": true})",
    R"({"name": "vllm", "base_url": "http://127.0.0.1:8000/v1", "local": true, "base64": true,
        "rerank": "jina", "document_tokens_field": "truncate_prompt_tokens"})",
    // Its /v1/embeddings always answers 400.
    R"({"name": "lmdeploy", "base_url": "http://127.0.0.1:23333", "local": true,
        "chat_path": "/v1/chat/completions", "embeddings_path": "/pooling",
        "regex_schema": true})",
    // Its own limit is 16 tokens, and without do_sample a temperature has no effect.
    R"({"name": "lightllm", "base_url": "http://127.0.0.1:8080/v1", "local": true,
        "default_max_tokens": 2048, "stream_usage": false, "schema": "none", "chat_extra": "{\"do_sample\": true}",
        "embeddings_path": ""})",
    R"({"name": "llama.cpp", "base_url": "http://127.0.0.1:8080/v1", "local": true,
        "schema": "flat_schema", "base64": true, "rerank": "jina"})",
    R"({"name": "ollama", "base_url": "http://127.0.0.1:11434/v1", "local": true})",
    R"({"name": "tei", "base_url": "http://127.0.0.1:8080", "local": true,
        "chat_path": "", "embeddings_path": "/v1/embeddings", "max_batch": 32, "max_request_bytes": 2097152,
        "rerank": "tei", "max_documents": 32})",
    R"({"name": "dashscope", "base_url": "https://dashscope.aliyuncs.com/compatible-mode/v1",
        "key_variable": "DASHSCOPE_API_KEY", "schema": "json_object", "max_batch": 10, "dimensions_field": true,
        "rerank": "dashscope", "rerank_base_url": "https://dashscope.aliyuncs.com/api/v1",
        "rerank_path": "/services/rerank/text-rerank/text-rerank", "max_documents": 500, "max_rerank_tokens": 30000})",
    R"({"name": "ark", "base_url": "https://ark.cn-beijing.volces.com/api/v3", "key_variable": "ARK_API_KEY"})",
    R"({"name": "deepseek", "base_url": "https://api.deepseek.com", "key_variable": "DEEPSEEK_API_KEY",
        "schema": "json_object", "embeddings_path": ""})",
    R"({"name": "jina", "base_url": "https://api.jina.ai/v1", "key_variable": "JINA_API_KEY",
        "chat_path": "", "embeddings_path": "", "rerank": "jina",
        "rerank_extra": "{\"return_documents\": false}"})",
    R"({"name": "cohere", "base_url": "https://api.cohere.com/v2", "key_variable": "CO_API_KEY",
        "chat_path": "", "embeddings_path": "", "rerank": "jina", "max_documents": 10000,
        "document_tokens_field": "max_tokens_per_doc"})",
};

const std::map<std::string, SchemaStyle> kSchemaStyles = {{"none", SchemaStyle::none},
                                                          {"json_schema", SchemaStyle::json_schema},
                                                          {"flat_schema", SchemaStyle::flat_schema},
                                                          {"json_object", SchemaStyle::json_object}};
const std::map<std::string, RerankDialect> kDialects = {{"none", RerankDialect::none},
                                                        {"jina", RerankDialect::jina},
                                                        {"vllm_score", RerankDialect::vllm_score},
                                                        {"tei", RerankDialect::tei},
                                                        {"dashscope", RerankDialect::dashscope}};

[[noreturn]] void refuse(const std::string& why) { throw Error(Errc::parse_error, "provider profile: " + why); }

class Member {
 public:
  Member(const std::string& name, const json& value) : name_(name), value_(value) {}

  void read(std::string& into) const {
    require(value_.is_string(), "a string");
    into = value_.get<std::string>();
  }
  void read(bool& into) const {
    require(value_.is_boolean(), "true or false");
    into = value_.get<bool>();
  }
  void read(std::uint32_t& into) const {
    require(value_.is_number_unsigned() && value_.get<std::uint64_t>() <= UINT32_MAX, "a count");
    into = value_.get<std::uint32_t>();
  }
  template <class Enum>
  void read(Enum& into, const std::map<std::string, Enum>& names) const {
    const auto found = value_.is_string() ? names.find(value_.get<std::string>()) : names.end();
    std::string all;
    for (const auto& [spelling, kind] : names) all += (all.empty() ? "" : ", ") + spelling;
    require(found != names.end(), ("one of " + all).c_str());
    into = found->second;
  }

 private:
  void require(bool holds, const char* what) const {
    if (!holds) refuse("\"" + name_ + "\" must be " + what);
  }

  const std::string& name_;
  const json& value_;
};

using Read = std::function<void(ProviderProfile&, const Member&)>;

template <class Value>
Read into(Value ProviderProfile::*member) {
  return [member](ProviderProfile& profile, const Member& value) { value.read(profile.*member); };
}

const std::map<std::string, Read>& readers() {
  using P = ProviderProfile;
  static const std::map<std::string, Read> all = {
      {"name", into(&P::name)},
      {"base_url", into(&P::base_url)},
      {"key_variable", into(&P::key_variable)},
      {"key_header", into(&P::key_header)},
      {"local", into(&P::local)},
      {"chat_path", into(&P::chat_path)},
      {"max_tokens_field", into(&P::max_tokens_field)},
      {"default_max_tokens", into(&P::default_max_tokens)},
      {"stream_usage", into(&P::stream_usage)},
      {"schema", [](P& profile, const Member& value) { value.read(profile.schema, kSchemaStyles); }},
      {"regex_schema", into(&P::regex_schema)},
      {"think_tags", into(&P::think_tags)},
      {"chat_extra", into(&P::chat_extra)},
      {"embeddings_path", into(&P::embeddings_path)},
      {"max_batch", into(&P::max_batch)},
      {"max_request_tokens", into(&P::max_request_tokens)},
      {"max_request_bytes", into(&P::max_request_bytes)},
      {"dimensions_field", into(&P::dimensions_field)},
      {"base64", into(&P::base64)},
      {"embeddings_extra", into(&P::embeddings_extra)},
      {"rerank", [](P& profile, const Member& value) { value.read(profile.rerank, kDialects); }},
      {"rerank_path", into(&P::rerank_path)},
      {"rerank_base_url", into(&P::rerank_base_url)},
      {"max_documents", into(&P::max_documents)},
      {"max_rerank_tokens", into(&P::max_rerank_tokens)},
      {"document_tokens_field", into(&P::document_tokens_field)},
      {"rerank_extra", into(&P::rerank_extra)},
  };
  return all;
}

const std::vector<ProviderProfile>& known_profiles() {
  static const std::vector<ProviderProfile> profiles = [] {
    std::vector<ProviderProfile> parsed;
    for (const std::string_view text : kKnown) parsed.push_back(provider_profile_from_json(text));
    return parsed;
  }();
  return profiles;
}

}  // namespace

std::vector<std::string> provider_profile_names() {
  std::vector<std::string> names;
  for (const ProviderProfile& profile : known_profiles()) names.push_back(profile.name);
  return names;
}

ProviderProfile provider_profile(std::string_view name) {
  std::string known;
  for (const ProviderProfile& profile : known_profiles()) {
    if (profile.name == name) return profile;
    known += (known.empty() ? "" : ", ") + profile.name;
  }
  throw Error(Errc::not_found, "there is no provider profile '" + std::string(name) + "'; known are " + known);
}

ProviderProfile provider_profile_from_json(std::string_view text) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) refuse("it is no JSON object");
  ProviderProfile profile;
  if (const auto like = object.find("like"); like != object.end()) {
    if (!like->is_string()) refuse("\"like\" must be a string");
    profile = provider_profile(like->get<std::string>());
  }
  for (const auto& [name, value] : object.items()) {
    if (name == "like") continue;
    const auto reader = readers().find(name);
    if (reader == readers().end()) refuse("there is no member \"" + name + "\"");
    reader->second(profile, Member(name, value));
  }
  if (profile.name.empty() || profile.base_url.empty()) refuse("\"name\" and \"base_url\" are needed");
  if (profile.max_batch == 0) refuse("\"max_batch\" must be at least 1");
  for (const auto& [name, extra] :
       {std::pair("chat_extra", &profile.chat_extra), std::pair("embeddings_extra", &profile.embeddings_extra),
        std::pair("rerank_extra", &profile.rerank_extra)})
    if (!extra->empty() && !json::parse(*extra, nullptr, false).is_object())
      refuse("\"" + std::string(name) + "\" must hold a JSON object");
  return profile;
}

}  // namespace ragstone
