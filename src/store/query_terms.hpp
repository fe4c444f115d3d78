#pragma once

#include <ragstone/index/term_weight.hpp>
#include <ragstone/store/text_query.hpp>
#include <ragstone/text/analyzer.hpp>

#include <vector>

namespace ragstone {

/// The tokens of the member's text that are looked for: without function words, unless all are.
std::vector<Token> query_tokens(const TextMember& member);

/// Their terms, ascending and unique, with what each counts.
std::vector<TermWeight> query_terms(const TextMember& member);

}  // namespace ragstone
