#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/async/stream.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/base/ids.hpp>
#include <ragstone/model/usage.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ragstone {

enum class ChatRole { system, user, assistant };

const char* name_of(ChatRole role) noexcept;

class ChatMessage {
 public:
  ChatMessage() = default;
  ChatMessage(ChatRole message_role, std::string message_text) : role(message_role), text(std::move(message_text)) {}

  ChatRole role = ChatRole::user;
  std::string text;
};

/// The shape that a reply must have: its text is one JSON value that follows a JSON Schema.
class ReplySchema {
 public:
  ReplySchema() = default;
  ReplySchema(std::string schema_name, std::string schema_json)
      : name(std::move(schema_name)), json(std::move(schema_json)) {}

  std::string name;  ///< 1 to 64 letters, digits, '_' and '-'.
  std::string json;  ///< The schema, a JSON object.
};

/// What is asked of a model. An unset option is left to the model.
class ChatRequest {
 public:
  ChatRequest() = default;

  std::vector<ChatMessage> messages;        ///< At least one.
  std::optional<double> temperature;        ///< At least 0.
  std::optional<double> top_p;              ///< Above 0, at most 1.
  std::optional<std::uint32_t> max_tokens;  ///< Of the reply; at least 1.
  std::optional<std::uint64_t> seed;
  std::vector<std::string> stop;      ///< Texts that end the reply; not empty.
  std::optional<ReplySchema> schema;  ///< A model that cannot hold a reply to it throws Errc::unsupported.
  /// A regular expression in RE2's syntax that the whole reply matches; as `schema`, and not beside one.
  std::string pattern;
  /// For models on servers: a JSON object whose members are added to the request, for what only some servers know:
  /// `{"frequency_penalty": 0.5}`. Where it names an option from above that is set, that option counts. Not in it:
  /// model, messages, stream, and `n`, since a call has one reply. Several replies are several calls (gather()), which
  /// servers without `n` answer as well (Ollama, LightLLM's streams).
  std::string extra;
  /// For cached_chat_model(): what tells equal requests apart instead of their messages, where these hold something
  /// that is new each time. No part of what the model sees.
  std::optional<Hash128> cache_key;
};

enum class FinishReason { stop, length, content_filter, other };

const char* name_of(FinishReason reason) noexcept;

class ChatReply {
 public:
  ChatReply() = default;

  std::string text;
  /// What the model thought before, where the provider tells, or the text began with it; no part of the text.
  std::string reasoning;
  std::string id;     ///< The provider's, if any.
  std::string model;  ///< As the provider names it.
  FinishReason finish = FinishReason::stop;
  Usage usage;
};

/// Where a model puts the pieces of its reply as they arrive. Made by ChatModel for one call.
class ChatPieces {
 public:
  ChatPieces() = default;
  ChatPieces(StreamProducer<std::string> pieces, RunScope* run) : pieces_(std::move(pieces)), run_(run) {}

  /// Somebody reads pieces: a model that can deliver its reply piece by piece must do so.
  bool wanted() const noexcept { return static_cast<bool>(pieces_); }

  /// Hands on the next piece of the reply's text, after waiting for the reader to make room. An empty piece is ignored,
  /// and so is every piece when none is wanted. Errors: `operation_aborted` once the reader is gone; Errc::timeout.
  Task<void> put(std::string piece, CallContext context = {});

  /// A string that holds `text`, for put(): one that the reader gave back, if it did (AsyncStream::recycle()), so that
  /// nothing is allocated for it.
  std::string own(std::string_view text) const;

  /// Bytes of all pieces so far.
  std::uint64_t size() const noexcept { return size_; }
  /// Tokens of these, each counted alone by the counter of the call's context; 0 without one, or without observers.
  std::uint64_t tokens() const noexcept { return tokens_; }

 private:
  friend class ChatModel;

  StreamProducer<std::string> pieces_;
  RunScope* run_ = nullptr;
  std::uint64_t size_ = 0;
  std::uint64_t tokens_ = 0;
};

/// A language model. Shared by any number of operations at once. Each call emits one chat run to the context's
/// observers, with a `token` event for each piece, and honours the context's deadline and cancellation (terminal).
/// Lifetime: the model outlives the task.
class ChatModel {
 public:
  virtual ~ChatModel() = default;

  virtual const std::string& name() const noexcept = 0;
  /// What tells its replies from those of other models, on other servers too: caches give a reply to models of an equal
  /// identity only. May be printed, so it holds no key.
  virtual std::string identity() const { return name(); }

  /// The whole reply. A reply that broke off is an error, never a short text.
  /// Errors: Errc::invalid_argument (no messages, an option outside its range), Errc::timeout, Errc::transient,
  /// Errc::rejected, Errc::unauthorized.
  Task<ChatReply> chat(ChatRequest request, CallContext context = {});

  /// The same, and each piece of the text goes into `pieces` as it arrives. The stream is finished, or failed with the
  /// error, before this completes. A reader that goes away cancels the call at the next piece. Without observers a
  /// model on a server allocates nothing for a piece whose reader gives its strings back (AsyncStream::recycle()).
  Task<ChatReply> chat_stream(ChatRequest request, StreamProducer<std::string> pieces, CallContext context = {});

 protected:
  /// For models around other models: the reply of `inner`, whose pieces go where this model's should go.
  static Task<ChatReply> forward(ChatModel& inner, ChatRequest request, ChatPieces& pieces, CallContext context);

 private:
  Task<ChatReply> run(ChatRequest request, StreamProducer<std::string> pieces, CallContext context);

  /// False for a model that answers through another one, whose runs are the ones to see.
  virtual bool emits_runs() const noexcept { return true; }
  /// Adds to the attributes of a run's start: for a model on a server `provider`, `server_address` and `server_port`.
  virtual void describe(Metadata& attributes) const;

  /// If pieces are wanted, those that it put are together exactly the reply's text. `request` and `pieces` stay valid
  /// until it completes. The framework ends the stream.
  virtual Task<ChatReply> do_chat(const ChatRequest& request, ChatPieces& pieces, CallContext context) = 0;
};

static_assert(!std::is_aggregate_v<ChatRequest> && !std::is_aggregate_v<ChatReply> &&
              !std::is_aggregate_v<ReplySchema> && !std::is_aggregate_v<ChatMessage> &&
              !std::is_aggregate_v<ChatPieces>);

}  // namespace ragstone
