#pragma once

#include "text/run_scanner.hpp"
#include "text/stemmer_pool.hpp"
#include <ragstone/text/analyzer.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace ragstone::detail {

/// Which of the analysers' steps are done.
struct TermRules {
  bool divide_scripts = false;
  bool pairs = false;
  bool stop_words = false;
  bool stem = false;
};

/// Makes the terms of one text. The visitor and the stemmer (null unless rules.stem) must outlive it.
class TermMaker {
 public:
  TermMaker(const TermRules& rules, WordStemmer* stemmer, const Analyzer::Visitor& visitor)
      : rules_(rules), stemmer_(stemmer), visitor_(visitor) {}

  void make(std::string_view text);

 private:
  struct Unit {
    std::size_t begin = 0;  // in units_text_
    std::size_t end = 0;
    Span span;
  };

  /// What a word holds: lower-case ASCII letters alone, digits too, or others.
  enum class Letters { ascii, ascii_and_digits, any };

  void add_run(std::string_view text, const Run& run);
  /// The word of ASCII letters and digits at `begin`; its end, or `begin` if other letters may belong to it.
  std::size_t add_word_at(std::string_view text, std::size_t begin);
  void add_ascii_word(std::string_view word, Span span);
  void add_folded(std::string_view folded, RunKind kind, Span span);
  static Letters letters_of(std::string_view ascii) noexcept;
  void add_term(std::string_view term, Letters letters, Span span);
  void add_characters(std::string_view text, Span run);
  /// Hands out the units and their pairs, except the last `keep` units.
  void emit_units(std::size_t keep);

  TermRules rules_;
  WordStemmer* stemmer_;
  const Analyzer::Visitor& visitor_;
  std::uint32_t position_ = 0;
  std::string pair_;
  std::string units_text_;
  std::vector<Unit> units_;
};

}  // namespace ragstone::detail
