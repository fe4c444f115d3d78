#include "check/include_rules.hpp"
#include "support/data.hpp"

#include <string>

#include <gtest/gtest.h>

namespace ragstone::check {
namespace {

const std::filesystem::path kRoot = RAGSTONE_SOURCE_DIR;

TEST(LayerCheck, RejectsAHigherLayer) {
  EXPECT_EQ(layer_findings("src/base/error.cpp", "#include <ragstone/text/utf8.hpp>\n").size(), 1U);
  EXPECT_EQ(layer_findings("src/store/rows.cpp", "\n# include \"rag/document_core.hpp\"\n").at(0).line, 2U);
  EXPECT_EQ(layer_findings("include/ragstone/index/flat.hpp", "#include <ragstone/async/task.hpp>\n").size(), 1U);
  EXPECT_EQ(layer_findings("src/store/a.cpp", "#include <boost/asio/post.hpp>\n").size(), 1U);
  EXPECT_EQ(layer_findings("src/rag/a.cpp", "#include <ragstone/ragstone.hpp>\n").size(), 1U);
  EXPECT_EQ(layer_findings("src/misc/a.cpp", "").size(), 1U);
}

TEST(LayerCheck, AcceptsOwnAndLowerLayers) {
  EXPECT_TRUE(layer_findings("src/rag/a.cpp",
                             "#include <ragstone/rag/document.hpp>\n#include \"rag/core.hpp\"\n"
                             "#include <ragstone/base/error.hpp>\n#include <boost/asio/post.hpp>\n#include <vector>\n")
                  .empty());
}

TEST(LayerCheck, NoLayerIncludesALayerAboveIt) {
  const auto files = source_files(kRoot, {"include", "src"});
  ASSERT_FALSE(files.empty());
  for (const auto& file : files)
    for (const Finding& finding : layer_findings(file, test::read_file(kRoot / file)))
      ADD_FAILURE() << file.string() << ":" << finding.line << ": " << finding.what;
}

TEST(PublicHeaderCheck, RejectsThirdPartyHeaders) {
  for (const char* bad : {"<spdlog/spdlog.h>", "<nlohmann/json.hpp>", "<unicode/uchar.h>", "<boost/asio.hpp>",
                          "<boost/asio/steady_timer.hpp>", "<sqlite3.h>", "\"rag/core.hpp\""})
    EXPECT_EQ(public_header_findings("#include " + std::string(bad) + "\n").size(), 1U) << bad;
}

TEST(PublicHeaderCheck, AcceptsTheStandardLibraryAndSmallBoostHeaders) {
  EXPECT_TRUE(public_header_findings("#include <vector>\n#include <ragstone/base/error.hpp>\n"
                                     "#include <boost/asio/awaitable.hpp>\n#include <boost/system/error_code.hpp>\n")
                  .empty());
}

TEST(PublicHeaderCheck, NoPublicHeaderIncludesMore) {
  for (const auto& file : source_files(kRoot, {"include"}))
    for (const Finding& finding : public_header_findings(test::read_file(kRoot / file)))
      ADD_FAILURE() << file.string() << ":" << finding.line << ": " << finding.what;
}

}  // namespace
}  // namespace ragstone::check
