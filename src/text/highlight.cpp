#include "text/content_tokens.hpp"
#include <ragstone/text/highlight.hpp>

#include <algorithm>
#include <utility>

namespace ragstone {
namespace {

constexpr std::size_t kTermsBetweenPolls = 4096;

}  // namespace

std::vector<Span> highlight(const Analyzer& analyzer, std::string_view query, std::string_view text) {
  return Highlighter(analyzer, query).mark(analyzer, text);
}

Highlighter::Highlighter(const Analyzer& analyzer, std::string_view query, bool function_words) {
  for (Token& token : function_words ? analyzer.analyze(query) : content_tokens(analyzer, query))
    wanted_.insert(std::move(token.term));
}

std::vector<Span> Highlighter::mark(const Analyzer& analyzer, std::string_view text, const StopToken& stop) const {
  std::vector<Span> spans;
  if (wanted_.empty()) return spans;
  std::size_t terms = 0;
  analyzer.visit(text, [&](std::string_view term, Span span, std::uint32_t) {
    if (++terms % kTermsBetweenPolls == 0) throw_if_stopped(stop);
    if (wanted_.contains(term)) spans.push_back(span);
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
