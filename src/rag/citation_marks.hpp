#pragma once

#include <ragstone/base/span.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone {

/// A bracket with numbers in a text.
struct CitationMark {
  Span span;
  std::vector<std::size_t> numbers;  ///< As written, from 1; at most 64.
};

/// All brackets that hold nothing but numbers, commas and dashes between numbers, in the order of the text; links of
/// Markdown ("[1](...)", "![1](...)", "[1]: ...") are none.
std::vector<CitationMark> citation_marks(std::string_view text);

/// The text without its marks and the spaces before them.
std::string without_marks(std::string_view text);

}  // namespace ragstone
