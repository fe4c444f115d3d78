#include "fuzz/targets.hpp"
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
  std::uint64_t last = 0;
  for (std::size_t at = 0; at <= result.text.size(); ++at) {
    const std::uint64_t in_file = result.offsets.to_file(at);
    if (in_file < last || in_file > file.bytes.size()) throw std::logic_error("offsets ascend and stay in the file");
    last = in_file;
  }
}

}  // namespace ragstone::test
