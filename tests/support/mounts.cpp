#include "support/mounts.hpp"

#include "support/temporary_folder.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ragstone::test {
namespace {

constexpr const char* kChild = "RAGSTONE_TEST_NAMESPACE";

/// The exit code of a program; -1 if it did not come to one.
int run(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (::posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0) return -1;
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// 0, or the system's error number.
int try_mount() {
  const TemporaryFolder folder;
  if (::mount("none", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0) return errno;
  ::umount2(folder.path().c_str(), MNT_DETACH);
  return 0;
}

}  // namespace

Mounts find_mounts(std::string& why_not) {
  const int error = try_mount();
  if (error == 0) return Mounts::allowed;
  why_not = "mounting a small file system needs root or user namespaces: " + std::generic_category().message(error);
  if (std::getenv(kChild) != nullptr || run({"unshare", "-Urm", "true"}) != 0) return Mounts::refused;
  const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  ::setenv(kChild, "1", 1);
  const int code =
      run({"unshare", "-Urm", program, std::string("--gtest_filter=") + test->test_suite_name() + "." + test->name()});
  ::unsetenv(kChild);
  EXPECT_EQ(code, 0) << "in a namespace of its own, see above";
  return Mounts::elsewhere;
}

}  // namespace ragstone::test
