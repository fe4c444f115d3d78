#include "unit/index/word_oracle.hpp"

#include <ragstone/index/linear_index.hpp>
#include <ragstone/index/trie_index.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <variant>

namespace ragstone::test {

std::vector<WordIndexKind> word_index_kinds() { return {{"trie", trie_index}, {"linear", linear_index}}; }

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<char32_t> from;
  std::vector<char32_t> to;
  for (const auto c : utf8::CodePoints(a)) from.push_back(c.value);
  for (const auto c : utf8::CodePoints(b)) to.push_back(c.value);
  std::vector<std::vector<std::size_t>> table(from.size() + 1, std::vector<std::size_t>(to.size() + 1));
  for (std::size_t i = 0; i <= from.size(); ++i)
    for (std::size_t j = 0; j <= to.size(); ++j) {
      if (i == 0 || j == 0) {
        table[i][j] = i + j;
        continue;
      }
      table[i][j] = std::min({table[i - 1][j] + 1, table[i][j - 1] + 1,
                              table[i - 1][j - 1] + (from[i - 1] == to[j - 1] ? std::size_t{0} : std::size_t{1})});
    }
  return table[from.size()][to.size()];
}

std::vector<ScoredNode> WordOracle::query(const IndexQuery& query) const {
  const std::string mode = query.parameters.text("mode").value_or("exact");
  const Scalar* edits = query.parameters.find("edits");
  const auto max_edits = edits ? static_cast<std::size_t>(std::get<std::int64_t>(*edits)) : 2;
  std::vector<ScoredNode> hits;
  for (const auto& [id, entry] : words_) {
    if (query.allowed && !query.allowed(id)) continue;
    if (mode == "exact" && entry.word == query.text) hits.push_back({id, entry.weight});
    if (mode == "prefix" && entry.word.starts_with(query.text)) hits.push_back({id, entry.weight});
    if (mode != "edits") continue;
    const std::size_t distance = edit_distance(entry.word, query.text);
    const double squashed = entry.weight / (1 + std::abs(entry.weight));
    if (distance <= max_edits) hits.push_back({id, static_cast<double>(max_edits - distance) + (1 + squashed) / 2});
  }
  if (query.parameters.text("by") == "frequency") hits = by_frequency(hits);
  std::sort(hits.begin(), hits.end(), ranks_before);
  if (const Scalar* distinct = query.parameters.find("distinct"); distinct && std::get<bool>(*distinct)) {
    std::set<std::string> seen;
    std::erase_if(hits, [&](const ScoredNode& hit) { return !seen.insert(words_.at(hit.id).word).second; });
  }
  if (hits.size() > query.top_k) hits.resize(query.top_k);
  return hits;
}

std::vector<ScoredNode> WordOracle::by_frequency(const std::vector<ScoredNode>& hits) const {
  std::map<std::string, ScoredNode> words;
  for (const ScoredNode& hit : hits)
    ++words.try_emplace(words_.at(hit.id).word, ScoredNode{hit.id, 0}).first->second.score;
  std::vector<ScoredNode> counted;
  for (const auto& [word, hit] : words) counted.push_back(hit);
  return counted;
}

Node word_node(NodeId id, std::string word) {
  Node node;
  node.id = id;
  node.text = std::move(word);
  return node;
}

Node word_node(NodeId id, std::string word, double weight) {
  Node node = word_node(id, std::move(word));
  node.metadata.set("weight", weight);
  return node;
}

std::string random_word(std::mt19937& random) {
  static const std::string letters[] = {"a", "b", "ab", "é", "知", "识", "知识", "👩‍💻", "\u0301", "tion"};
  std::string word;
  for (std::size_t n = 1 + random() % 5; n > 0; --n) word += letters[random() % std::size(letters)];
  if (random() % 50 == 0) word += std::string(random() % 40, 'z');
  return word;
}

IndexQuery word_query(std::string text, const char* mode, std::size_t top_k, int edits) {
  IndexQuery query;
  query.text = std::move(text);
  query.top_k = top_k;
  query.parameters.set("mode", mode);
  query.parameters.set("edits", edits);
  return query;
}

std::vector<ScoredNode> answer(const Index& index, const IndexQuery& query) {
  std::vector<ScoredNode> hits = index.query(query, {});
  std::sort(hits.begin(), hits.end(), ranks_before);
  return hits;
}

}  // namespace ragstone::test
