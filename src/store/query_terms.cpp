#include "store/query_terms.hpp"

#include <ragstone/text/function_words.hpp>
#include <ragstone/text/normalize.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace ragstone {

std::vector<Token> query_tokens(const TextMember& member) {
  std::vector<Token> tokens = member.analyzer->analyze(member.text);
  if (member.terms.function_words) return tokens;
  const auto says_something = [&](const Token& token) {
    return !is_function_word(normalize(token.span.of(member.text)));
  };
  const auto end = std::stable_partition(tokens.begin(), tokens.end(), says_something);
  if (end != tokens.begin()) tokens.erase(end, tokens.end());
  return tokens;
}

std::vector<TermWeight> query_terms(const TextMember& member) {
  std::map<std::string, double> counts;
  for (Token& token : query_tokens(member)) ++counts[std::move(token.term)];
  std::vector<TermWeight> terms;
  terms.reserve(counts.size());
  const double k3 = member.terms.k3;
  for (const auto& [term, count] : counts) terms.push_back({term, static_cast<float>((k3 + 1) * count / (k3 + count))});
  return terms;
}

}  // namespace ragstone
