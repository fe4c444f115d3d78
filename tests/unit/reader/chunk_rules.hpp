#pragma once

#include "reader/white_space.hpp"
#include <ragstone/reader/chunker.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

/// What must hold for every chunker and text.
namespace ragstone::test {

inline std::vector<Chunk> chunk(const Chunker& chunker, std::string_view text) {
  ChunkInput input;
  input.text = text;
  input.source = "test";
  return chunker.chunk(input, {});
}

inline std::vector<std::string> texts_of(const std::vector<Chunk>& chunks, std::string_view text) {
  std::vector<std::string> texts;
  for (const Chunk& piece : chunks) texts.emplace_back(piece.span.of(text));
  return texts;
}

inline std::vector<std::string> cut(const Chunker& chunker, std::string_view text) {
  return texts_of(chunk(chunker, text), text);
}

inline std::shared_ptr<const Chunker> sentences_of(std::size_t max_tokens, std::size_t overlap_tokens,
                                                   std::shared_ptr<const TokenCounter> counter = nullptr) {
  SentenceChunkerOptions options;
  options.max_tokens = max_tokens;
  options.overlap_tokens = overlap_tokens;
  options.counter = std::move(counter);
  return sentence_chunker(options);
}

inline std::size_t code_points(std::string_view text) { return utf8::length(text); }

/// Spans in order, between code points, trimmed, no larger than allowed; and nothing but white space outside of them.
inline void expect_rules(std::string_view text, const std::vector<Chunk>& chunks, const TokenCounter& counter,
                         std::size_t max_tokens) {
  std::size_t covered = 0;
  std::size_t last_begin = 0;
  for (const Chunk& piece : chunks) {
    const Span span = piece.span;
    ASSERT_FALSE(piece.text.has_value());
    ASSERT_LT(span.begin, span.end);
    ASSERT_LE(span.end, text.size());
    ASSERT_GE(span.begin, last_begin);
    last_begin = span.begin;
    const std::string_view bytes = span.of(text);
    ASSERT_TRUE(utf8::is_valid(bytes));
    ASSERT_TRUE(counter.count(bytes) <= max_tokens || code_points(bytes) == 1) << counter.count(bytes);
    ASSERT_EQ(detail::trimmed(text, span), span);
    ASSERT_EQ(detail::skip_white_space(text, covered, span.begin), std::max<std::size_t>(covered, span.begin))
        << "text left out at " << covered;
    ASSERT_GT(span.end, covered) << "a chunk that is all overlap";
    covered = span.end;
  }
  ASSERT_EQ(detail::skip_white_space(text, covered, text.size()), text.size()) << "text left out at " << covered;
}

}  // namespace ragstone::test
