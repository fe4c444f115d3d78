#include "support/data.hpp"
#include "unit/reader/chunk_rules.hpp"
#include <ragstone/reader/chunker.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ragstone {
namespace {

namespace fs = std::filesystem;
using test::cut;
using test::sentences_of;
using testing::Each;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

/// Each code point is a token: sizes in tests are easily seen.
class CodePointCounter final : public TokenCounter {
 public:
  CodePointCounter() : TokenCounter("code_points/1", true) {}

 private:
  std::size_t do_count(std::string_view text) const override { return utf8::length(text); }
};

/// As a vocabulary with frames does: two more tokens for each text, so that sums over pieces are far from the whole.
class FramedCounter final : public TokenCounter {
 public:
  FramedCounter() : TokenCounter("framed/1", true) {}

 private:
  std::size_t do_count(std::string_view text) const override { return text.empty() ? 0 : 2 + utf8::length(text) / 3; }
};

/// Counts the whole dearer than its pieces: the square of the length.
class DearCounter final : public TokenCounter {
 public:
  DearCounter() : TokenCounter("dear/1", false) {}

 private:
  std::size_t do_count(std::string_view text) const override { return text.size() * text.size() / 16; }
};

std::shared_ptr<const Chunker> by_code_points(std::size_t max_tokens, std::size_t overlap_tokens = 0) {
  return sentences_of(max_tokens, overlap_tokens, std::make_shared<CodePointCounter>());
}

TEST(SentenceChunker, AShortTextIsOneChunk) {
  EXPECT_THAT(cut(*sentences_of(100, 10), "\n  One sentence. 第二句。 \n\n"), ElementsAre("  One sentence. 第二句。"));
  EXPECT_THAT(cut(*sentences_of(100, 10), ""), IsEmpty());
  EXPECT_THAT(cut(*sentences_of(100, 10), " \n\t\r\n\u3000"), IsEmpty());
}

TEST(SentenceChunker, CutsBetweenSentencesInEnglishAndChinese) {
  EXPECT_THAT(cut(*by_code_points(24), "The first sentence. The second, longer! A third?"),
              ElementsAre("The first sentence.", "The second, longer!", "A third?"));
  EXPECT_THAT(cut(*by_code_points(10), "今天天气很好。我们去公园玩吧！你想去吗？好；再见"),
              ElementsAre("今天天气很好。", "我们去公园玩吧！", "你想去吗？好；再见"));
}

TEST(SentenceChunker, PrefersTheClearestPlace) {
  const auto chunker = by_code_points(40);
  EXPECT_THAT(cut(*chunker, "Before it. And more.\n\nAfter it, one line.\nAnother line here.\n"),
              ElementsAre("Before it. And more.", "After it, one line.\nAnother line here."));
  EXPECT_THAT(cut(*chunker, "Some words here, twice.\n# Heading\n\nText below it. Then more.\n"),
              ElementsAre("Some words here, twice.", "# Heading\n\nText below it. Then more."));
}

TEST(SentenceChunker, CutsLongSentencesAtClausesThenWordsThenCharacters) {
  EXPECT_THAT(cut(*by_code_points(20), "one two three four, five six seven eight, nine"),
              ElementsAre("one two three four,", "five six seven", "eight, nine"));
  EXPECT_THAT(cut(*by_code_points(9), "今天的天气非常好，我们决定去公园散步，然后回家"), Each(Not(StartsWith("，"))));
  for (const std::string& piece : cut(*by_code_points(12), "alpha beta gamma delta epsilon zeta eta theta"))
    EXPECT_THAT(std::string("alpha beta gamma delta epsilon zeta eta theta "), HasSubstr(piece + " "));
}

TEST(SentenceChunker, NeverCutsACharacterThatReadersSeeAsOne) {
  const std::string family = "👩‍👩‍👧‍👦";
  const std::string flag = "🇨🇳";
  const std::string accent = "e\u0301";
  for (const std::string& one : {family, flag, accent}) {
    std::string text;
    for (int i = 0; i < 40; ++i) text += one;
    for (const std::string& piece : cut(*by_code_points(16), text)) EXPECT_EQ(piece.size() % one.size(), 0u) << piece;
  }
}

TEST(SentenceChunker, ACharacterThatAloneCountsTooMuchStandsAlone) {
  EXPECT_THAT(cut(*sentences_of(1, 0), "a🦉b"), ElementsAre("a", "🦉", "b"));
}

TEST(SentenceChunker, CodeKeepsItsIndentation) {
  const std::string code =
      "def first():\n    value = compute(1)\n    return value\n\n    # inner\n        deep = value + 1\n        return "
      "deep\n";
  const auto pieces = cut(*by_code_points(50), code);
  ASSERT_GE(pieces.size(), 3u);
  for (const std::string& piece : pieces) {
    const std::size_t at = code.find(piece);
    ASSERT_NE(at, std::string::npos);
    EXPECT_TRUE(at == 0 || code[at - 1] == '\n') << piece;
  }
}

TEST(SentenceChunker, AHeadingInFencedCodeIsNone) {
  const std::string before = "Text before it, which is of some length. ";
  const std::string behind = "\n\nText behind it, which is of about the same length.\n";
  for (const std::string fence : {"```", "~~~~"}) {
    EXPECT_THAT(cut(*by_code_points(75), before + "\n" + fence + "\n# comment\n" + fence + behind),
                ElementsAre(EndsWith(fence), StartsWith("Text behind")));
    EXPECT_THAT(cut(*by_code_points(75), before + "\n\n\n# comment\n\n" + behind),
                ElementsAre(StartsWith("Text before"), StartsWith("# comment")));
  }
}

TEST(SentenceChunker, AHeadingIsNotLeftBehind) {
  std::string text;
  for (int i = 0; i < 30; ++i)
    text += "## Part " + std::to_string(i) + "\n\nA sentence of it. Another one, a bit longer. 第三句话在这里。\n\n";
  for (const std::string& piece : cut(*by_code_points(100, 10), text)) {
    const std::size_t last_line = piece.rfind('\n');
    EXPECT_FALSE(last_line != std::string::npos && piece.compare(last_line + 1, 3, "## ") == 0) << piece;
  }
}

TEST(SentenceChunker, OverlapIsWholeSentencesOfTheChunkBefore) {
  std::string text;
  for (int i = 10; i < 60; ++i) text += "Sentence number " + std::to_string(i) + ". 第" + std::to_string(i) + "句话。";
  const auto chunker = by_code_points(120, 30);
  const auto chunks = test::chunk(*chunker, text);
  ASSERT_GT(chunks.size(), 5u);
  int overlapping = 0;
  for (std::size_t i = 1; i < chunks.size(); ++i) {
    ASSERT_LE(chunks[i].span.begin, chunks[i - 1].span.end);
    const std::string overlap(Span{chunks[i].span.begin, chunks[i - 1].span.end}.of(text));
    EXPECT_LE(utf8::length(overlap), 30u);
    if (overlap.empty()) continue;
    ++overlapping;
    EXPECT_TRUE(overlap.starts_with("Sentence") || overlap.starts_with("第")) << overlap;
    EXPECT_THAT(overlap, testing::AnyOf(EndsWith("."), EndsWith("。")));
  }
  EXPECT_EQ(overlapping, static_cast<int>(chunks.size()) - 1);
}

TEST(SentenceChunker, NoTinyChunkIsLeftAtTheEnd) {
  for (int sentences = 20; sentences < 60; ++sentences) {
    std::string text;
    for (int i = 0; i < sentences; ++i) text += "Sentence number " + std::to_string(10 + i) + " here. ";
    const auto pieces = cut(*by_code_points(160), text);
    EXPECT_GE(pieces.back().size(), 20u) << sentences;
  }
}

TEST(SentenceChunker, TheLimitHoldsUnderEveryCounter) {
  const std::string text =
      "A first sentence, with clauses; and more. "
      "中文句子在这里，也有分句。Anunbrokenwordwithoutanyspacesinitatall\n\n# H\n"
      "\n- list\n- 列表\n\n🇨🇳🇨🇳🇨🇳 e\u0301e\u0301\n";
  const std::shared_ptr<const TokenCounter> counters[] = {std::make_shared<CodePointCounter>(),
                                                          std::make_shared<FramedCounter>(),
                                                          std::make_shared<DearCounter>(), estimated_token_counter()};
  for (const auto& counter : counters)
    for (const std::size_t max_tokens : {3, 5, 17, 40, 100})
      for (const std::size_t overlap : {std::size_t{0}, max_tokens / 4, max_tokens - 1}) {
        SCOPED_TRACE(counter->signature() + " " + std::to_string(max_tokens) + "/" + std::to_string(overlap));
        test::expect_rules(text, test::chunk(*sentences_of(max_tokens, overlap, counter), text), *counter, max_tokens);
      }
}

TEST(SentenceChunker, KeepsItsRulesOnARealBook) {
  RAGSTONE_DATA_OR_SKIP(book, "corpora/d2l-book");
  const auto counter = estimated_token_counter();
  for (const auto& [max_tokens, overlap] : {std::pair{1024u, 100u}, {256u, 25u}, {128u, 12u}}) {
    const auto chunker = sentences_of(max_tokens, overlap);
    std::size_t chunks_in_all = 0;
    std::size_t tokens_in_all = 0;
    for (const auto& entry : fs::recursive_directory_iterator(book)) {
      if (!entry.is_regular_file()) continue;
      SCOPED_TRACE(entry.path());
      const std::string text = test::read_file(entry.path());
      const auto chunks = test::chunk(*chunker, text);
      test::expect_rules(text, chunks, *counter, max_tokens);
      chunks_in_all += chunks.size();
      for (const Chunk& piece : chunks) tokens_in_all += counter->count(piece.span.of(text));
    }
    // Neither nearly empty nor all cut at the limit.
    const double fill = static_cast<double>(tokens_in_all) / static_cast<double>(chunks_in_all * max_tokens);
    RecordProperty("fill_" + std::to_string(max_tokens), std::to_string(fill));
    std::printf("%u/%u: %zu chunks, %.2f full\n", max_tokens, overlap, chunks_in_all, fill);
    EXPECT_GT(fill, 0.5);
  }
}

}  // namespace
}  // namespace ragstone
