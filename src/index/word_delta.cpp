#include "index/word_delta.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

namespace ragstone::words {

void WordDelta::put(NodeId node, std::string_view word, float weight, Generation generation) {
  State& state = vacate(node, generation);
  // A replay of a dictionary mostly comes in order.
  const bool is_last = !words_.empty() && std::prev(words_.end())->first < word;
  Words::iterator found = is_last ? words_.end() : words_.lower_bound(word);
  if (found == words_.end() || found->first != word) found = words_.emplace_hint(found, word, std::vector<Posting>());
  state.word = found;
  state.place = found->second.size();
  found->second.push_back({node, weight});
}

void WordDelta::remove(NodeId node, Generation generation) { vacate(node, generation); }

void WordDelta::forget(Generation generation) {
  if (newest_ <= generation) return clear();
  for (auto known = nodes_.begin(); known != nodes_.end();) {
    if (known->second.generation > generation) {
      ++known;
      continue;
    }
    take_out(known->second);
    known = nodes_.erase(known);
  }
}

void WordDelta::clear() {
  nodes_.clear();
  words_.clear();
  newest_ = 0;
}

WordDelta::State& WordDelta::vacate(NodeId node, Generation generation) {
  newest_ = std::max(newest_, generation);
  const auto [known, is_new] = nodes_.try_emplace(node, State{words_.end(), 0, generation});
  if (!is_new) {
    take_out(known->second);
    known->second = {words_.end(), 0, generation};
  }
  return known->second;
}

void WordDelta::take_out(const State& state) {
  if (state.word == words_.end()) return;
  std::vector<Posting>& postings = state.word->second;
  if (state.place + 1 != postings.size()) {
    postings[state.place] = postings.back();
    nodes_.find(postings[state.place].node)->second.place = state.place;
    ++moves_;
  }
  postings.pop_back();
  if (postings.empty()) words_.erase(state.word);
}

}  // namespace ragstone::words
