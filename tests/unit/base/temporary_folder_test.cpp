#include "support/temporary_folder.hpp"

#include "support/unprivileged.hpp"

#include <filesystem>
#include <iterator>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

TEST(TemporaryFolder, OfATestThatIsRunAgainWithoutPrivilegesIsRemovedToo) {
  const TemporaryFolder outer;
  const TemporaryPlace place(outer.path());
  const TemporaryFolder own;
  if (!rerun_unprivileged()) return;
  EXPECT_EQ(std::distance(fs::directory_iterator(outer.path()), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace ragstone::test
