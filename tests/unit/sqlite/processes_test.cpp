#include "recovered_store.hpp"
#include "support/errors.hpp"
#include "support/faults/faulty_store.hpp"
#include "support/rounds.hpp"
#include "support/store/expect_state.hpp"
#include "support/store/store_history.hpp"
#include "support/store/store_script.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/sqlite_engine.hpp>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSeed = 9000;
constexpr const char* kFolder = "RAGSTONE_TEST_STORE";

/// A test of this program, run as another process over the same folder.
class Role {
 public:
  Role(const std::string& test, const fs::path& folder) {
    std::string program = "/proc/self/exe";
    std::string filter = "--gtest_filter=StoreProcesses.DISABLED_" + test;
    std::string disabled = "--gtest_also_run_disabled_tests";
    std::string brief = "--gtest_brief=1";
    char* arguments[] = {program.data(), filter.data(), disabled.data(), brief.data(), nullptr};
    ::setenv(kFolder, folder.c_str(), 1);
    const int error = ::posix_spawn(&process_, program.c_str(), nullptr, nullptr, arguments, environ);
    ::unsetenv(kFolder);
    EXPECT_EQ(error, 0);
  }

  void expect_success() const {
    int status = 0;
    ::waitpid(process_, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "see the other process's output";
  }

 private:
  pid_t process_ = 0;
};

fs::path folder_of_role() {
  const char* folder = std::getenv(kFolder);
  return folder ? folder : "";
}

bool is_over() { return fs::exists(folder_of_role() / "over"); }

/// Sees one whole state after the other.
TEST(StoreProcesses, DISABLED_Reader) {
  if (folder_of_role().empty()) GTEST_SKIP() << "a role in another test";
  StoreHistory history(kSeed);
  SqliteOptions options;
  options.access = StoreAccess::read_only;
  Generation last = 0;
  while (!is_over() && !HasFailure()) {
    const auto engine = sqlite_engine(folder_of_role() / "store", options);
    for (int i = 0; i < 20 && !HasFailure(); ++i) {
      const auto snapshot = engine->snapshot();
      EXPECT_GE(snapshot->generation(), last);
      last = snapshot->generation();
      expect_state(*snapshot, history);
    }
  }
}

/// Never gets the lock.
TEST(StoreProcesses, DISABLED_Intruder) {
  if (folder_of_role().empty()) GTEST_SKIP() << "a role in another test";
  while (!is_over() && !HasFailure()) {
    const Error error = error_of([] { sqlite_engine(folder_of_role() / "store"); });
    EXPECT_TRUE(error.errc() == Errc::locked || is_over()) << error.what();
  }
}

// F9
TEST(StoreProcesses, ReadersSeeWholeStatesAndASecondWriterIsKeptOut) {
  const TemporaryFolder folder;
  StoreHistory history(kSeed);
  std::vector<Role> roles;
  {
    StoreScript script(history, kSeed, 0, [&] { return sqlite_engine(folder.path() / "store", busy_options()); });
    script.commit();
    for (const char* role : {"Reader", "Reader", "Reader", "Intruder"}) roles.emplace_back(role, folder.path());
    for (std::size_t i = 0; i < rounds(200) && !HasFailure(); ++i) {
      script.commit();
      if (i % 5 == 0) script.maintain();
    }
    folder.write("over", "");
    for (const Role& role : roles) role.expect_success();
    script.close();
  }
  expect_recovered(folder.path() / "store", history, 1, rounds(200) + 1);
}

}  // namespace
}  // namespace ragstone::test
