#include "model/paid_error.hpp"
#include "model/remote/chat_wire.hpp"
#include "model/remote/model_server_core.hpp"
#include "model/remote/reply_pattern.hpp"
#include "model/remote/reply_schema.hpp"
#include <ragstone/http/sse.hpp>

#include <exception>
#include <optional>
#include <string>
#include <string_view>
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

/// What a reply must follow, and the check of it, which may take its time.
class Demands {
 public:
  explicit Demands(const ChatRequest& request) {
    if (request.schema) schema_.emplace(*request.schema);
    if (!request.pattern.empty()) pattern_.emplace(request.pattern);
  }

  bool any() const noexcept { return schema_ || pattern_; }
  /// Errors: Errc::rejected.
  void check(std::string_view text) {
    if (schema_) schema_->check(text);
    if (pattern_) pattern_->check(text);
  }

 private:
  std::optional<detail::SchemaCheck> schema_;
  std::optional<detail::PatternCheck> pattern_;
};

/// What was read of a reply, whatever the reading ended with.
class Decoded {
 public:
  ChatDecoder decoder;
  std::string piece;  ///< Of an event.
  std::exception_ptr error;
};

bool is_json(const HttpHeaders& headers) { return headers.find("content-type").starts_with("application/json"); }

class RemoteChatModel final : public ChatModel {
 public:
  RemoteChatModel(std::shared_ptr<ModelServerCore> core, std::string model)
      : core_(std::move(core)), model_(std::move(model)) {}

  const std::string& name() const noexcept override { return model_; }
  std::string identity() const override { return core_->chat_identity(model_); }

 private:
  void describe(Metadata& attributes) const override { core_->describe(attributes); }

  Task<ChatReply> do_chat(const ChatRequest& request, ChatPieces& pieces, CallContext context) override {
    const auto demands = std::make_shared<Demands>(request);
    std::string body = co_await body_of(request, pieces.wanted(), context);
    HttpRequest http = core_->request(core_->profile().chat_path, std::move(body));
    ApiCall call(core_, EventKind::chat, model_, detail::priority_of(context), tokens_of(request), context);
    while (true) {
      co_await call.begin(http);
      ChatDecoder decoder(core_->profile().think_tags);
      std::exception_ptr error;
      try {
        if (pieces.wanted()) {
          co_await streamed(call, http, decoder, pieces, context);
        } else {
          co_await whole(call, http, decoder, context);
        }
        call.succeeded(decoder.reply().usage);
        if (demands->any()) co_await check(demands, decoder.reply().text, context);
        ChatReply reply = decoder.take();
        if (reply.model.empty()) reply.model = model_;
        co_return reply;
      } catch (...) {
        error = paid(std::current_exception(), decoder.reply().usage);
      }
      co_await call.failed(error);
    }
  }

  Task<std::string> body_of(const ChatRequest& request, bool streamed, CallContext context) const {
    const std::size_t bytes = detail::chat_body_bytes(request);
    if (bytes < ModelServerCore::kLargeBytes) co_return detail::chat_body(core_->profile(), model_, request, streamed);
    Work<std::string> work;
    work.set([core = core_, model = model_, request, streamed](const StopToken&) {
      return detail::chat_body(core->profile(), model, request, streamed);
    });
    co_return co_await core_->carry_out(bytes, std::move(work), context);
  }

  Task<void> check(std::shared_ptr<Demands> demands, const std::string& text, CallContext context) const {
    if (text.size() < ModelServerCore::kLargeBytes) {
      demands->check(text);
      co_return;
    }
    Work<void> work;
    work.set([demands, text](const StopToken&) { demands->check(text); });
    co_await core_->carry_out(text.size(), std::move(work), context);
  }

  Task<void> whole(ApiCall& call, const HttpRequest& http, ChatDecoder& decoder, CallContext context) {
    HttpResponse response = co_await core_->http().fetch(http, context);
    call.saw(response.status, response.headers);
    if (response.status >= 300)
      co_await core_->refuse(model_, http, response.status, response.headers, std::move(response.body), context);
    co_await read_whole(http, std::move(response.body), decoder, context);
  }

  Task<void> read_whole(const HttpRequest& http, std::string body, ChatDecoder& decoder, CallContext context) const {
    const std::size_t bytes = body.size();
    Work<Decoded> work;
    work.set([body = std::move(body), think_tags = core_->profile().think_tags](const StopToken&) {
      Decoded decoded;
      decoded.decoder = ChatDecoder(think_tags);
      try {
        decoded.decoder.read_whole(body);
      } catch (...) {
        decoded.error = std::current_exception();
      }
      return decoded;
    });
    co_await read(http, bytes, std::move(work), decoder, context);
  }

  /// Of an event that would hold up the caller's executor. Returns the piece of text in it.
  Task<std::string> read_large_event(const HttpRequest& http, std::string data, ChatDecoder& decoder,
                                     CallContext context) const {
    const std::size_t bytes = data.size();
    Decoded before;
    before.decoder = std::move(decoder);
    Work<Decoded> work;
    work.set([decoded = std::move(before), data = std::move(data)](const StopToken&) mutable {
      try {
        decoded.piece = decoded.decoder.read_event(data);
      } catch (...) {
        decoded.error = std::current_exception();
      }
      return std::move(decoded);
    });
    co_return co_await read(http, bytes, std::move(work), decoder, context);
  }

  Task<std::string> read(const HttpRequest& http, std::size_t bytes, Work<Decoded> work, ChatDecoder& decoder,
                         CallContext context) const {
    Decoded decoded = co_await core_->carry_out(bytes, std::move(work), context);
    decoder = std::move(decoded.decoder);
    if (decoded.error && errc_of(decoded.error) == Errc::internal) std::rethrow_exception(decoded.error);
    if (decoded.error) std::rethrow_exception(core_->told(model_, http, decoded.error));
    co_return std::move(decoded.piece);
  }

  Task<void> streamed(ApiCall& call, const HttpRequest& http, ChatDecoder& decoder, ChatPieces& pieces,
                      CallContext context) {
    HttpStream stream = co_await core_->http().open(http, context);
    call.saw(stream.status(), stream.headers());
    if (stream.status() >= 300) {
      std::string body = co_await rest_of(stream, context);
      co_await core_->refuse(model_, http, stream.status(), stream.headers(), std::move(body), context);
    }
    if (is_json(stream.headers())) {
      std::string body = co_await rest_of(stream, context);
      co_await read_whole(http, std::move(body), decoder, context);
      call.make_final();
      std::string text = decoder.reply().text;
      co_await pieces.put(std::move(text), context);
      co_return;
    }
    co_await read_events(call, http, stream, decoder, pieces, context);
  }

  static Task<std::string> rest_of(HttpStream& stream, CallContext context) {
    std::string body;
    std::string bytes;
    while (!stream.ended()) {
      if (stream.take(bytes)) {
        body += bytes;
      } else {
        co_await stream.wait(context);
      }
    }
    co_return body;
  }

  Task<void> read_events(ApiCall& call, const HttpRequest& http, HttpStream& stream, ChatDecoder& decoder,
                         ChatPieces& pieces, CallContext context) {
    const std::string type(stream.headers().find("content-type"));
    stream.set_idle_timeout(core_->first_token_timeout());
    bool has_begun = false;
    bool any = false;
    std::string bytes;
    std::string large;
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
        any = true;
        std::string_view piece;
        if (event.data.size() >= ModelServerCore::kLargeBytes) {
          large = co_await read_large_event(http, std::string(event.data), decoder, context);
          piece = large;
        } else {
          decode(http, [&] { piece = decoder.read_event(event.data); });
        }
        if (!has_begun && decoder.has_begun()) {
          has_begun = true;
          stream.set_idle_timeout(core_->http().options().idle_timeout);
        }
        if (piece.empty()) continue;
        call.make_final();
        std::string own = pieces.own(piece);
        co_await pieces.put(std::move(own), context);
      }
    }
    decode(http, [&] {
      if (!any && !type.empty() && !type.starts_with("text/event-stream"))
        throw Error(Errc::transient, "the server was asked for a stream of events, and sent " + type);
      decoder.require_complete();
    });
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
