#pragma once

#include <ragstone/base/span.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ragstone::detail {

enum class RunKind : std::uint8_t {
  none,        ///< The end of the text.
  word,        ///< Letters and digits of scripts that put spaces between words.
  cjk,         ///< Han, kana, bopomofo, Hangul.
  dictionary,  ///< Other scripts without spaces: Thai, Lao, Khmer, Burmese.
};

enum class CharClass : std::uint8_t {
  other,
  word,
  cjk,
  dictionary,
  mark,  ///< Combining marks, joiners and the like: they continue a run, and begin none.
};

CharClass class_of(char32_t c) noexcept;

struct Run {
  RunKind kind = RunKind::none;
  bool ascii = true;
  Span span;
};

/// Finds the runs of letters and digits of a text, which must outlive the scanner. Invalid bytes belong to no run.
class RunScanner {
 public:
  /// With `divide_scripts` a run ends where the kind changes; otherwise all runs are of kind `word`.
  /// It begins at byte `begin`, which is the text's or follows a run.
  RunScanner(std::string_view text, bool divide_scripts, std::size_t begin = 0) noexcept
      : text_(text), at_(begin), divide_scripts_(divide_scripts) {}

  Run next() noexcept;

 private:
  std::string_view text_;
  std::size_t at_;
  bool divide_scripts_;
};

}  // namespace ragstone::detail
