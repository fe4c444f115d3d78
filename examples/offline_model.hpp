#pragma once

#include <ragstone/model/chat_model.hpp>

#include <string>

/// Stands in for a language model where there is none: it counts what it is asked, word by word. Give
/// ragstone::ChatModel's place to a client of a real one.
class OfflineModel final : public ragstone::ChatModel {
 public:
  const std::string& name() const noexcept override { return name_; }

 private:
  ragstone::Task<ragstone::ChatReply> do_chat(const ragstone::ChatRequest& request, ragstone::ChatPieces& pieces,
                                              ragstone::CallContext context) override {
    std::size_t bytes = 0;
    for (const auto& message : request.messages) bytes += message.text.size();
    ragstone::ChatReply reply;
    reply.model = name_;
    const std::string words[] = {"A ",     "model ", "would ", "now ", "read ", std::to_string(bytes) + " ",
                                 "bytes ", "[1]."};
    for (const std::string& word : words) {
      reply.text += word;
      co_await pieces.put(word, context);
    }
    co_return reply;
  }

  std::string name_ = "offline";
};
