#include "support/session_cases.hpp"

#include "support/errors.hpp"
#include <ragstone/rag/memory.hpp>

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

Turn turn(std::string question, std::string answer) {
  Turn turn;
  turn.question = std::move(question);
  turn.answer = std::move(answer);
  turn.tokens = 7;
  return turn;
}

/// A model during whose call the user clears the session and says something else.
class ClearingModel final : public ChatModel {
 public:
  ClearingModel(SessionStore& sessions, SessionId session) : sessions_(sessions), session_(std::move(session)) {}

  const std::string& name() const noexcept override { return name_; }

 private:
  Task<ChatReply> do_chat(const ChatRequest&, ChatPieces& pieces, CallContext context) override {
    co_await sessions_.clear(session_, context);
    co_await sessions_.append(session_, turn("later", "kept"), context);
    ChatReply reply;
    reply.text = "old talk";
    co_await pieces.put(reply.text, context);
    co_return reply;
  }

  const std::string name_ = "clearing";
  SessionStore& sessions_;
  const SessionId session_;
};

}  // namespace

void expect_clear_beats_summaries(Runtime& runtime, std::shared_ptr<SessionStore> sessions) {
  const SessionId session("cleared");
  const auto model = std::make_shared<ClearingModel>(*sessions, session);
  TokenMemoryOptions options;
  options.max_tokens = 10;
  const auto memory = summary_memory(sessions, model, options);
  EXPECT_FALSE(runtime.run(memory->save(session, "a question of some length", "an answer of some length")).summarized);
  const SessionRecord record = runtime.run(sessions->load(session));
  EXPECT_EQ(record.summary, "") << "what was cleared comes back";
  ASSERT_EQ(record.turns.size(), 1u);
  EXPECT_EQ(record.turns[0].question, "later");
}

void expect_sessions_work(Runtime& runtime, SessionStore& sessions) {
  const SessionId session("会话 1", "甲");
  EXPECT_TRUE(runtime.run(sessions.load(session)).turns.empty());
  for (int i = 1; i <= 4; ++i)
    EXPECT_EQ(runtime.run(sessions.append(session, turn("问题", "answer " + std::to_string(i)))).turns.size(),
              static_cast<std::size_t>(i));
  SessionRecord record = runtime.run(sessions.load(session));
  ASSERT_EQ(record.turns.size(), 4u);
  EXPECT_EQ(record.turns[0].number, 1u);
  EXPECT_EQ(record.turns[3].answer, "answer 4");
  EXPECT_EQ(record.turns[3].question, "问题");
  EXPECT_EQ(record.turns[3].tokens, 7u);

  runtime.run(sessions.drop(session, 1));
  EXPECT_TRUE(runtime.run(sessions.summarize(session, 0, 2, "摘要", 3)));
  EXPECT_FALSE(runtime.run(sessions.summarize(session, 0, 4, "late", 3))) << "somebody else has summarised";
  record = runtime.run(sessions.load(session));
  EXPECT_EQ(record.summary, "摘要");
  EXPECT_EQ(record.summarized, 2u);
  EXPECT_EQ(record.summary_tokens, 3u);
  ASSERT_EQ(record.turns.size(), 2u);
  EXPECT_EQ(record.turns[0].number, 3u);
  EXPECT_EQ(runtime.run(sessions.append(session, turn("a", "b"))).turns.back().number, 5u);

  // S8
  const SessionId same_name("会话 1", "乙");
  EXPECT_TRUE(runtime.run(sessions.load(same_name)).turns.empty());
  runtime.run(sessions.append(same_name, turn("x", "y")));
  EXPECT_EQ(runtime.run(sessions.names("甲")), std::vector<std::string>{"会话 1"});
  EXPECT_TRUE(runtime.run(sessions.names("")).empty());

  // MM-3
  EXPECT_TRUE(runtime.run(sessions.clear(session)));
  EXPECT_FALSE(runtime.run(sessions.clear(session)));
  record = runtime.run(sessions.load(session));
  EXPECT_TRUE(record.turns.empty());
  EXPECT_TRUE(record.summary.empty());
  EXPECT_EQ(runtime.run(sessions.load(same_name)).turns.size(), 1u);

  // What was begun before the session was cleared finds none of its turns.
  EXPECT_EQ(runtime.run(sessions.append(session, turn("later", ""))).turns.size(), 1u);
  runtime.run(sessions.drop(session, 5));
  EXPECT_FALSE(runtime.run(sessions.summarize(session, 0, 5, "of what was cleared", 3)));
  record = runtime.run(sessions.load(session));
  EXPECT_TRUE(record.summary.empty());
  ASSERT_EQ(record.turns.size(), 1u);
  EXPECT_EQ(record.turns[0].question, "later");
  EXPECT_EQ(record.turns[0].number, 6u);
  EXPECT_TRUE(runtime.run(sessions.clear(session)));
  EXPECT_EQ(runtime.run(sessions.append(session, turn("q", "a"))).turns[0].number, 7u) << "nor of its later ones";
  EXPECT_TRUE(runtime.run(sessions.clear(session)));
  EXPECT_TRUE(runtime.run(sessions.names("甲")).empty());

  EXPECT_EQ(error_of([&] { runtime.run(sessions.load(SessionId())); }).errc(), Errc::invalid_argument);
  EXPECT_EQ(error_of([&] { runtime.run(sessions.load(SessionId("\xFF"))); }).errc(), Errc::invalid_argument);
  EXPECT_EQ(error_of([&] { runtime.run(sessions.append(session, turn("\xFF", ""))); }).errc(), Errc::invalid_argument);
}

}  // namespace ragstone::test
