#include "model/remote/chat_wire.hpp"

#include "model/remote/error_reply.hpp"
#include "model/remote/extra_members.hpp"
#include <ragstone/base/error.hpp>

#include <utility>

#include <nlohmann/json.hpp>

namespace ragstone::detail {
namespace {

using nlohmann::json;

FinishReason finish_of(std::string_view name) {
  if (name == "stop") return FinishReason::stop;
  if (name == "length") return FinishReason::length;
  if (name == "content_filter") return FinishReason::content_filter;
  return FinishReason::other;
}

/// What servers call the end of a reply that they did not finish: LMDeploy, DeepSeek.
bool is_broken_off(std::string_view reason) {
  return reason == "error" || reason == "abort" || reason == "insufficient_system_resource";
}

void add_schema(json& body, const ProviderProfile& profile, const ReplySchema& schema) {
  const json parsed = json::parse(schema.json, nullptr, false);
  if (!parsed.is_object()) throw Error(Errc::invalid_argument, "chat: the reply schema is no JSON object");
  json& format = body["response_format"] = json::object();
  switch (profile.schema) {
    case SchemaStyle::none:
      throw Error(Errc::unsupported, profile.name + " cannot hold a reply to a schema");
    case SchemaStyle::json_schema:
      format["type"] = "json_schema";
      format["json_schema"]["name"] = schema.name;
      format["json_schema"]["schema"] = parsed;
      format["json_schema"]["strict"] = true;
      break;
    case SchemaStyle::flat_schema:
      format["type"] = "json_schema";
      format["schema"] = parsed;
      break;
    case SchemaStyle::json_object: {
      format["type"] = "json_object";
      json message;
      message["role"] = "system";
      message["content"] = "Reply with one JSON value that follows this JSON Schema: " + schema.json;
      json& messages = body["messages"];
      messages.insert(messages.begin(), std::move(message));
      break;
    }
  }
}

void add_pattern(json& body, const ProviderProfile& profile, const std::string& pattern) {
  if (!profile.regex_schema) throw Error(Errc::unsupported, profile.name + " cannot hold a reply to a pattern");
  json& format = body["response_format"] = json::object();
  format["type"] = "regex_schema";
  format["regex_schema"] = pattern;
}

void ask_for_usage(json& body) {
  json& options = body["stream_options"];
  if (options.is_null()) options = json::object();
  if (!options.is_object())
    throw Error(Errc::invalid_argument, "chat: \"stream_options\" among the extra members must be a JSON object");
  options["include_usage"] = true;
}

/// Under one of two names, or under both: vLLM sends the same twice.
std::string_view thought_of(const dom::element& message) {
  for (const char* name : {"reasoning_content", "reasoning"})
    if (const auto thought = text_of(member(message, name)); thought && !thought->empty()) return *thought;
  return {};
}

}  // namespace

std::string chat_body(const ProviderProfile& profile, const std::string& model, const ChatRequest& request,
                      bool streamed) {
  json body = json::object();
  for (const auto& [extra, what] : {std::pair(&profile.chat_extra, "chat_extra of the provider profile"),
                                    std::pair(&request.extra, "chat: ChatRequest::extra")})
    add_members(body, *extra, what, {"model", "messages", "stream", "n"});
  body["model"] = model;
  json& messages = body["messages"] = json::array();
  for (const ChatMessage& message : request.messages) {
    json& one = messages.emplace_back(json::object());
    one["role"] = name_of(message.role);
    one["content"] = message.text;
  }
  if (request.temperature) body["temperature"] = *request.temperature;
  if (request.top_p) body["top_p"] = *request.top_p;
  if (request.seed) body["seed"] = *request.seed;
  if (!request.stop.empty()) body["stop"] = request.stop;
  if (request.max_tokens) {
    body[profile.max_tokens_field] = *request.max_tokens;
  } else if (profile.default_max_tokens > 0) {
    body[profile.max_tokens_field] = profile.default_max_tokens;
  }
  if (streamed) {
    body["stream"] = true;
    if (profile.stream_usage) ask_for_usage(body);
  }
  if (request.schema) add_schema(body, profile, *request.schema);
  if (!request.pattern.empty()) add_pattern(body, profile, request.pattern);
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::size_t chat_body_bytes(const ChatRequest& request) noexcept {
  std::size_t bytes = request.extra.size() + (request.schema ? request.schema->json.size() : 0);
  for (const ChatMessage& message : request.messages) bytes += message.text.size();
  return bytes;
}

dom::element ChatDecoder::parse(std::string_view text) {
  dom::element reply;
  if (!parser_) parser_.emplace(reply_parser());
  if (parser_->parse(text.data(), text.size()).get(reply) != simdjson::SUCCESS) throw no_json(text);
  read_usage(reply, reply_.usage);  // the last one counts: some servers send running totals
  if (const std::string error = error_text(reply); !error.empty())
    throw Error(Errc::rejected, "the server reports: " + error);
  return reply;
}

void ChatDecoder::read_common(const dom::element& reply) {
  if (reply_.id.empty())
    if (const auto id = text_of(member(reply, "id"))) reply_.id = *id;
  if (reply_.model.empty())
    if (const auto model = text_of(member(reply, "model"))) reply_.model = *model;
}

/// `part`: "message" or "delta".
std::string_view ChatDecoder::read_choice(const dom::element& reply, std::string_view part) {
  const auto choices = array_of(member(reply, "choices"));
  if (!choices || choices->begin() == choices->end()) return {};
  const dom::element choice = *choices->begin();
  if (count_of(member(choice, "index")).value_or(0) != 0) return {};  // the first reply is the one that counts
  // Some servers give "" with each piece, where it ought to be null.
  if (const auto reason = text_of(member(choice, "finish_reason")); reason && !reason->empty() && *reason != "null") {
    if (is_broken_off(*reason)) broken_off_ = *reason;
    reply_.finish = refused_ ? FinishReason::content_filter : finish_of(*reason);
    finished_ = true;
  }
  const auto message = member(choice, part);
  if (!message) return {};
  reply_.reasoning += thought_of(*message);
  if (const auto refusal = text_of(member(*message, "refusal")); refusal && !refusal->empty()) {
    refused_ = true;
    reply_.finish = FinishReason::content_filter;
    return add(*refusal);
  }
  std::string_view piece = text_of(member(*message, "content")).value_or("");
  if (think_tags_ && !piece.empty()) piece = think_.read(piece, reply_.reasoning);
  return piece.empty() && finished_ ? add_last() : add(piece);
}

std::string_view ChatDecoder::add(std::string_view piece) {
  reply_.text += piece;
  return piece;
}

std::string_view ChatDecoder::add_last() {
  return add(think_.finish(reply_.finish == FinishReason::length, reply_.reasoning));
}

void ChatDecoder::read_whole(std::string_view body) {
  const dom::element reply = parse(body);
  const auto choices = array_of(member(reply, "choices"));
  if (!choices || choices->begin() == choices->end() || !member(*choices->begin(), "message"))
    throw Error(Errc::rejected, "the reply has no choices[0].message");
  read_common(reply);
  read_choice(reply, "message");
  done_ = true;
  add_last();
  require_complete();
}

void ChatDecoder::require_complete() const {
  if (!broken_off_.empty())
    throw Error(Errc::transient, "the server broke the reply off: finish_reason '" + broken_off_ + "'");
  if (!complete()) throw Error(Errc::transient, "the stream broke off before the reply was complete");
}

std::string_view ChatDecoder::read_event(std::string_view data) {
  if (data == "[DONE]") {
    done_ = true;
    return add_last();
  }
  const dom::element chunk = parse(data);
  read_common(chunk);
  return read_choice(chunk, "delta");
}

}  // namespace ragstone::detail
