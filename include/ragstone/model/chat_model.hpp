#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/stream.hpp>
#include <ragstone/async/task.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace ragstone {

enum class ChatRole { system, user, assistant };

class ChatMessage {
 public:
  ChatMessage() = default;
  ChatMessage(ChatRole message_role, std::string message_text) : role(message_role), text(std::move(message_text)) {}

  ChatRole role = ChatRole::user;
  std::string text;
};

/// What is asked of a model. An unset option is left to the model.
class ChatRequest {
 public:
  ChatRequest() = default;

  std::vector<ChatMessage> messages;  ///< At least one.
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<std::uint32_t> max_tokens;
  std::optional<std::uint64_t> seed;
  std::vector<std::string> stop;
};

/// Token counts as a provider reports them; absent is not zero. Cached input is part of input, reasoning part of
/// output.
class Usage {
 public:
  Usage() = default;

  std::optional<std::uint64_t> input;
  std::optional<std::uint64_t> output;
  std::optional<std::uint64_t> cache_read;
  std::optional<std::uint64_t> cache_write;
  std::optional<std::uint64_t> reasoning;
};

enum class FinishReason { stop, length, content_filter, other };

class ChatReply {
 public:
  ChatReply() = default;

  std::string text;
  std::string model;  ///< As the provider names it.
  FinishReason finish = FinishReason::stop;
  Usage usage;
};

/// A language model. Shared by any number of operations at once.
class ChatModel {
 public:
  virtual ~ChatModel() = default;

  virtual const std::string& name() const noexcept = 0;

  /// The whole reply. A reply that broke off is an error, never a short text.
  /// Errors: Errc::invalid_argument (no messages), Errc::timeout, Errc::transient, Errc::rejected.
  Task<ChatReply> chat(ChatRequest request, CallContext context = {});

  /// The same, and each piece of text goes into `pieces` as it arrives; the stream is finished, or failed with the
  /// error, before this completes. A reader that goes away cancels the call.
  Task<ChatReply> chat_stream(ChatRequest request, AsyncStream<std::string> pieces, CallContext context = {});

 private:
  /// `pieces` is null when nobody listens. The framework finishes it.
  virtual Task<ChatReply> do_chat(const ChatRequest& request, AsyncStream<std::string>* pieces,
                                  CallContext context) = 0;
};

static_assert(!std::is_aggregate_v<ChatRequest> && !std::is_aggregate_v<ChatReply> && !std::is_aggregate_v<Usage> &&
              !std::is_aggregate_v<ChatMessage>);

}  // namespace ragstone
