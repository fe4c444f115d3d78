#include "model/paid_error.hpp"
#include "model/remote/chat_wire.hpp"
#include "model/remote/model_server_core.hpp"
#include "model/remote/reply_pattern.hpp"
#include "model/remote/reply_schema.hpp"
#include <ragstone/http/sse.hpp>

#include <optional>
#include <utility>

namespace ragstone {
namespace {

using detail::ApiCall;
using detail::ChatDecoder;
using detail::ModelServerCore;

std::uint64_t tokens_of(const ChatRequest& request) {
  std::uint64_t tokens = request.max_tokens.value_or(0);
  for (const ChatMessage& message : request.messages) tokens += detail::estimated_tokens(message.text);
  return tokens;
}

class RemoteChatModel final : public ChatModel {
 public:
  RemoteChatModel(std::shared_ptr<ModelServerCore> core, std::string model)
      : core_(std::move(core)), model_(std::move(model)) {}

  const std::string& name() const noexcept override { return model_; }
  std::string identity() const override { return core_->chat_identity(model_); }

 private:
  void describe(Metadata& attributes) const override { core_->describe(attributes); }

  Task<ChatReply> do_chat(const ChatRequest& request, ChatPieces& pieces, CallContext context) override {
    std::optional<detail::SchemaCheck> schema;
    if (request.schema) schema.emplace(*request.schema);
    std::optional<detail::PatternCheck> pattern;
    if (!request.pattern.empty()) pattern.emplace(request.pattern);
    const HttpRequest http = core_->request(core_->profile().chat_path,
                                            detail::chat_body(core_->profile(), model_, request, pieces.wanted()));
    ApiCall call(core_, EventKind::chat, model_, detail::priority_of(context), tokens_of(request), context);
    while (true) {
      co_await call.begin();
      ChatDecoder decoder;
      std::exception_ptr error;
      try {
        if (pieces.wanted()) {
          co_await streamed(call, http, decoder, pieces, context);
        } else {
          co_await whole(call, http, decoder, context);
        }
        call.succeeded(decoder.reply().usage);
        if (schema) schema->check(decoder.reply().text);
        if (pattern) pattern->check(decoder.reply().text);
        ChatReply reply = decoder.take();
        if (reply.model.empty()) reply.model = model_;
        co_return reply;
      } catch (...) {
        error = paid(std::current_exception(), decoder.reply().usage);
      }
      co_await call.failed(error);
    }
  }

  Task<void> whole(ApiCall& call, const HttpRequest& http, ChatDecoder& decoder, CallContext context) {
    const HttpResponse response = co_await core_->http().fetch(http, context);
    call.saw(response.status, response.headers);
    if (response.status >= 300) throw core_->error_of(model_, http, response.status, response.headers, response.body);
    decode(http, [&] { decoder.read_whole(response.body); });
  }

  Task<void> streamed(ApiCall& call, const HttpRequest& http, ChatDecoder& decoder, ChatPieces& pieces,
                      CallContext context) {
    HttpStream stream = co_await core_->http().open(http, context);
    call.saw(stream.status(), stream.headers());
    std::string bytes;
    if (stream.status() >= 300) {
      std::string body;
      while (!stream.ended()) {
        if (stream.take(bytes)) {
          body += bytes;
        } else {
          co_await stream.wait(context);
        }
      }
      throw core_->error_of(model_, http, stream.status(), stream.headers(), body);
    }
    SseParser parser;
    SseEvent event;
    while (!decoder.done()) {
      if (!take(stream, decoder, bytes)) {
        if (stream.ended()) break;
        co_await stream.wait(context);
        continue;
      }
      parser.push(bytes);
      while (!decoder.done() && parser.next(event)) {
        std::string_view piece;
        decode(http, [&] { piece = decoder.read_event(event.data); });
        if (piece.empty()) continue;
        call.make_final();
        std::string own(piece);
        co_await pieces.put(std::move(own), context);
      }
    }
    decode(http, [&] { decoder.require_complete(); });
    co_await finish(stream, bytes, context);
  }

  /// A connection that is closed without its last chunk, after the reply's end was told, has told everything.
  static bool take(HttpStream& stream, const ChatDecoder& decoder, std::string& bytes) {
    try {
      return stream.take(bytes);
    } catch (const Error&) {
      if (!decoder.complete()) throw;
      stream = HttpStream();
      return false;
    }
  }

  /// Reads the little that follows the last event, so that the connection can be used again.
  static Task<void> finish(HttpStream& stream, std::string& bytes, CallContext context) {
    context = context.with_timeout(std::chrono::milliseconds(100));
    try {
      while (!stream.ended())
        if (!stream.take(bytes)) co_await stream.wait(context);
    } catch (const Error&) {  // then it is closed
    }
  }

  template <class Decode>
  void decode(const HttpRequest& http, Decode decode_reply) const {
    try {
      decode_reply();
    } catch (const Error&) {
      std::rethrow_exception(core_->told(model_, http, std::current_exception()));
    }
  }

  std::shared_ptr<ModelServerCore> core_;
  std::string model_;
};

}  // namespace

std::shared_ptr<ChatModel> remote_chat_model(ModelServer server, std::string model) {
  if (!server.core()) throw Error(Errc::closed, "remote chat model: the server is an empty handle");
  if (server.core()->profile().chat_path.empty())
    throw Error(Errc::unsupported, server.core()->profile().name + " serves no chat models");
  return std::make_shared<RemoteChatModel>(server.core(), std::move(model));
}

}  // namespace ragstone
