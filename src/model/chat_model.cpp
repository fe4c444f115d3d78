#include <ragstone/async/deadline.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/base/metadata.hpp>
#include <ragstone/model/chat_model.hpp>

#include <algorithm>
#include <cmath>

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
  co_await pieces_.push(std::move(piece), context);
}

Task<ChatReply> ChatModel::run(ChatRequest request, StreamProducer<std::string> stream, CallContext context) {
  check(name(), request);
  RunScope run(context, EventKind::chat, name());
  ChatReply reply;
  try {
    ChatPieces pieces(stream, &run);
    reply = co_await with_deadline(do_chat(request, pieces, run.context()), run.context());
    if (pieces.wanted() && pieces.size() != reply.text.size())
      throw Error(Errc::rejected, "chat model '" + name() + "' delivered " + std::to_string(pieces.size()) +
                                      " bytes in pieces, but its reply has " + std::to_string(reply.text.size()));
  } catch (...) {
    run.fail(std::current_exception());
    throw;
  }
  run.end(end_attributes(run.context(), reply));
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
