#include "check/source_text.hpp"
#include "support/data.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

namespace ragstone::check {
namespace {

TEST(BuildCheck, EveryPublicHeaderAndSourceIsListedInCMake) {
  const std::filesystem::path root = RAGSTONE_SOURCE_DIR;
  const auto listed = test::read_lines(std::filesystem::path(RAGSTONE_BINARY_DIR) / "listed_files.txt");
  for (const auto& file : source_files(root, {"include", "src"})) {
    const bool is_private_header = file.extension() != ".cpp" && file.string().starts_with("src/");
    if (is_private_header) continue;
    if (std::find(listed.begin(), listed.end(), (root / file).string()) == listed.end())
      ADD_FAILURE() << file.string() << " is in no CMakeLists.txt: it is neither built nor installed";
  }
}

}  // namespace
}  // namespace ragstone::check
