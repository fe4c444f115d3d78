#include "support/scripted_chat_model.hpp"

#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ragstone::test {
namespace {

Task<void> wait_until(std::chrono::steady_clock::time_point time) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, time);
  co_await timer.async_wait(boost::asio::use_awaitable);
}

}  // namespace

ChatScript& ChatScript::piece(std::string text) {
  steps_.emplace_back().piece = std::move(text);
  return *this;
}

ChatScript& ChatScript::delay(std::chrono::milliseconds time) {
  steps_.emplace_back().delay = time;
  return *this;
}

ChatScript& ChatScript::hang() {
  steps_.emplace_back().hangs = true;
  return *this;
}

ChatScript& ChatScript::fail(Errc code, std::string message) {
  steps_.emplace_back().error = std::make_exception_ptr(Error(code, message));
  return *this;
}

ChatScript& ChatScript::usage(std::uint64_t input, std::uint64_t output) {
  usage_.input = input;
  usage_.output = output;
  return *this;
}

ChatScript& ChatScript::finish(FinishReason reason) {
  finish_ = reason;
  return *this;
}

void ScriptedChatModel::add(ChatScript script) {
  const std::lock_guard lock(mutex_);
  scripts_.push_back(std::move(script));
}

std::vector<ChatRequest> ScriptedChatModel::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

ChatScript ScriptedChatModel::next(const ChatRequest& request) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(request);
  if (scripts_.empty()) throw Error(Errc::internal, "scripted chat model: no script was added");
  ChatScript script = scripts_.front();
  if (scripts_.size() > 1) scripts_.pop_front();
  return script;
}

Task<ChatReply> ScriptedChatModel::do_chat(const ChatRequest& request, ChatPieces& pieces, CallContext context) {
  const ChatScript script = next(request);
  ChatReply reply;
  reply.model = name_;
  reply.usage = script.usage_;
  reply.finish = script.finish_;
  for (const auto& step : script.steps_) {
    if (step.error) std::rethrow_exception(step.error);
    if (step.hangs) co_await wait_until(std::chrono::steady_clock::time_point::max());
    if (step.delay.count() > 0) co_await wait_until(std::chrono::steady_clock::now() + step.delay);
    reply.text += step.piece;
    co_await pieces.put(step.piece, context);
  }
  co_return reply;
}

}  // namespace ragstone::test
