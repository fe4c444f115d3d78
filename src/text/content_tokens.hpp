#pragma once

#include <ragstone/text/analyzer.hpp>

#include <string_view>
#include <vector>

namespace ragstone {

/// The tokens of a query that are looked for: without function words, unless all are.
std::vector<Token> content_tokens(const Analyzer& analyzer, std::string_view query);

}  // namespace ragstone
