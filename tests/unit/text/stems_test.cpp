#include "support/data.hpp"
#include <ragstone/text/analyzer.hpp>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

TEST(Porter, StemsThePublishedVocabularyAsItsAuthorsProgram) {
  RAGSTONE_DATA_OR_SKIP(path, "text/porter-stems.tsv");
  AnalyzerOptions options;
  options.stop_words = false;
  const auto analyzer = english_analyzer(options);
  std::size_t words = 0;
  for (const std::string& line : test::read_lines(path)) {
    const auto fields = test::split_tabs(line);
    ASSERT_EQ(fields.size(), 2u);
    const auto tokens = analyzer->analyze(fields[0]);
    if (tokens.size() != 1) continue;  // a few words have an apostrophe
    ++words;
    EXPECT_EQ(tokens[0].term, fields[1]) << fields[0];
  }
  EXPECT_GT(words, 23'000u);
}

}  // namespace
}  // namespace ragstone
