#pragma once

#include <ragstone/base/error.hpp>
#include <ragstone/model/chat_model.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ragstone::test {

/// What a ScriptedChatModel does in one call: steps in order, then a reply of all its pieces.
class ChatScript {
 public:
  ChatScript() = default;

  ChatScript& piece(std::string text);
  /// Waits on a timer of the call's executor; ends early when cancelled.
  ChatScript& delay(std::chrono::milliseconds time);
  /// Waits until the call is cancelled.
  ChatScript& hang();
  /// Ends the call with an error.
  ChatScript& fail(Errc code, std::string message);
  /// What the reply says besides its text.
  ChatScript& usage(std::uint64_t input, std::uint64_t output);
  ChatScript& finish(FinishReason reason);

 private:
  friend class ScriptedChatModel;

  struct Step {
    std::string piece;
    std::chrono::milliseconds delay{0};
    bool hangs = false;
    std::exception_ptr error;
  };

  std::vector<Step> steps_;
  Usage usage_;
  FinishReason finish_ = FinishReason::stop;
};

/// Plays scripts, one per call, in the order in which they were added; the last one again and again. It proves how
/// callers treat a model, nothing about models. Thread-safe.
class ScriptedChatModel final : public ChatModel {
 public:
  explicit ScriptedChatModel(std::string name = "scripted") : name_(std::move(name)) {}

  void add(ChatScript script);

  const std::string& name() const noexcept override { return name_; }
  /// The requests of all calls so far.
  std::vector<ChatRequest> requests() const;

 private:
  Task<ChatReply> do_chat(const ChatRequest& request, ChatPieces& pieces, CallContext context) override;
  ChatScript next(const ChatRequest& request);

  std::string name_;
  mutable std::mutex mutex_;
  std::deque<ChatScript> scripts_;
  std::vector<ChatRequest> requests_;
};

}  // namespace ragstone::test
