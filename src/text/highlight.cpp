#include "text/content_tokens.hpp"
#include <ragstone/text/highlight.hpp>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>

namespace ragstone {

std::vector<Span> highlight(const Analyzer& analyzer, std::string_view query, std::string_view text) {
  std::set<std::string, std::less<>> wanted;
  for (Token& token : content_tokens(analyzer, query)) wanted.insert(std::move(token.term));
  std::vector<Span> spans;
  if (wanted.empty()) return spans;
  analyzer.visit(text, [&](std::string_view term, Span span, std::uint32_t) {
    if (wanted.contains(term)) spans.push_back(span);
  });
  std::sort(spans.begin(), spans.end(), [](Span a, Span b) { return a.begin < b.begin; });
  std::vector<Span> apart;
  for (const Span span : spans) {
    if (apart.empty() || span.begin > apart.back().end) {
      apart.push_back(span);
    } else {
      apart.back().end = std::max(apart.back().end, span.end);
    }
  }
  return apart;
}

}  // namespace ragstone
