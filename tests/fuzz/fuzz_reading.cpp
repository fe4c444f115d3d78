#include "fuzz/targets.hpp"
#include "rag/extractive.hpp"
#include "rag/prose.hpp"
#include "unit/reader/chunk_rules.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/reader/reader.hpp>

#include <stdexcept>
#include <string>

namespace ragstone::test {
namespace {

void check_chunks(const Chunker& chunker, std::string_view text, std::size_t max_tokens) {
  const std::string broken = broken_rule(text, chunk(chunker, text), *estimated_token_counter(), max_tokens);
  if (!broken.empty()) throw std::logic_error(chunker.signature() + ": " + broken);
}

/// What is taken out of a passage for an answer, and that each citation quotes the passage.
void check_answers(std::string_view text) {
  std::uint64_t last = 0;
  for (const Span sentence : prose_sentences(text)) {
    if (sentence.begin < last || sentence.end <= sentence.begin || sentence.end > text.size())
      throw std::logic_error("sentences follow each other in their passage");
    last = sentence.end;
  }
  for (const char* question : {"What is a graph?", "什么是图？"}) {
    Answer answer;
    Hit& hit = answer.passages.emplace_back();
    hit.text = text;
    hit.span = Span{0, text.size()};
    answer_by_extraction(question, *standard_analyzer(), ExtractiveOptions(), answer);
    for (const Citation& citation : answer.citations)
      if (citation.quote != citation.span.of(text)) throw std::logic_error("a citation quotes its passage");
  }
}

}  // namespace

void fuzz_reading(std::string_view bytes) {
  if (bytes.size() < 2) return;
  const std::size_t max_tokens = 1 + static_cast<unsigned char>(bytes[0]);
  const std::size_t overlap = static_cast<unsigned char>(bytes[1]) % max_tokens;
  RawFile file;
  file.path = "fuzz.md";
  file.bytes = bytes.substr(2);
  ReadText result;
  try {
    result = markdown_reader()->read(file, {});
  } catch (const Error& error) {
    if (error.errc() != Errc::parse_error) throw std::logic_error(error.what());
    return;
  }
  check_chunks(*sentences_of(max_tokens, overlap), result.text, max_tokens);
  check_chunks(*paragraph_chunker(), result.text, ~std::size_t{0});
  check_chunks(*line_chunker(), result.text, ~std::size_t{0});
  check_answers(result.text);
  std::uint64_t last = 0;
  for (std::size_t at = 0; at <= result.text.size(); ++at) {
    const std::uint64_t in_file = result.offsets.to_file(at);
    if (in_file < last || in_file > file.bytes.size()) throw std::logic_error("offsets ascend and stay in the file");
    last = in_file;
  }
}

}  // namespace ragstone::test
