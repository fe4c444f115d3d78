#pragma once

#include <ragstone/base/span.hpp>

#include <string_view>
#include <vector>

/// Cutting text at sentences, clauses and words. Spans are byte ranges of the text given. All functions take time
/// linear in the text, use no recursion and little memory beyond their result, and are safe on invalid UTF-8 (an
/// invalid byte is a symbol).
namespace ragstone {

/// Sentences, with the white space after them; put together they are the text. No span is empty.
///
/// A sentence ends after a line end (LF, CR, CRLF, U+0085, U+2028, U+2029), and where Unicode's rules (UAX 29) end one:
/// after . ! ? 。 ！ ？ and the like with closing quotes and brackets; not within 3.14 or U.S., nor before a lower-case
/// word. Beyond these rules it ends after ； and …, and does not end after English abbreviations (Dr., e.g., No. 5) and
/// initials.
std::vector<Span> sentences(std::string_view text);

/// Clauses, for those who must cut a long sentence: pieces that end after , ; : ， 、 ； ： and their closing quotes
/// and white space. A comma or colon between digits does not end one. Put together they are the text.
std::vector<Span> clauses(std::string_view text);

/// Words: runs of letters, digits and their marks. Punctuation, symbols and white space are left out; hyphens and
/// apostrophes divide. Runs in scripts without spaces (Han, kana, Thai, Lao, Khmer, Burmese) are divided by ICU's
/// dictionaries.
std::vector<Span> words(std::string_view text);

}  // namespace ragstone
