#pragma once

#include <ragstone/base/span.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ragstone::detail {

/// Finds the words of a user's dictionary in texts, in normal form, so that case and width do not matter. Immutable.
class UserWords {
 public:
  /// In bytes of its normal form.
  static constexpr std::size_t kMaxWordBytes = 255;

  /// White space around a word does not count, and empty words are left out.
  /// Errors: Errc::invalid_argument for a word of more than kMaxWordBytes.
  explicit UserWords(const std::vector<std::string>& words);

  bool empty() const noexcept { return words_.empty(); }
  /// In normal form, ascending, each once.
  const std::vector<std::string>& words() const noexcept { return words_; }

  struct Match {
    Span span;
    std::string_view word;  ///< As in words().
  };
  /// From left to right, each time the longest that fits; none overlap. A word does not begin or end within a word of a
  /// script with spaces: "art" is not found in "party", but in "art展".
  /// Cost: a step down a trie for each byte, of at most kMaxWordBytes from each character on.
  std::vector<Match> find(std::string_view text) const;

 private:
  struct Step {
    std::vector<std::pair<char, std::uint32_t>> next;  ///< Ascending by byte.
    std::uint32_t word = 0;                            ///< That ends here: its number plus 1; 0: none.
  };

  /// The step after `from` by this byte; 0: there is none.
  std::uint32_t step(std::uint32_t from, char byte) const;

  std::vector<std::string> words_;
  std::vector<Step> steps_;  ///< A trie; the first is its root.
};

}  // namespace ragstone::detail
