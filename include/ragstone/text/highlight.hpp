#pragma once

#include <ragstone/base/span.hpp>
#include <ragstone/text/analyzer.hpp>

#include <string_view>
#include <vector>

namespace ragstone {

/// The bytes of `text` that hold terms of `query`, by the analyser that both were searched with: ascending, apart from
/// one another; spans that touch are one. For the text of a hit these are the words that BM25 found.
std::vector<Span> highlight(const Analyzer& analyzer, std::string_view query, std::string_view text);

}  // namespace ragstone
