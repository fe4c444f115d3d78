#include "support/rounds.hpp"
#include "unit/reader/chunk_rules.hpp"
#include "unit/reader/random_text.hpp"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

constexpr std::size_t kMaxTokens[] = {1, 2, 3, 8, 30, 128, 256};

TEST(ChunkProperty, RandomTextsKeepAllRules) {
  const auto counter = estimated_token_counter();
  for (unsigned seed = 1; seed <= test::rounds(400); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const std::string text = test::random_text(random, 1 + random() % 300);
    const std::size_t max_tokens = kMaxTokens[random() % std::size(kMaxTokens)];
    const std::size_t overlap = random() % max_tokens;
    const auto chunks = test::chunk(*test::sentences_of(max_tokens, overlap), text);
    test::expect_rules(text, chunks, *counter, max_tokens);
    for (std::size_t i = 1; i < chunks.size() && !testing::Test::HasFailure(); ++i) {
      const Span repeated{chunks[i].span.begin, std::max(chunks[i].span.begin, chunks[i - 1].span.end)};
      ASSERT_LE(counter->count(detail::trimmed(text, repeated).of(text)), overlap);
    }
    constexpr std::size_t kAny = ~std::size_t{0};
    test::expect_rules(text, test::chunk(*paragraph_chunker(), text), *counter, kAny);
    test::expect_rules(text, test::chunk(*line_chunker(), text), *counter, kAny);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(ChunkProperty, EqualTextsAreCutEquallyWhereverTheyStand) {
  // From the first common cut on, what came before makes no difference.
  for (unsigned seed = 1; seed <= test::rounds(100); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const std::string text = test::random_text(random, 200) + "\n\n";
    const auto chunker = test::sentences_of(40, 0);
    const auto alone = test::cut(*chunker, text);
    const auto behind = test::cut(*chunker, "A paragraph of its own.\n\n# Heading\n\n" + text);
    std::size_t same = 0;
    while (same < alone.size() && same < behind.size() &&
           alone[alone.size() - 1 - same] == behind[behind.size() - 1 - same])
      ++same;
    EXPECT_TRUE(alone.size() <= 20 || same > alone.size() / 3) << same << " of " << alone.size();
  }
}

/// One text after another that a naive division takes quadratic time or deep recursion for. They end soon or the test
/// program's time limit ends it.
class HostileText : public testing::TestWithParam<const char*> {};

TEST_P(HostileText, OfTenMegabytesInOneLineIsCutInLinearTime) {
  constexpr std::size_t kSize = 10 << 20;
  const std::string piece = GetParam();
  std::string text;
  while (text.size() < kSize) text += piece;
  test::expect_rules(text, test::chunk(*test::sentences_of(256, 25), text), *estimated_token_counter(), 256);
}

INSTANTIATE_TEST_SUITE_P(All, HostileText,
                         testing::Values("(", "[[", "<div>", ".", "a.", "a. ", "。", "，", "长", "a", "\u0301",
                                         "👩‍👩‍👧‍👦", " ", "\n", "\r", "x\n", "#", "```\n",
                                         "\t\u3000"));

TEST(LongLine, Of200MegabytesIsCut) {
  std::string text;
  text.reserve(200 << 20);
  std::mt19937 random(7);
  while (text.size() < (200 << 20)) {
    text += "Value ";
    text += std::to_string(random());
    text += random() % 8 == 0 ? ". " : " ";
    if (random() % 64 == 0) text += "这一行很长，没有换行。";
  }
  const auto chunks = test::chunk(*test::sentences_of(1024, 100), text);
  test::expect_rules(text, chunks, *estimated_token_counter(), 1024);
  EXPECT_GT(chunks.size(), 10'000u);
}

}  // namespace
}  // namespace ragstone
