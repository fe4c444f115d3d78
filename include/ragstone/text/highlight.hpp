#pragma once

#include <ragstone/base/span.hpp>
#include <ragstone/base/stop.hpp>
#include <ragstone/text/analyzer.hpp>

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone {

/// The bytes of `text` that hold terms of `query`, by the analyser that both were searched with: ascending, apart from
/// one another; spans that touch are one. Function words of the query are left out, unless it has no others. By the
/// analyser of a hit's group, these are the words of its text that BM25 found by default.
///
/// RetrieverOptions::highlights gives them with the hits.
std::vector<Span> highlight(const Analyzer& analyzer, std::string_view query, std::string_view text);

/// The same for many texts, which may have another analyser than the query. Thread-safe.
class Highlighter {
 public:
  /// `function_words`: of the query, too.
  Highlighter(const Analyzer& analyzer, std::string_view query, bool function_words = false);

  std::vector<Span> mark(const Analyzer& analyzer, std::string_view text, const StopToken& stop = {}) const;

 private:
  std::set<std::string, std::less<>> wanted_;
};

}  // namespace ragstone
