#include "support/errors.hpp"
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
TEST_F(SqliteSessionsTest, SurviveARestart) {
  const SessionId session("s", "甲");
  runtime.run(window_memory(open(), 2)->save(session, "你好？", "你好！"));
  const auto messages = runtime.run(window_memory(open(), 2)->load(session));
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[1].text, "你好！");
  runtime.run(buffer_memory(open())->clear(session));
  EXPECT_TRUE(runtime.run(buffer_memory(open())->load(session)).empty());
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
