#pragma once

#include <ragstone/index/index.hpp>

#include <cstddef>

namespace ragstone {

enum class WordMode { exact, prefix, edits };

/// How an index of words is asked, as trie_index.hpp describes it.
struct WordQuery {
  WordMode mode = WordMode::exact;
  std::size_t max_edits = 2;  ///< 0 to 2.
};

/// Errors: Errc::invalid_argument for parameters that are not known or out of range, and for text that is no UTF-8.
WordQuery parse_word_query(const IndexQuery& query);

/// The score of a word at a distance: fewer edits first, then the larger weight.
double edit_score(std::size_t max_edits, std::size_t distance, double weight) noexcept;

}  // namespace ragstone
