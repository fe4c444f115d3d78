#include "store/query_terms.hpp"

#include "text/content_tokens.hpp"
#include "text/run_scanner.hpp"
#include <ragstone/text/utf8.hpp>

#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
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

struct TermCount {
  double count = 0;
  bool has_pair = false;
};

/// Where the characters of longer terms begin.
std::unordered_set<std::size_t> characters_in_pairs(const TextMember& member) {
  std::unordered_set<std::size_t> begins;
  for (const Token& token : member.analyzer->analyze(member.text)) {
    const std::string_view span = token.span.of(member.text);
    if (is_character(span)) continue;
    for (std::size_t at = 0; at < span.size(); at += utf8::decode(span, at).size) begins.insert(token.span.begin + at);
  }
  return begins;
}

std::map<std::string, TermCount> count_query_terms(const TextMember& member) {
  const std::unordered_set<std::size_t> in_pairs = characters_in_pairs(member);
  std::map<std::string, TermCount> counts;
  for (Token& token : query_tokens(member)) {
    const bool has_pair = is_character(token.term) && in_pairs.contains(token.span.begin);
    TermCount& term = counts[std::move(token.term)];
    ++term.count;
    term.has_pair = term.has_pair || has_pair;
  }
  return counts;
}

}  // namespace

std::vector<TermWeight> query_terms(const TextMember& member) {
  const std::map<std::string, TermCount> counts = count_query_terms(member);
  std::vector<TermWeight> terms;
  terms.reserve(counts.size());
  const double k3 = member.terms.k3;
  for (const auto& [term, found] : counts) {
    const double weight = (k3 + 1) * found.count / (k3 + found.count) * (found.has_pair ? member.terms.character : 1);
    if (weight > 0) terms.push_back({term, static_cast<float>(weight)});
  }
  return terms;
}

}  // namespace ragstone
