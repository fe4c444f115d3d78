#include "support/data.hpp"
#include "unit/reader/chunk_rules.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

namespace fs = std::filesystem;

/// How many of `after` are not in `before`, counting repeats.
std::size_t new_in(const std::vector<std::string>& before, const std::vector<std::string>& after) {
  std::multiset<std::string> known(before.begin(), before.end());
  std::size_t changed = 0;
  for (const std::string& text : after) {
    const auto found = known.find(text);
    if (found == known.end())
      ++changed;
    else
      known.erase(found);
  }
  return changed;
}

struct Tally {
  std::size_t edits = 0;
  std::size_t chunks = 0;
  std::size_t changed = 0;
  std::size_t most = 0;
};

/// Inserts a paragraph at the paragraph nearest to some places of each file, one edit at a time.
Tally measure(const fs::path& folder, const std::string& paragraph, const Chunker& chunker) {
  Tally tally;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string text = test::read_file(entry.path());
    if (text.size() < 20'000) continue;
    const auto before = test::cut(chunker, text);
    for (const double part : {0.1, 0.3, 0.5, 0.7}) {
      const std::size_t at = text.find("\n\n", static_cast<std::size_t>(part * static_cast<double>(text.size())));
      if (at == std::string::npos) continue;
      std::string edited = text;
      edited.insert(at, "\n\n" + paragraph);
      const std::size_t changed = new_in(before, test::cut(chunker, edited));
      ++tally.edits;
      tally.chunks += before.size();
      tally.changed += changed;
      tally.most = std::max(tally.most, changed);
    }
  }
  return tally;
}

class ChunkLocality : public testing::TestWithParam<std::pair<unsigned, unsigned>> {};

TEST_P(ChunkLocality, AnInsertedParagraphChangesAFewChunksOnly) {
  RAGSTONE_DATA_OR_SKIP(book, "corpora/d2l-book");
  const auto [max_tokens, overlap] = GetParam();
  const auto chunker = test::sentences_of(max_tokens, overlap);
  const std::pair<const char*, const char*> cases[] = {
      {"en", "Here is one more remark that was not here before. It takes a few sentences, so that it counts."},
      {"zh", "这里补充一段以前没有的说明。它有好几句话，所以不算太短。读者可以先跳过它。"}};
  for (const auto& [language, paragraph] : cases) {
    const Tally tally = measure(book / language, paragraph, *chunker);
    ASSERT_GT(tally.edits, 50u);
    const double mean = static_cast<double>(tally.changed) / static_cast<double>(tally.edits);
    const double size = static_cast<double>(tally.chunks) / static_cast<double>(tally.edits);
    std::printf("%u/%u %s: %.2f of %.1f chunks change on average, %zu at most, in %zu edits\n", max_tokens, overlap,
                language, mean, size, tally.most, tally.edits);
    EXPECT_LT(mean, 4.0);
    EXPECT_LT(tally.most, 20u);
  }
}

INSTANTIATE_TEST_SUITE_P(BuiltInGroups, ChunkLocality,
                         testing::Values(std::pair{1024u, 100u}, std::pair{256u, 25u}, std::pair{128u, 12u}));

}  // namespace
}  // namespace ragstone
