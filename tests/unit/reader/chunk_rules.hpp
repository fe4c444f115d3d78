#pragma once

#include "reader/white_space.hpp"
#include <ragstone/reader/chunker.hpp>
#include <ragstone/text/utf8.hpp>

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

/// What is wrong with chunks of `text`, empty if nothing is: spans are in order, between code points, trimmed and no
/// larger than allowed; a chunk is not all overlap; nothing but white space is outside of them.
inline std::string broken_rule(std::string_view text, const std::vector<Chunk>& chunks, const TokenCounter& counter,
                               std::size_t max_tokens) {
  std::size_t covered = 0;
  std::size_t last_begin = 0;
  const auto left_out = [&](std::size_t until) { return detail::skip_white_space(text, covered, until) < until; };
  for (const Chunk& piece : chunks) {
    const Span span = piece.span;
    const std::string where = " at " + std::to_string(span.begin);
    if (piece.text || span.begin >= span.end || span.end > text.size()) return "no span" + where;
    const std::string_view bytes = span.of(text);
    if (span.begin < last_begin) return "out of order" + where;
    if (!utf8::is_valid(bytes)) return "cut inside a code point" + where;
    if (counter.count(bytes) > max_tokens && utf8::length(bytes) > 1) return "too large" + where;
    if (detail::trimmed(text, span) != span) return "not trimmed" + where;
    if (span.begin > covered && left_out(span.begin)) return "text left out before the chunk" + where;
    if (span.end <= covered) return "all overlap" + where;
    last_begin = span.begin;
    covered = span.end;
  }
  return left_out(text.size()) ? "text left out at the end" : "";
}

inline void expect_rules(std::string_view text, const std::vector<Chunk>& chunks, const TokenCounter& counter,
                         std::size_t max_tokens) {
  EXPECT_EQ(broken_rule(text, chunks, counter, max_tokens), "");
}

}  // namespace ragstone::test
