#include "fuzz/targets.hpp"
#include <ragstone/base/utf8.hpp>
#include <ragstone/text/analyzer.hpp>
#include <ragstone/text/highlight.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace ragstone::test {
namespace {

void require(bool holds, const char* promise) {
  if (!holds) throw std::logic_error(promise);
}

const std::vector<std::shared_ptr<const Analyzer>>& analyzers() {
  static const std::vector<std::shared_ptr<const Analyzer>> all = {
      plain_analyzer(),
      english_analyzer(),
      cjk_analyzer(),
      standard_analyzer(),
      word_analyzer({"中文", "ab", "文", "a中", "c++", "é\u0301b"}),
      synonym_analyzer(standard_analyzer(), {{"a b", "c"}, {"中文", "文中", "x"}})};
  return all;
}

}  // namespace

void fuzz_analyzers(std::string_view bytes) {
  for (const auto& analyzer : analyzers()) {
    std::uint32_t last = 0;
    std::uint64_t terms = 0;
    analyzer->visit(bytes, [&](std::string_view term, Span span, std::uint32_t position) {
      require(!term.empty() && term.size() <= 1024 && utf8::is_valid(term), "terms are short and valid");
      require(span.begin < span.end && span.end <= bytes.size(), "spans lie in the text");
      require(position >= last, "positions ascend");
      last = position;
      ++terms;
    });
    const TermCounts counts = count_terms(*analyzer, bytes);
    require(counts.length == terms, "the length counts all terms");
    for (std::size_t i = 1; i < counts.terms.size(); ++i)
      require(counts.terms[i - 1].first < counts.terms[i].first, "counted terms ascend");
  }
  const std::size_t half = bytes.size() / 2;
  std::size_t end = 0;
  for (const Span span : highlight(*standard_analyzer(), bytes.substr(0, half), bytes.substr(half))) {
    require(span.begin < span.end && (end == 0 || span.begin > end), "highlights are apart");
    end = span.end;
  }
}

}  // namespace ragstone::test
