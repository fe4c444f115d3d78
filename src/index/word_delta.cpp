#include "index/word_delta.hpp"

#include <iterator>
#include <vector>

namespace ragstone::words {

void WordDelta::put(NodeId node, std::string_view word, float weight, Generation generation) {
  const auto [place, is_new] = nodes_.try_emplace(node, State{words_.end(), generation});
  if (!is_new) take_out(node, place->second);
  // A replay of a dictionary mostly comes in order.
  const bool is_last = !words_.empty() && std::prev(words_.end())->first < word;
  Words::iterator found = is_last ? words_.end() : words_.lower_bound(word);
  if (found == words_.end() || found->first != word) found = words_.emplace_hint(found, word, std::vector<Posting>());
  found->second.push_back({node, weight});
  place->second = {found, generation};
}

void WordDelta::remove(NodeId node, Generation generation) {
  const auto [place, is_new] = nodes_.try_emplace(node, State{words_.end(), generation});
  if (!is_new) take_out(node, place->second);
  place->second = {words_.end(), generation};
}

void WordDelta::forget(Generation generation) {
  for (auto place = nodes_.begin(); place != nodes_.end();) {
    if (place->second.generation > generation) {
      ++place;
      continue;
    }
    take_out(place->first, place->second);
    place = nodes_.erase(place);
  }
}

void WordDelta::clear() {
  nodes_.clear();
  words_.clear();
}

void WordDelta::take_out(NodeId node, const State& state) {
  if (state.word == words_.end()) return;
  std::vector<Posting>& postings = state.word->second;
  std::erase_if(postings, [node](const Posting& posting) { return posting.node == node; });
  if (postings.empty()) words_.erase(state.word);
}

}  // namespace ragstone::words
