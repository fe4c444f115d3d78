#pragma once

#include <ragstone/async/stream.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/model/chat_model.hpp>

#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/system/system_error.hpp>
#include <nlohmann/json.hpp>

/// What chat servers send, and what a model makes of it.
namespace ragstone::test {

/// A whole reply.
inline const char* const kReply =
    R"({"id":"c-1","object":"chat.completion","created":1,"model":"real-model","choices":[{"index":0,
"message":{"role":"assistant","content":"你好 there","refusal":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,
"completion_tokens":4,"total_tokens":13,"prompt_tokens_details":{"cached_tokens":3,"cache_write_tokens":1},
"completion_tokens_details":{"reasoning_tokens":2}}})";

/// What comes of a streamed call.
class Streamed {
 public:
  ChatReply reply;
  std::vector<std::string> pieces;
  std::exception_ptr error;
};

inline Task<Streamed> stream(std::shared_ptr<ChatModel> model, ChatRequest request, CallContext context = {}) {
  AsyncStream<std::string> pieces(10'000);
  Streamed result;
  auto producer = pieces.producer();
  try {
    result.reply = co_await model->chat_stream(std::move(request), producer, context);
  } catch (...) {
    result.error = std::current_exception();
  }
  try {
    while (auto piece = co_await pieces.next()) result.pieces.push_back(*piece);
  } catch (const boost::system::system_error&) {
  }
  co_return result;
}

inline std::string joined(const std::vector<std::string>& pieces) {
  std::string all;
  for (const auto& piece : pieces) all += piece;
  return all;
}

/// A piece of a streamed reply.
inline std::string delta(const std::string& text) {
  nlohmann::json chunk;
  chunk["id"] = "c-2";
  chunk["model"] = "real-model";
  chunk["choices"][0]["delta"]["content"] = text;
  chunk["choices"][0]["finish_reason"] = nullptr;
  return chunk.dump();
}

/// Ends of a streamed reply.
inline const char* const kFinish = R"({"choices":[{"index":0,"delta":{},"finish_reason":"length"}]})";
inline const char* const kUsage =
    R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}})";

}  // namespace ragstone::test
