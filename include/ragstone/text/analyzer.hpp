#pragma once

#include <ragstone/base/span.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ragstone {

/// One term of a text.
struct Token {
  std::string term;            ///< Normalised, UTF-8, 1 to about 255 bytes.
  Span span;                   ///< The bytes it was made from.
  std::uint32_t position = 0;  ///< Counts words, and characters of Chinese; a pair has the position of its first one.
};

/// Turns text into terms for lexical search.
///
/// Thread safety: any number of concurrent calls. Invalid UTF-8 never throws: an invalid byte divides words.
class Analyzer {
 public:
  virtual ~Analyzer() = default;

  /// Takes a term, where it came from, and its position. The view is valid during the call only.
  using Visitor = std::function<void(std::string_view term, Span span, std::uint32_t position)>;

  /// Calls `visitor` for each term, by ascending position.
  /// Errors: Errc::internal for an analyser that gives an empty term, a span outside of the text, or a position below
  /// the one before.
  void visit(std::string_view text, const Visitor& visitor) const;

  std::vector<Token> analyze(std::string_view text) const;

  /// "name/version/parameters": equal signatures give equal terms. An empty one is refused by Document::open().
  const std::string& signature() const noexcept { return signature_; }

 protected:
  explicit Analyzer(std::string signature) : signature_(std::move(signature)) {}

 private:
  virtual void do_visit(std::string_view text, const Visitor& visitor) const = 0;

  std::string signature_;
};

enum class Stemmer {
  none,
  porter,   ///< Martin Porter's algorithm of 1980, as his C program has it.
  english,  ///< Snowball's English stemmer ("Porter2").
};

class AnalyzerOptions {
 public:
  AnalyzerOptions() = default;

  bool stop_words = true;             ///< Leave out 33 English function words (Lucene's classic list).
  Stemmer stemmer = Stemmer::porter;  ///< For terms of ASCII letters.
  bool pairs = true;                  ///< Of runs without spaces, also overlapping pairs of characters.
};

/// Runs of letters and digits, normalised (NFKC, case folding); no stop words, no stems; Chinese in whole runs.
std::shared_ptr<const Analyzer> plain_analyzer();

/// plain_analyzer() less stop words, stemmed. `pairs` has no meaning here.
std::shared_ptr<const Analyzer> english_analyzer(AnalyzerOptions options = AnalyzerOptions());

/// Han, kana, Hangul (and Thai, Lao, Khmer, Burmese) as characters and overlapping pairs of characters; other runs as
/// plain_analyzer().
std::shared_ptr<const Analyzer> cjk_analyzer();

/// The default for every text: Han, kana, Hangul and the like as in cjk_analyzer(), other runs as in
/// english_analyzer().
std::shared_ptr<const Analyzer> standard_analyzer(AnalyzerOptions options = AnalyzerOptions());

/// Whole words: those of `user_words` first, then of scripts without spaces those of ICU's dictionary; other runs as in
/// english_analyzer(). A user word may be of any script or of several, with signs and spaces in it ("T恤", "C++", "New
/// York"). It is found from left to right, the longest that fits, whatever its case and width (both are compared after
/// normalize()), but not within a longer word of a script with spaces; it is one term, in its normal form, neither
/// stemmed nor left out. White space around a user word and empty ones do not count. Finer than standard_analyzer()
/// where words are known, blind where they are not; its signature names ICU's version, because the dictionary comes
/// with it. `options.pairs` has no meaning here. Errors: Errc::invalid_argument for a user word of more than 255 bytes
/// in its normal form.
std::shared_ptr<const Analyzer> word_analyzer(std::vector<std::string> user_words = {},
                                              AnalyzerOptions options = AnalyzerOptions());

/// `base`, and where its terms are those of a member of a group, also the terms of all other members, at the position
/// of the first: {{"GPU", "graphics card"}, {"电脑", "计算机"}}. For texts and queries alike, or for queries alone
/// (RetrieverOptions::query_analyzer).
/// Errors: Errc::invalid_argument for a null `base` and for a member without a term.
std::shared_ptr<const Analyzer> synonym_analyzer(std::shared_ptr<const Analyzer> base,
                                                 const std::vector<std::vector<std::string>>& groups);

/// How often each term occurs in a text.
class TermCounts {
 public:
  TermCounts() = default;

  std::vector<std::pair<std::string, std::uint32_t>> terms;  ///< Ascending by bytes, each once.
  std::uint64_t length = 0;                                  ///< Sum of the counts.
};

TermCounts count_terms(const Analyzer& analyzer, std::string_view text);

static_assert(!std::is_aggregate_v<AnalyzerOptions> && !std::is_aggregate_v<TermCounts>);

}  // namespace ragstone
