#pragma once

#include <ragstone/index/index.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace ragstone {

enum class WordMode { exact, prefix, edits };
enum class WordRank { weight, frequency };

/// How an index of words is asked, as trie_index.hpp describes it.
struct WordQuery {
  WordMode mode = WordMode::exact;
  std::size_t max_edits = 2;  ///< 0 to 2.
  WordRank by = WordRank::weight;
  bool distinct = false;
};

/// Errors: Errc::invalid_argument for parameters that are not known or out of range, and for text that is no UTF-8.
WordQuery parse_word_query(const IndexQuery& query);

/// The score of a word at a distance: fewer edits first, then the larger weight.
double edit_score(std::size_t max_edits, std::size_t distance, double weight) noexcept;

/// How many nodes have each word, of words that come one after the other.
template <class Take>
class WordTally {
 public:
  /// `take` is given, of each word, its lowest node and the number of its nodes.
  WordTally(const IndexQuery& query, Take take) : query_(query), take_(std::move(take)) {}

  void add(std::string_view word, NodeId node) {
    if (query_.allowed && !query_.allowed(node)) return;
    if (count_ == 0 || word != word_) {
      finish();
      word_ = word;
      lowest_ = node;
    }
    lowest_ = std::min(lowest_, node);
    ++count_;
  }
  /// After the last word.
  void finish() {
    if (count_ > 0) take_(ScoredNode{lowest_, static_cast<double>(count_)});
    count_ = 0;
  }

 private:
  const IndexQuery& query_;
  Take take_;
  std::string word_;
  NodeId lowest_ = 0;
  std::size_t count_ = 0;
};

}  // namespace ragstone
