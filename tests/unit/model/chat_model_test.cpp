#include "support/errors.hpp"
#include "support/recording_observer.hpp"
#include "support/scripted_chat_model.hpp"
#include <ragstone/async/runtime.hpp>
#include <ragstone/async/task_scope.hpp>
#include <ragstone/model/chat_model.hpp>

#include <chrono>
#include <memory>
#include <optional>

#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

namespace ragstone {
namespace {

using test::ChatScript;
using test::RecordingObserver;
using test::ScriptedChatModel;

ChatRequest question() {
  ChatRequest request;
  request.messages.emplace_back(ChatRole::user, "为什么天空是蓝色的？");
  return request;
}

/// What a reader of a stream got: all pieces, or those before the error.
class Reading {
 public:
  Reading() = default;

  std::vector<std::string> pieces;
  std::exception_ptr error;
};

Task<Reading> read(AsyncStream<std::string> stream, std::size_t at_most) {
  Reading reading;
  try {
    while (reading.pieces.size() < at_most) {
      std::optional<std::string> piece = co_await stream.next();
      if (!piece) break;
      reading.pieces.push_back(std::move(*piece));
    }
  } catch (...) {
    reading.error = std::current_exception();
  }
  co_return reading;
}

class ChatModelTest : public ::testing::Test {
 protected:
  /// Calls chat_stream() while a reader takes at most so many pieces and then goes away.
  std::future<ChatReply> start(std::size_t at_most = 1000, CallContext context = {}) {
    AsyncStream<std::string> stream(2);
    auto reply = runtime.spawn(model.chat_stream(question(), stream.producer(), context), boost::asio::use_future);
    reading = runtime.run(read(std::move(stream), at_most));
    return reply;
  }

  Runtime runtime;
  ScriptedChatModel model;
  Reading reading;
};

TEST_F(ChatModelTest, ReplyHasTheWholeTextAndWhatTheModelSays) {
  ChatScript script;
  script.piece("Because ").delay(std::chrono::milliseconds(1)).piece("air scatters.").usage(12, 4);
  model.add(script.finish(FinishReason::length));
  const auto reply = runtime.run(model.chat(question()));
  EXPECT_EQ(reply.text, "Because air scatters.");
  EXPECT_EQ(reply.finish, FinishReason::length);
  EXPECT_EQ(reply.usage.output, 4u);
  EXPECT_FALSE(reply.usage.reasoning.has_value());
  EXPECT_EQ(model.requests().at(0).messages.at(0).text, "为什么天空是蓝色的？");
}

TEST_F(ChatModelTest, StreamedPiecesAreTogetherTheReply) {
  ChatScript script;
  model.add(script.piece("因为").piece("").piece("空气").piece("散射").piece("蓝光。"));
  const auto reply = start().get();
  EXPECT_EQ(reading.pieces, (std::vector<std::string>{"因为", "空气", "散射", "蓝光。"}));
  EXPECT_FALSE(reading.error);
  EXPECT_EQ(reply.text, "因为空气散射蓝光。");
}

TEST_F(ChatModelTest, AnErrorEndsTheCallAndTheStreamAfterThePiecesBeforeIt) {
  ChatScript script;
  model.add(script.piece("half a ").fail(Errc::transient, "connection reset"));
  auto reply = start();
  EXPECT_EQ(test::error_of([&] { reply.get(); }).errc(), Errc::transient);
  EXPECT_EQ(reading.pieces, (std::vector<std::string>{"half a "}));
  ASSERT_TRUE(reading.error);
  EXPECT_EQ(errc_of(reading.error), Errc::transient);
}

TEST_F(ChatModelTest, DeadlineEndsAHalfReadStream) {
  ChatScript script;
  model.add(script.piece("half a ").hang());
  auto reply = start(1000, CallContext().with_timeout(std::chrono::milliseconds(20)));
  EXPECT_EQ(test::error_of([&] { reply.get(); }).errc(), Errc::timeout);
  EXPECT_EQ(reading.pieces, (std::vector<std::string>{"half a "}));
  ASSERT_TRUE(reading.error);
  EXPECT_EQ(errc_of(reading.error), Errc::timeout);
}

TEST_F(ChatModelTest, AReaderThatGoesAwayCancelsTheCall) {
  ChatScript script;
  for (int i = 0; i < 100; ++i) script.piece("word ");
  model.add(script.hang());
  auto reply = start(3);
  try {
    reply.get();
    FAIL() << "the call went on without a reader";
  } catch (...) {
    EXPECT_TRUE(is_cancelled(std::current_exception()));
  }
  EXPECT_EQ(reading.pieces.size(), 3u);
}

TEST_F(ChatModelTest, RequestsThatNoModelCanAnswerAreRefusedBeforeTheCall) {
  const auto refused = [&](auto change) {
    ChatRequest request = question();
    change(request);
    return test::error_of([&] { runtime.run(model.chat(request)); }).errc() == Errc::invalid_argument;
  };
  EXPECT_TRUE(refused([](ChatRequest& request) { request.messages.clear(); }));
  EXPECT_TRUE(refused([](ChatRequest& request) { request.temperature = -0.1; }));
  EXPECT_TRUE(refused([](ChatRequest& request) { request.top_p = 0.0; }));
  EXPECT_TRUE(refused([](ChatRequest& request) { request.top_p = 1.1; }));
  EXPECT_TRUE(refused([](ChatRequest& request) { request.max_tokens = 0; }));
  EXPECT_TRUE(refused([](ChatRequest& request) { request.stop.emplace_back(); }));
  EXPECT_TRUE(model.requests().empty());
}

TEST_F(ChatModelTest, ARefusedRequestFailsTheStreamToo) {
  AsyncStream<std::string> stream(2);
  auto reply = runtime.spawn(model.chat_stream(ChatRequest(), stream.producer()), boost::asio::use_future);
  reading = runtime.run(read(std::move(stream), 10));
  EXPECT_EQ(test::error_of([&] { reply.get(); }).errc(), Errc::invalid_argument);
  ASSERT_TRUE(reading.error);
  EXPECT_EQ(errc_of(reading.error), Errc::invalid_argument);
}

TEST_F(ChatModelTest, ObserversSeeEachPieceAndTheUsage) {
  auto observer = std::make_shared<RecordingObserver>();
  ChatScript script;
  model.add(script.piece("one ").piece("two").usage(7, 2));
  start(1000, CallContext().with_observer(observer)).get();
  ASSERT_EQ(observer->phases(),
            (std::vector<EventPhase>{EventPhase::start, EventPhase::token, EventPhase::token, EventPhase::end}));
  const auto events = observer->events();
  EXPECT_EQ(events[0].kind(), EventKind::chat);
  EXPECT_EQ(events[0].name(), "scripted");
  EXPECT_EQ(events[2].text(), "two");
  EXPECT_EQ(*events[3].attributes().find("input_tokens"), Scalar(std::int64_t{7}));
  EXPECT_EQ(*events[3].attributes().find("finish_reason"), Scalar(std::string("stop")));
}

TEST_F(ChatModelTest, ObserversSeeTheErrorOfAFailedCall) {
  auto observer = std::make_shared<RecordingObserver>();
  ChatScript script;
  model.add(script.fail(Errc::rejected, "content policy"));
  const auto context = CallContext().with_observer(observer);
  EXPECT_EQ(test::error_of([&] { runtime.run(model.chat(question(), context)); }).errc(), Errc::rejected);
  EXPECT_EQ(observer->phases(), (std::vector<EventPhase>{EventPhase::start, EventPhase::error}));
}

/// Says less in pieces than in its reply.
class ForgetfulModel final : public ChatModel {
 public:
  const std::string& name() const noexcept override { return name_; }

 private:
  Task<ChatReply> do_chat(const ChatRequest&, ChatPieces& pieces, CallContext context) override {
    ChatReply reply;
    reply.text = "all of it";
    co_await pieces.put("all ", context);
    co_return reply;
  }

  std::string name_ = "forgetful";
};

TEST_F(ChatModelTest, PiecesThatAreNotTheReplyAreAnError) {
  ForgetfulModel forgetful;
  AsyncStream<std::string> stream(2);
  auto reply = runtime.spawn(forgetful.chat_stream(question(), stream.producer()), boost::asio::use_future);
  reading = runtime.run(read(std::move(stream), 10));
  EXPECT_EQ(test::error_of([&] { reply.get(); }).errc(), Errc::rejected);
  EXPECT_TRUE(reading.error);
  EXPECT_EQ(runtime.run(forgetful.chat(question())).text, "all of it");
}

}  // namespace
}  // namespace ragstone
