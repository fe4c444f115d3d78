#include "support/session_cases.hpp"

#include "support/errors.hpp"

#include <string>
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

}  // namespace

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

  EXPECT_EQ(error_of([&] { runtime.run(sessions.load(SessionId())); }).errc(), Errc::invalid_argument);
  EXPECT_EQ(error_of([&] { runtime.run(sessions.load(SessionId("\xFF"))); }).errc(), Errc::invalid_argument);
  EXPECT_EQ(error_of([&] { runtime.run(sessions.append(session, turn("\xFF", ""))); }).errc(), Errc::invalid_argument);
}

}  // namespace ragstone::test
