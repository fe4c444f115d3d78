#pragma once

#include <string>
#include <type_traits>

namespace ragstone {

/// What trie_index() and linear_index() take of a node.
class WordIndexOptions {
 public:
  WordIndexOptions() = default;

  std::string word_field;    ///< The text of this metadata field is a node's word; empty: the node's whole text. A node
                             ///< without a word is not indexed.
  std::string weight_field;  ///< The number in this metadata field is the node's weight (kept as f32); where there is
                             ///< none, it is 0. Empty: all weights are 1.
  bool normalized = false;   ///< Words and queries are compared after normalize(): case and width do not matter.
};

static_assert(!std::is_aggregate_v<WordIndexOptions>);

}  // namespace ragstone
