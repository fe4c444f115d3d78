#include "support/errors.hpp"
#include "support/scripted_chat_model.hpp"
#include "support/session_cases.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/model/sqlite_cache.hpp>
#include <ragstone/rag/memory.hpp>
#include <ragstone/store/sqlite_engine.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

class SqliteSessionsTest : public ::testing::Test {
 protected:
  std::shared_ptr<SessionStore> open() { return sqlite_sessions(runtime.pool(), folder.path()); }

  TemporaryFolder folder;
  Runtime runtime;
};

TEST_F(SqliteSessionsTest, KeepTurnsAndSummaries) { expect_sessions_work(runtime, *open()); }

// MM-3
TEST_F(SqliteSessionsTest, ASummaryOfAClearedSessionIsNotKept) { expect_clear_beats_summaries(runtime, open()); }

// MM-3
TEST_F(SqliteSessionsTest, SurviveARestart) {
  const SessionId session("s", "甲");
  runtime.run(window_memory(open(), 2)->save(session, "你好？", "你好！"));
  const auto messages = runtime.run(window_memory(open(), 2)->load(session));
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[1].text, "你好！");
  runtime.run(buffer_memory(open())->clear(session));
  EXPECT_TRUE(runtime.run(buffer_memory(open())->load(session)).empty());
  runtime.run(buffer_memory(open())->append(session, "again", "yes"));
  EXPECT_EQ(runtime.run(open()->load(session)).turns.at(0).number, 2u) << "numbers are not used again";
}

struct Conversation {
  const char* question;
  const char* answer;
  const char* small_talk;
  const char* first_summary;
  const char* second_summary;
};

// MM-2, MM-3, MM-4: a summary, and turns that wait for one since the model failed, are there after a restart, and the
// next summary goes on from them.
TEST_F(SqliteSessionsTest, SummariesGoOnAfterARestartInBothLanguages) {
  TokenMemoryOptions options;
  options.max_tokens = 60;
  const Conversation conversations[] = {
      {"我叫张三，住在北京。", "你好，张三。", "还有什么别的问题吗？没有了。", "用户叫张三，住在北京。",
       "张三住在北京，没有问题。"},
      {"My name is Ada and I live in London.", "Hello Ada.", "Is there anything else? No, nothing else today.",
       "The user is Ada from London.", "Ada from London has no questions."}};
  for (const Conversation& conversation : conversations) {
    const SessionId session(conversation.answer, "tenant");
    const auto model = std::make_shared<ScriptedChatModel>();
    ChatScript works;
    ChatScript fails;
    model->add(works.piece(conversation.first_summary));
    model->add(fails.fail(Errc::transient, "busy"));
    std::vector<ChatMessage> before;
    std::size_t kept = 0;
    {
      const auto memory = summary_memory(open(), model, options);
      SaveReport report = runtime.run(memory->save(session, conversation.question, conversation.answer));
      for (int i = 0; i < 50 && report.pending.empty(); ++i)
        report = runtime.run(memory->save(session, conversation.small_talk, conversation.small_talk));
      ASSERT_FALSE(report.pending.empty()) << "the second summary fails";
      before = runtime.run(memory->load(session));
      kept = runtime.run(open()->load(session)).turns.size();
    }
    const auto later = std::make_shared<ScriptedChatModel>();
    ChatScript again;
    later->add(again.piece(conversation.second_summary));
    const auto memory = summary_memory(open(), later, options);
    const std::vector<ChatMessage> after = runtime.run(memory->load(session));
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
      EXPECT_EQ(after[i].role, before[i].role);
      EXPECT_EQ(after[i].text, before[i].text);
    }
    EXPECT_EQ(after[0].role, ChatRole::user);
    EXPECT_NE(after[0].text.find(conversation.first_summary), std::string::npos);
    EXPECT_EQ(runtime.run(open()->load(session)).turns.size(), kept) << "what waits for a summary is lost to nobody";

    const SaveReport report = runtime.run(memory->save(session, conversation.small_talk, conversation.small_talk));
    EXPECT_TRUE(report.summarized);
    EXPECT_LE(report.tokens, options.max_tokens);
    ASSERT_EQ(later->requests().size(), 1u);
    const std::string asked = later->requests()[0].messages[1].text;
    EXPECT_NE(asked.find(conversation.first_summary), std::string::npos) << "the next summary goes on from the first";
    EXPECT_NE(asked.find(conversation.small_talk), std::string::npos);
    EXPECT_EQ(runtime.run(open()->load(session)).summary, conversation.second_summary);
    EXPECT_TRUE(runtime.run(memory->clear(session)));
    EXPECT_TRUE(runtime.run(summary_memory(open(), later, options)->load(session)).empty());
  }
}

TEST_F(SqliteSessionsTest, GoAlongWithBackupsAndExportsOfTheStore) {
  const TemporaryFolder others;
  const auto sessions = open();
  runtime.run(buffer_memory(sessions)->save(SessionId("s"), "你好？", "Hello!"));
  const auto engine = sqlite_engine(folder.path());
  engine->backup(others.path() / "backup");
  export_store(folder.path(), others.path() / "archive");
  import_store(others.path() / "archive", others.path() / "imported");
  for (const char* name : {"backup", "imported"}) {
    const auto copied = buffer_memory(sqlite_sessions(runtime.pool(), others.path() / name));
    EXPECT_EQ(runtime.run(copied->load(SessionId("s"))).size(), 2u) << name;
  }
}

TEST_F(SqliteSessionsTest, RefuseAFileThatIsNotTheirs) {
  std::ofstream(folder.path() / "sessions.db") << std::string(10'000, 'x');
  EXPECT_EQ(error_of([&] { open(); }).errc(), Errc::corrupt_store);
}

}  // namespace
}  // namespace ragstone::test
