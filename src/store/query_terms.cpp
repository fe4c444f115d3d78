#include "store/query_terms.hpp"

#include "text/content_tokens.hpp"
#include "text/run_scanner.hpp"
#include <ragstone/text/utf8.hpp>

#include <map>
#include <utility>

namespace ragstone {

std::vector<Token> query_tokens(const TextMember& member) {
  return member.terms.function_words ? member.analyzer->analyze(member.text)
                                     : content_tokens(*member.analyzer, member.text);
}

namespace {

/// Of a script without spaces, as the analysers know them: there, terms are characters and pairs.
bool is_character(std::string_view term) {
  const utf8::Decoded first = utf8::decode(term, 0);
  return first.size == term.size() && detail::class_of(first.code_point) == detail::CharClass::cjk;
}

}  // namespace

std::vector<TermWeight> query_terms(const TextMember& member) {
  std::map<std::string, double> counts;
  for (Token& token : query_tokens(member)) ++counts[std::move(token.term)];
  std::vector<TermWeight> terms;
  terms.reserve(counts.size());
  const double k3 = member.terms.k3;
  for (const auto& [term, count] : counts) {
    const double weight = (k3 + 1) * count / (k3 + count) * (is_character(term) ? member.terms.character : 1);
    if (weight > 0) terms.push_back({term, static_cast<float>(weight)});
  }
  return terms;
}

}  // namespace ragstone
