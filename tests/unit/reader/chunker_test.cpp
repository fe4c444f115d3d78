#include "unit/reader/chunk_rules.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/reader/chunker.hpp>

#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ragstone {
namespace {

using test::cut;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(LineChunker, GivesEachLineThatIsNotBlank) {
  EXPECT_THAT(cut(*line_chunker(), "one\r\n\n  two  \n\t\n三。\r四"), ElementsAre("one", "  two", "三。", "四"));
  EXPECT_THAT(cut(*line_chunker(), ""), IsEmpty());
  EXPECT_THAT(cut(*line_chunker(), " \n\u3000\n"), IsEmpty());
}

TEST(ParagraphChunker, GivesTheLinesBetweenBlankOnes) {
  EXPECT_THAT(cut(*paragraph_chunker(), "\n\na\nb  \n \t\n    if x:\n        y\n\n第一段。\r\n第二行。\r\n\r\n末"),
              ElementsAre("a\nb", "    if x:\n        y", "第一段。\r\n第二行。", "末"));
  EXPECT_THAT(cut(*paragraph_chunker(), ""), IsEmpty());
}

TEST(Chunker, SignaturesNameVersionAndParameters) {
  EXPECT_EQ(line_chunker()->signature(), "line/1");
  EXPECT_EQ(paragraph_chunker()->signature(), "paragraph/1");
  EXPECT_EQ(test::sentences_of(256, 25)->signature(),
            "sentence/1/max_tokens=256,overlap_tokens=25,counter=" + estimated_token_counter()->signature());
  EXPECT_EQ(function_chunker("mine/2", [](const auto&, const auto&) { return std::vector<Chunk>(); })->signature(),
            "mine/2");
}

TEST(Chunker, AFunctionSeesTheInputAndItsPiecesComeBack) {
  Metadata metadata;
  metadata.set("title", "标题");
  ChunkInput input;
  input.text = "甲乙";
  input.source = "a.md";
  input.metadata = &metadata;
  const auto chunker = function_chunker("f/1", [](const ChunkInput& given, const StopToken&) {
    std::vector<Chunk> chunks;
    chunks.emplace_back(Span{3, 6});
    chunks.emplace_back();
    chunks.back().text = *given.metadata->text("title") + " of " + std::string(given.source);
    chunks.back().metadata.set("made", true);
    return chunks;
  });
  const auto chunks = chunker->chunk(input, {});
  ASSERT_EQ(chunks.size(), 2u);
  EXPECT_EQ(chunks[0].span.of(input.text), "乙");
  EXPECT_EQ(chunks[1].text, "标题 of a.md");
  EXPECT_THROW(function_chunker("f/1", nullptr), Error);
}

TEST(Chunker, SpansThatAreNoneAreRefused) {
  constexpr auto kHuge = std::numeric_limits<std::uint64_t>::max();
  const std::pair<Span, const char*> faults[] = {{{0, 7}, "outside the text"},    {{2, 2}, "is empty"},
                                                 {{4, 1}, "outside the text"},    {{0, 1}, "inside a code point"},
                                                 {{1, 3}, "inside a code point"}, {{kHuge, kHuge}, "outside the text"}};
  for (const auto& [span, message] : faults) {
    const auto chunker = function_chunker("wrong/1", [span = span](const ChunkInput&, const StopToken&) {
      return std::vector<Chunk>{Chunk(Span{0, 3}), Chunk(span)};
    });
    try {
      test::chunk(*chunker, "甲乙");
      ADD_FAILURE() << message;
    } catch (const Error& error) {
      EXPECT_EQ(error.errc(), Errc::invalid_argument);
      EXPECT_THAT(error.what(), HasSubstr(message));
      EXPECT_THAT(error.what(), HasSubstr("chunk \"test\": piece 1 of the chunker wrong/1"));
    }
  }
  const auto chunker = function_chunker("wrong/2", [](const ChunkInput&, const StopToken&) {
    std::vector<Chunk> chunks(1);
    chunks[0].text = "\xFF";
    return chunks;
  });
  EXPECT_THROW(test::chunk(*chunker, "甲乙"), Error);
}

TEST(Chunker, AStopEndsTheCutting) {
  std::stop_source source;
  source.request_stop();
  ChunkInput input;
  input.text = "text";
  for (const auto& chunker : {line_chunker(), paragraph_chunker(), test::sentences_of(10, 0)})
    EXPECT_THROW(chunker->chunk(input, source.get_token()), boost::system::system_error);
}

TEST(SentenceChunker, OptionsOutOfRangeAreRefused) {
  EXPECT_THROW(test::sentences_of(0, 0), Error);
  EXPECT_THROW(test::sentences_of(10, 10), Error);
  EXPECT_NO_THROW(test::sentences_of(1, 0));
  EXPECT_NO_THROW(test::sentences_of(10, 9));
}

}  // namespace
}  // namespace ragstone
