#include "text/content_tokens.hpp"

#include <ragstone/text/function_words.hpp>
#include <ragstone/text/normalize.hpp>

#include <algorithm>

namespace ragstone {

std::vector<Token> content_tokens(const Analyzer& analyzer, std::string_view query) {
  std::vector<Token> tokens = analyzer.analyze(query);
  const auto says_something = [&](const Token& token) { return !is_function_word(normalize(token.span.of(query))); };
  const auto end = std::stable_partition(tokens.begin(), tokens.end(), says_something);
  if (end != tokens.begin()) tokens.erase(end, tokens.end());
  return tokens;
}

}  // namespace ragstone
