#pragma once

#include <ragstone/base/ids.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ragstone::words {

/// What changed since a dictionary was sealed: nodes with their present words, and nodes that are gone. What is known
/// of a node here counts instead of its rows there.
class WordDelta {
 public:
  struct Posting {
    NodeId node = 0;
    float weight = 1;
  };
  using Words = std::map<std::string, std::vector<Posting>, std::less<>>;

  /// `generation`: of the update that brings it.
  void put(NodeId node, std::string_view word, float weight, Generation generation);
  void remove(NodeId node, Generation generation);
  /// Forgets what came with an update up to this generation.
  void forget(Generation generation);
  void clear();

  /// Nodes that it knows of.
  std::size_t size() const noexcept { return nodes_.size(); }
  bool knows(NodeId node) const { return !nodes_.empty() && nodes_.contains(node); }
  const Words& words() const noexcept { return words_; }
  /// Postings that took the place of one that was taken out; for tests, which count the work by it.
  std::size_t moves() const noexcept { return moves_; }
  /// The words from `prefix` on, the ones that begin with it first.
  Words::const_iterator from(std::string_view prefix) const { return words_.lower_bound(prefix); }

 private:
  struct State {
    Words::iterator word;   ///< end(): the node is gone.
    std::size_t place = 0;  ///< Among the word's postings.
    Generation generation = 0;
  };

  /// The state of a node without a word; what it had is taken out.
  State& vacate(NodeId node, Generation generation);
  /// The word's last posting takes the place.
  void take_out(const State& state);

  Words words_;
  std::unordered_map<NodeId, State> nodes_;
  Generation newest_ = 0;  ///< At least the generation of every node.
  std::size_t moves_ = 0;
};

}  // namespace ragstone::words
