#pragma once

#include <ragstone/index/index.hpp>
#include <ragstone/index/word_index_options.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

/// Words that are asked for in the plainest way.
namespace ragstone::test {

/// What an index of words must answer, by looking at every word and filling the whole table of distances.
class WordOracle {
 public:
  void put(NodeId id, std::string word, double weight = 1) { words_[id] = {std::move(word), weight}; }
  void remove(NodeId id) { words_.erase(id); }

  const auto& words() const noexcept { return words_; }
  /// In the order of ranks_before.
  std::vector<ScoredNode> query(const IndexQuery& query) const;

 private:
  struct Entry {
    std::string word;
    double weight = 1;
  };
  /// Of hits by ascending node.
  std::vector<ScoredNode> by_frequency(const std::vector<ScoredNode>& hits) const;

  std::map<NodeId, Entry> words_;
};

/// An index of words to be tested.
struct WordIndexKind {
  const char* name;
  std::function<std::shared_ptr<Index>(WordIndexOptions)> make;
};
std::vector<WordIndexKind> word_index_kinds();

/// Levenshtein's distance in code points.
std::size_t edit_distance(std::string_view a, std::string_view b);

Node word_node(NodeId id, std::string word);
Node word_node(NodeId id, std::string word, double weight);

/// Few different words of English, Chinese and emoji letters, so that beginnings and whole words are often shared.
std::string random_word(std::mt19937& random);

IndexQuery word_query(std::string text, const char* mode, std::size_t top_k, int edits = 2);

/// The index's answer, in the order of ranks_before.
std::vector<ScoredNode> answer(const Index& index, const IndexQuery& query);

}  // namespace ragstone::test
