#include <ragstone/text/analyzer.hpp>
#include <ragstone/text/term_table.hpp>

#include <cstdint>
#include <vector>

namespace ragstone {

TermCounts count_terms(const Analyzer& analyzer, std::string_view text) {
  TermTable table;
  std::vector<std::uint32_t> counts;
  TermCounts result;
  analyzer.visit(text, [&](std::string_view term, Span, std::uint32_t) {
    ++result.length;
    const std::uint32_t number = table.number_of(term);
    if (number == counts.size()) counts.push_back(0);
    ++counts[number];
  });
  result.terms.reserve(table.size());
  for (const std::uint32_t number : table.sorted()) result.terms.emplace_back(table[number], counts[number]);
  return result;
}

}  // namespace ragstone
