#include "model/flights.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/model/cache.hpp>
#include <ragstone/text/utf8.hpp>

#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace ragstone {
namespace {

using ReplyFlights = Flights<ChatReply>;

std::optional<std::string> bytes_of(const ChatReply& reply) {
  nlohmann::json json;
  for (const auto& [name, text] : {std::pair("text", &reply.text), std::pair("reasoning", &reply.reasoning),
                                   std::pair("id", &reply.id), std::pair("model", &reply.model)}) {
    if (!utf8::is_valid(*text)) return std::nullopt;
    json[name] = *text;
  }
  return json.dump();
}

/// None if the bytes are no reply: as good as not there.
std::optional<ChatReply> reply_of(const std::string& bytes) {
  const auto json = nlohmann::json::parse(bytes, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  ChatReply reply;
  for (const auto& [name, text] : {std::pair("text", &reply.text), std::pair("reasoning", &reply.reasoning),
                                   std::pair("id", &reply.id), std::pair("model", &reply.model)}) {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_string()) return std::nullopt;
    *text = found->get<std::string>();
  }
  return reply;
}

template <class Number>
std::string text_of(const std::optional<Number>& number) {
  return number ? nlohmann::json(*number).dump() : std::string("-");
}

class CachedChatModel final : public ChatModel {
 public:
  CachedChatModel(std::shared_ptr<ChatModel> inner, std::shared_ptr<Cache> cache, ChatCacheOptions options)
      : inner_(std::move(inner)), cache_(std::move(cache)), options_(std::move(options)) {}

  const std::string& name() const noexcept override { return inner_->name(); }
  std::string identity() const override { return inner_->identity(); }

 private:
  bool emits_runs() const noexcept override { return false; }

  Hash128 key_of(const ChatRequest& request) const {
    std::vector<std::string> parts{"chat",
                                   options_.tenant,
                                   identity(),
                                   text_of(request.temperature),
                                   text_of(request.top_p),
                                   text_of(request.max_tokens),
                                   text_of(request.seed)};
    parts.push_back(std::to_string(request.stop.size()));
    parts.insert(parts.end(), request.stop.begin(), request.stop.end());
    if (request.schema) parts.insert(parts.end(), {"schema", request.schema->name, request.schema->json});
    if (!request.pattern.empty()) parts.insert(parts.end(), {"pattern", request.pattern});
    if (!request.extra.empty()) parts.insert(parts.end(), {"extra", request.extra});
    if (request.cache_key) {
      parts.insert(parts.end(), {"key", to_string(*request.cache_key)});
    } else {
      for (const ChatMessage& message : request.messages)
        parts.insert(parts.end(), {"message", name_of(message.role), message.text});
    }
    const std::vector<std::string_view> views(parts.begin(), parts.end());
    return hash128(views);
  }

  Task<ChatReply> do_chat(const ChatRequest& request, ChatPieces& pieces, CallContext context) override {
    const Hash128 key = key_of(request);
    while (true) {
      std::optional<ReplyFlights::Lead> lead;
      std::optional<ReplyFlights::Seat> seat;
      flights_->join(key, lead, seat);
      std::optional<ChatReply> known;
      if (lead) {
        // Looked up by the leader alone: whoever looked before joining could miss a reply that comes in between.
        known = co_await look_up(key, context);
        if (!known && pieces.wanted()) co_return co_await ask_streamed(request, key, *lead, pieces, context);
        if (!known) co_return co_await ask(request, key, *lead, StreamProducer<std::string>(), context);
        lead->land(*known);
      } else {
        known = co_await seat->wait(context);
        if (!known) continue;  // the one who asked gave up
        tell_hit(context);
      }
      known->usage = Usage();
      known->usage.input = known->usage.output = 0;
      co_await pieces.put(known->text, context);
      co_return std::move(*known);
    }
  }

  Task<std::optional<ChatReply>> look_up(Hash128 key, CallContext context) {
    RunScope run(context, EventKind::cache, name(), attributes(context));
    std::optional<ChatReply> reply;
    std::exception_ptr error;
    try {
      std::vector<Hash128> keys(1, key);
      auto found = co_await cache_->get(CacheKind::chat, std::move(keys), run.context());
      if (found.front()) reply = reply_of(*found.front());
    } catch (...) {
      error = std::current_exception();
    }
    if (error) {
      run.fail(error);
      if (!concerns_all(error)) std::rethrow_exception(error);
      co_return reply;
    }
    Metadata counts = attributes(run.context());
    if (run.observed()) {
      counts.set("hits", reply ? 1 : 0);
      counts.set("misses", reply ? 0 : 1);
    }
    run.end(std::move(counts));
    co_return reply;
  }

  static Metadata attributes(const CallContext& context) {
    Metadata attributes;
    if (context.observed()) attributes.set("operation", "chat");
    return attributes;
  }

  /// A reply that an equal call at the same time brought.
  void tell_hit(const CallContext& context) {
    RunScope run(context, EventKind::cache, name(), attributes(context));
    Metadata counts = attributes(run.context());
    if (run.observed()) counts.set("hits", 1);
    run.end(std::move(counts));
  }

  /// The reply comes as fast as its model gives it, whatever the pace of the one who reads its pieces: others wait for
  /// it too. Pieces that are not read yet are kept.
  Task<ChatReply> ask_streamed(const ChatRequest& request, Hash128 key, ReplyFlights::Lead& lead, ChatPieces& pieces,
                               CallContext context) {
    AsyncStream<std::string> unread(std::numeric_limits<std::size_t>::max());
    ChatReply reply;
    std::vector<Task<void>> both;
    both.push_back(ask_into(reply, request, key, lead, unread.producer(), context));
    both.push_back(pass_on(std::move(unread), pieces, context));
    co_await gather(std::move(both));
    co_return reply;
  }

  Task<void> ask_into(ChatReply& reply, const ChatRequest& request, Hash128 key, ReplyFlights::Lead& lead,
                      StreamProducer<std::string> producer, CallContext context) {
    reply = co_await ask(request, key, lead, std::move(producer), std::move(context));
  }

  static Task<void> pass_on(AsyncStream<std::string> from, ChatPieces& to, CallContext context) {
    while (true) {
      std::optional<std::string> piece = co_await from.next(context);
      if (!piece) co_return;
      std::string own = to.own(*piece);
      from.recycle(std::move(*piece));
      co_await to.put(std::move(own), context);
    }
  }

  Task<ChatReply> ask(const ChatRequest& request, Hash128 key, ReplyFlights::Lead& lead,
                      StreamProducer<std::string> producer, CallContext context) {
    std::exception_ptr error;
    ChatReply reply;
    try {
      if (producer) {
        reply = co_await inner_->chat_stream(request, producer, context);
      } else {
        reply = co_await inner_->chat(request, context);
      }
      if (reply.finish == FinishReason::stop) co_await keep(key, reply, context);
    } catch (...) {
      error = std::current_exception();
    }
    if (error) {
      if (concerns_all(error)) lead.fail(error);
      std::rethrow_exception(error);
    }
    lead.land(reply);
    co_return reply;
  }

  Task<void> keep(Hash128 key, const ChatReply& reply, CallContext context) {
    std::optional<std::string> bytes = bytes_of(reply);
    if (!bytes) co_return;
    std::vector<CacheEntry> entries;
    entries.emplace_back(key, std::move(*bytes));
    std::exception_ptr error;
    try {
      co_await cache_->put(CacheKind::chat, std::move(entries), options_.time_to_live, context);
    } catch (...) {
      error = std::current_exception();
    }
    if (!error) co_return;
    if (!concerns_all(error)) std::rethrow_exception(error);
    RunScope run(context, EventKind::cache, name(), attributes(context));
    run.fail(error);
  }

  const std::shared_ptr<ChatModel> inner_;
  const std::shared_ptr<Cache> cache_;
  const ChatCacheOptions options_;
  const std::shared_ptr<ReplyFlights> flights_ = std::make_shared<ReplyFlights>();
};

}  // namespace

std::shared_ptr<ChatModel> cached_chat_model(std::shared_ptr<ChatModel> inner, std::shared_ptr<Cache> cache,
                                             ChatCacheOptions options) {
  if (!inner || !cache) throw Error(Errc::invalid_argument, "cached_chat_model: needs a model and a cache");
  return std::make_shared<CachedChatModel>(std::move(inner), std::move(cache), std::move(options));
}

}  // namespace ragstone
