#include "model/paid_error.hpp"
#include <ragstone/async/deadline.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/base/metadata.hpp>
#include <ragstone/model/chat_model.hpp>
#include <ragstone/text/token_counter.hpp>

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

namespace ragstone {
namespace {

void check(const std::string& name, const ChatRequest& request) {
  const std::string who = "chat model '" + name + "': ";
  if (request.messages.empty()) throw Error(Errc::invalid_argument, who + "the request has no messages");
  if (const auto t = request.temperature; t && !(std::isfinite(*t) && *t >= 0))
    throw Error(Errc::invalid_argument, who + "temperature " + std::to_string(*t) + " is not at least 0");
  if (const auto p = request.top_p; p && !(*p > 0 && *p <= 1))
    throw Error(Errc::invalid_argument, who + "top_p " + std::to_string(*p) + " is not above 0 and at most 1");
  if (request.max_tokens == 0u) throw Error(Errc::invalid_argument, who + "max_tokens is 0");
  if (std::any_of(request.stop.begin(), request.stop.end(), [](const auto& stop) { return stop.empty(); }))
    throw Error(Errc::invalid_argument, who + "an empty stop text would end every reply at once");
  if (request.schema && !request.pattern.empty())
    throw Error(Errc::invalid_argument, who + "a reply can follow a schema or a pattern, not both");
}

Metadata start_attributes(const CallContext& context, const ChatRequest& request, bool stream) {
  Metadata attributes;
  if (!context.observed()) return attributes;
  if (request.temperature) attributes.set("temperature", *request.temperature);
  if (request.top_p) attributes.set("top_p", *request.top_p);
  if (request.max_tokens) attributes.set("max_tokens", *request.max_tokens);
  if (request.seed) attributes.set("seed", static_cast<std::int64_t>(*request.seed));
  attributes.set("stream", stream);
  if (!request.stop.empty())
    attributes.set("stop_sequences",
                   nlohmann::json(request.stop).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  attributes.set("output_type", request.schema ? "json" : "text");
  return attributes;
}

std::uint64_t input_tokens(const TokenCounter& counter, const ChatRequest& request) {
  std::uint64_t tokens = 0;
  for (const ChatMessage& message : request.messages) tokens += counter.count(message.text);
  return tokens;
}

/// Empty without a counter.
Usage estimate(const CallContext& context, const ChatRequest& request, std::string_view reply) {
  Usage usage;
  const auto& counter = context.token_counter();
  if (!counter) return usage;
  usage.input = input_tokens(*counter, request);
  usage.output = counter->count(reply);
  usage.estimated = true;
  return usage;
}

/// Of a reply that broke off: its pieces were generated, and are paid for.
Metadata partial_attributes(const CallContext& context, const ChatRequest& request, const ChatPieces& pieces) {
  Metadata attributes;
  if (!context.observed() || pieces.size() == 0) return attributes;
  attributes.set("bytes", static_cast<std::int64_t>(pieces.size()));
  const auto& counter = context.token_counter();
  if (!counter) return attributes;
  Usage usage;
  usage.input = input_tokens(*counter, request);
  usage.output = pieces.tokens();
  usage.estimated = true;
  set_usage(attributes, usage);
  return attributes;
}

Metadata failure_attributes(const CallContext& context, const ChatRequest& request, const UsageSum& used,
                            const ChatPieces& pieces) {
  if (!context.observed() || used.total().empty()) return partial_attributes(context, request, pieces);
  Metadata attributes;
  if (pieces.size() > 0) attributes.set("bytes", static_cast<std::int64_t>(pieces.size()));
  set_usage(attributes, used.total());
  return attributes;
}

Metadata end_attributes(const CallContext& context, const ChatReply& reply) {
  Metadata attributes;
  if (!context.observed()) return attributes;
  if (!reply.model.empty()) attributes.set("model", reply.model);
  if (!reply.id.empty()) attributes.set("id", reply.id);
  attributes.set("finish_reason", name_of(reply.finish));
  set_usage(attributes, reply.usage);
  return attributes;
}

}  // namespace

const char* name_of(ChatRole role) noexcept {
  switch (role) {
    case ChatRole::system:
      return "system";
    case ChatRole::user:
      return "user";
    case ChatRole::assistant:
      return "assistant";
  }
  return "unknown";
}

const char* name_of(FinishReason reason) noexcept {
  switch (reason) {
    case FinishReason::stop:
      return "stop";
    case FinishReason::length:
      return "length";
    case FinishReason::content_filter:
      return "content_filter";
    case FinishReason::other:
      return "other";
  }
  return "unknown";
}

Task<void> ChatPieces::put(std::string piece, CallContext context) {
  if (!wanted() || piece.empty()) co_return;
  size_ += piece.size();
  if (run_) run_->token(piece);
  if (run_ && run_->observed() && run_->context().token_counter())
    tokens_ += run_->context().token_counter()->count(piece);
  co_await pieces_.push(std::move(piece), context);
}

std::string ChatPieces::own(std::string_view text) const {
  std::string piece = pieces_.spare().value_or(std::string());
  piece.assign(text);
  return piece;
}

void ChatModel::describe(Metadata&) const {}

Task<ChatReply> ChatModel::run(ChatRequest request, StreamProducer<std::string> stream, CallContext context) {
  check(name(), request);
  const CallContext observed = emits_runs() ? context : context.without_observers();
  Metadata attributes = start_attributes(observed, request, static_cast<bool>(stream));
  if (observed.observed()) describe(attributes);
  RunScope run(observed, EventKind::chat, name(), std::move(attributes));
  const CallContext inner = emits_runs() ? run.context() : context;
  ChatReply reply;
  ChatPieces pieces(stream, &run);
  UsageSum used;
  try {
    reply = co_await with_deadline(noting_usage(do_chat(request, pieces, inner), &used), inner);
    used.add(reply.usage);
    if (pieces.wanted() && pieces.size() != reply.text.size())
      throw Error(Errc::rejected, "chat model '" + name() + "' delivered " + std::to_string(pieces.size()) +
                                      " bytes in pieces, but its reply has " + std::to_string(reply.text.size()));
  } catch (...) {
    run.fail(std::current_exception(), failure_attributes(observed, request, used, pieces));
    if (!emits_runs()) throw;
    std::rethrow_exception(unpaid(std::current_exception()));
  }
  if (reply.usage.empty()) reply.usage = estimate(context, request, reply.text);
  run.end(end_attributes(run.context(), reply));
  co_return reply;
}

Task<ChatReply> ChatModel::forward(ChatModel& inner, ChatRequest request, ChatPieces& pieces, CallContext context) {
  ChatReply reply = co_await inner.run(std::move(request), pieces.pieces_, std::move(context));
  pieces.size_ += reply.text.size();
  co_return reply;
}

Task<ChatReply> ChatModel::chat(ChatRequest request, CallContext context) {
  StreamProducer<std::string> nobody;
  co_return co_await run(std::move(request), nobody, context);
}

Task<ChatReply> ChatModel::chat_stream(ChatRequest request, StreamProducer<std::string> pieces, CallContext context) {
  try {
    auto reply = co_await run(std::move(request), pieces, context);
    if (pieces) pieces.finish();
    co_return reply;
  } catch (...) {
    if (pieces) pieces.fail(std::current_exception());
    throw;
  }
}

}  // namespace ragstone
