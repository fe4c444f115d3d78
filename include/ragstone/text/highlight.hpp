#pragma once

#include <ragstone/base/span.hpp>
#include <ragstone/text/analyzer.hpp>

#include <string_view>
#include <vector>

namespace ragstone {

/// The bytes of `text` that hold terms of `query`, by the analyser that both were searched with: ascending, apart from
/// one another; spans that touch are one. Function words of the query are left out, unless it has no others. By the
/// analyser of a hit's group, these are the words of its text that BM25 found by default.
std::vector<Span> highlight(const Analyzer& analyzer, std::string_view query, std::string_view text);

}  // namespace ragstone
