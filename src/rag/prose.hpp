#pragma once

#include <ragstone/base/span.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace ragstone {

/// The sentences of a text's prose, in order, without white space around them. In Markdown, prose is what is no
/// heading, code, formula, table, image, or line of directives, and a sentence may go over several lines of a
/// paragraph. Code is told also where a passage has only the middle or the end of a block. A list item's sentence
/// begins after its bullet.
std::vector<Span> prose_sentences(std::string_view text);

/// A passage's sentence as it is put into an answer: line ends and runs of white space become one space; between
/// Chinese characters, nothing.
std::string joined_lines(std::string_view sentence);

}  // namespace ragstone
