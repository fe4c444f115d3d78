#include "support/unprivileged.hpp"

#include "support/temporary_folder.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <grp.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ragstone::test {
namespace {

constexpr const char* kChild = "RAGSTONE_TEST_UNPRIVILEGED";
constexpr unsigned kNobody = 65534;

void drop_privileges() {
  ASSERT_EQ(::setgroups(0, nullptr), 0);
  ASSERT_EQ(::setresgid(kNobody, kNobody, kNobody), 0);
  ASSERT_EQ(::setresuid(kNobody, kNobody, kNobody), 0);
  // Lost with the user id; the leak checker attaches to its own process.
  ASSERT_EQ(::prctl(PR_SET_DUMPABLE, 1), 0);
}

void run_child() {
  // What the child makes before it gives up root is not its own to remove.
  const TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  const TemporaryPlace place(folder.path());
  const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
  std::string filter = std::string("--gtest_filter=") + test->test_suite_name() + "." + test->name();
  std::string program = "/proc/self/exe";
  char* arguments[] = {program.data(), filter.data(), nullptr};
  ASSERT_EQ(::setenv(kChild, "1", 1), 0);
  pid_t child = 0;
  const int spawned = ::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environ);
  ::unsetenv(kChild);
  ASSERT_EQ(spawned, 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "as an unprivileged user, see above";
}

}  // namespace

bool rerun_unprivileged() {
  if (::geteuid() != 0) return false;
  if (!std::getenv(kChild)) {
    run_child();
    return true;
  }
  drop_privileges();
  return testing::Test::HasFatalFailure();
}

}  // namespace ragstone::test
