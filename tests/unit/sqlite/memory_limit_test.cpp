#include "support/process_use.hpp"
#include "support/rounds.hpp"
#include "support/temporary_folder.hpp"

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <string>

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ragstone::test {
namespace {

constexpr int kRefused = 10;

/// How a child ends whose address space may grow by so many bytes.
int run_child(std::size_t bytes) {
  const TemporaryFolder folder;
  std::string program = RAGSTONE_MEMORY_LIMIT_CHILD;
  std::string store = folder.path() / "kb";
  std::string limit = std::to_string(bytes);
  char* arguments[] = {program.data(), store.data(), limit.data(), nullptr};
  pid_t child = 0;
  if (::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environ) != 0) return -1;
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_FALSE(WIFSIGNALED(status)) << "signal " << WTERMSIG(status);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// F5
TEST(MemoryLimit, IsToldByErrorsLosesNothingAndIsForgottenOnceItIsLifted) {
  if (!PeakMemory::counts()) GTEST_SKIP() << "a sanitizer's own memory takes more address space than any limit leaves";
  constexpr std::size_t kEnough = std::size_t{16} << 20;
  const std::size_t limits = std::min<std::size_t>(rounds(16), 400);
  std::size_t refused = 0;
  for (std::size_t i = 0; i < limits && !HasFailure(); ++i) {
    SCOPED_TRACE("limit " + std::to_string(i * (kEnough / limits)));
    const int code = run_child(i * (kEnough / limits));
    EXPECT_TRUE(code == 0 || code == kRefused) << "exit code " << code;
    refused += code == kRefused ? 1 : 0;
  }
  std::cout << "refused under " << refused << " of " << limits << " limits\n";
  EXPECT_GT(refused, 1U);
  EXPECT_EQ(run_child(std::size_t{1} << 30), 0) << "refused with plenty of memory";
}

}  // namespace
}  // namespace ragstone::test
