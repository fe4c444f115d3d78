#include "support/generated_rows.hpp"

#include "support/fixed_embedder.hpp"
#include "support/store/samples.hpp"
#include <ragstone/model/embedder.hpp>
#include <ragstone/reader/chunker.hpp>
#include <ragstone/text/analyzer.hpp>

#include <chrono>
#include <span>
#include <utility>

namespace ragstone::bench {
namespace {

/// As the rag layer makes it.
const std::string& group_signature() {
  static const std::string signature = "root/1 > " + generated_group().chunker->signature();
  return signature;
}

const std::string& analyzer_signature() {
  static const std::string signature = standard_analyzer()->signature();
  return signature;
}

std::uint64_t mixed(std::uint64_t value) {  // the finaliser of SplitMix64
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

std::string rare_word(std::size_t number, std::size_t rare_words) {
  return "rare" + std::to_string(number % rare_words);
}

std::string node_text(std::uint64_t number, std::size_t rare_words) {
  static const char* const kCommon[] = {"river", "stone", "bridge", "water", "石头", "桥", "garden", "winter"};
  std::string text;
  for (int i = 0; i < 6; ++i) text += std::string(kCommon[mixed(number * 8 + static_cast<unsigned>(i)) % 8]) + " ";
  text += rare_word(mixed(number), rare_words) + " " + rare_word(mixed(number + (std::uint64_t{1} << 40)), rare_words);
  return text;
}

}  // namespace

NodeGroup generated_group() { return NodeGroup(kGeneratedGroup, line_chunker()); }

std::string generated_text(std::size_t source, std::size_t rare_words) {
  std::string text;
  for (std::size_t row = 0; row < kRowsPerSource; ++row)
    text += node_text(source * kRowsPerSource + row, rare_words) + "\n";
  return text;
}

SourceWrite source_with_terms(const std::string& id, const std::string& text, const std::vector<Span>& spans) {
  SourceWrite write = test::sample_source(id, text);
  GroupRows group = test::sample_group(id, write.text, kGeneratedGroup, write.groups.front(), spans, group_signature());
  group.sparse.push_back(test::sample_terms(group, write.text, analyzer_signature()));
  write.groups.push_back(std::move(group));
  return write;
}

SourceWrite source_with_vectors(std::size_t source, std::size_t rare_words) {
  const std::string text = generated_text(source, rare_words);
  SourceWrite write = source_with_terms("source " + std::to_string(source), text, test::line_spans(text));
  DenseRows dense;
  dense.key = kGeneratedKey;
  dense.signature = fixed_embedder(kGeneratedDimension, std::chrono::milliseconds(0))->identity().signature();
  dense.dimension = kGeneratedDimension;
  dense.values.resize(kRowsPerSource * kGeneratedDimension);
  for (std::size_t row = 0; row < kRowsPerSource; ++row)
    fill_unit_vector(source * kRowsPerSource + row,
                     std::span(dense.values).subspan(row * kGeneratedDimension, kGeneratedDimension));
  write.groups.back().dense.push_back(std::move(dense));
  return write;
}

std::string selective_question(std::size_t number, std::size_t rare_words) {
  return rare_word(mixed(number + 1'000'000'007), rare_words) + " " +
         rare_word(mixed(number + 2'000'000'011), rare_words);
}

}  // namespace ragstone::bench
