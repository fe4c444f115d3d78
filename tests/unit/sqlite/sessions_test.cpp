#include "support/errors.hpp"
#include "support/session_cases.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/model/sqlite_cache.hpp>
#include <ragstone/rag/memory.hpp>

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
TEST_F(SqliteSessionsTest, SurviveARestart) {
  const SessionId session("s", "甲");
  runtime.run(window_memory(open(), 2)->save(session, "你好？", "你好！"));
  const auto messages = runtime.run(window_memory(open(), 2)->load(session));
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[1].text, "你好！");
  runtime.run(buffer_memory(open())->clear(session));
  EXPECT_TRUE(runtime.run(buffer_memory(open())->load(session)).empty());
}

TEST_F(SqliteSessionsTest, RefuseAFileThatIsNotTheirs) {
  std::ofstream(folder.path() / "sessions.db") << std::string(10'000, 'x');
  EXPECT_EQ(error_of([&] { open(); }).errc(), Errc::corrupt_store);
}

}  // namespace
}  // namespace ragstone::test
