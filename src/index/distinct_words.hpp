#pragma once

#include <ragstone/index/index.hpp>

#include <cstddef>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ragstone {

/// The best `k` words, each by the best of its nodes.
class DistinctWords {
 public:
  /// `query.allowed` is asked about nodes that would be kept.
  explicit DistinctWords(const IndexQuery& query) : query_(query) {}

  bool would_keep(const ScoredNode& hit) const noexcept {
    return ranking_.size() < query_.top_k || ranks_before(hit, std::prev(ranking_.end())->first);
  }

  void offer(std::string_view text, const ScoredNode& hit) {
    if (!would_keep(hit)) return;
    auto word = words_.find(text);
    const bool is_new = word == words_.end();
    if (!is_new && !ranks_before(hit, word->second)) return;
    if (query_.allowed && !query_.allowed(hit.id)) return;
    if (is_new) {
      word = words_.emplace(text, hit).first;
    } else {
      ranking_.erase(std::exchange(word->second, hit));
    }
    ranking_.emplace(hit, word);
    if (ranking_.size() > query_.top_k) drop_last();
  }

  std::vector<ScoredNode> take() && {
    std::vector<ScoredNode> hits;
    for (const auto& entry : ranking_) hits.push_back(entry.first);
    return hits;
  }

 private:
  using Words = std::map<std::string, ScoredNode, std::less<>>;
  struct Before {
    bool operator()(const ScoredNode& a, const ScoredNode& b) const noexcept { return ranks_before(a, b); }
  };

  void drop_last() {
    const auto last = std::prev(ranking_.end());
    words_.erase(last->second);
    ranking_.erase(last);
  }

  const IndexQuery& query_;
  Words words_;
  std::map<ScoredNode, Words::iterator, Before> ranking_;
};

}  // namespace ragstone
