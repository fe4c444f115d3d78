#include "store/text_boost.hpp"

#include "index/bm25_scorer.hpp"
#include "store/neighbour_scores.hpp"
#include "store/query_terms.hpp"
#include <ragstone/text/normalize.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace ragstone {
namespace {

// Bounds the time for a text, and for a query that is itself a text.
constexpr std::size_t kMaxTextBytes = 32 << 10;
constexpr std::size_t kMaxQueryTerms = 128;
constexpr std::uint32_t kLead = 10;
constexpr std::uint32_t kWindow = 8;

/// A word of the query. Characters of scripts without spaces are none: their pairs are terms of their own.
struct QueryWord {
  std::string form;  ///< Normalised, not stemmed.
  std::size_t term = 0;
  std::uint32_t position = 0;
};

struct QueryTerm {
  std::string text;
  bool is_word = false;
  double idf = 0;
  std::vector<std::uint32_t> positions;      ///< In the text that is read.
  std::map<std::string, std::size_t> forms;  ///< Of the query; how often the text has them.
};

bool equals(std::string_view form, std::string_view bytes) {
  if (form.size() == bytes.size() && std::equal(form.begin(), form.end(), bytes.begin(), [](char a, char b) {
        return a == b || (b >= 'A' && b <= 'Z' && a == b + ('a' - 'A'));
      }))
    return true;
  return utf8::ascii_prefix(bytes) < bytes.size() && normalize(bytes) == form;
}

/// The positions of words: not those of several terms, nor of characters that have pairs.
std::unordered_set<std::uint32_t> places_of_words(const std::vector<Token>& tokens) {
  std::unordered_set<std::uint32_t> places;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto shares = [&](std::size_t other) { return tokens[other].position == tokens[i].position; };
    const bool covered = i > 0 && tokens[i - 1].span.end > tokens[i].span.begin;
    if (!covered && !(i > 0 && shares(i - 1)) && !(i + 1 < tokens.size() && shares(i + 1)))
      places.insert(tokens[i].position);
  }
  return places;
}

class TextBooster {
 public:
  TextBooster(const TextMember& member, const StoreSnapshot& snapshot, const std::string& group) : member_(member) {
    read_query();
    std::vector<std::string> terms;
    for (const QueryTerm& term : terms_) terms.push_back(term.text);
    const TermStatistics statistics = snapshot.term_statistics(group, member.key, terms);
    scorer_ = Bm25Scorer(member.parameters, statistics.nodes, statistics.tokens);
    for (std::size_t t = 0; t < terms_.size(); ++t)
      if (statistics.frequencies[t] > 0) terms_[t].idf = scorer_.idf(statistics.frequencies[t]);
  }

  bool has_terms() const noexcept { return !terms_.empty(); }
  /// Whether most of the query's terms are words; if so, neighbours() knows the texts that were read.
  bool compares_texts() const {
    const auto words = std::count_if(terms_.begin(), terms_.end(), [](const QueryTerm& term) { return term.is_word; });
    return member_.boosts.neighbours > 0 && 2 * static_cast<std::size_t>(words) > terms_.size();
  }
  NeighbourScores& neighbours() noexcept { return neighbours_; }

  /// `score`: what the text has by its terms.
  double boost_of(std::string_view text, double score) {
    read_text(text.substr(0, utf8::floor_boundary(text, kMaxTextBytes)));
    const TextBoosts& boosts = member_.boosts;
    return boosts.exact_form * exact_forms() + boosts.proximity * proximity() + boosts.lead * lead() +
           boosts.coverage * coverage() * score;
  }

 private:
  void read_query() {
    const std::unordered_set<std::uint32_t> places = places_of_words(member_.analyzer->analyze(member_.text));
    for (const Token& token : query_tokens(member_)) {
      if (terms_.size() == kMaxQueryTerms) return;
      const auto [place, is_new] = numbers_.try_emplace(token.term, terms_.size());
      if (is_new) terms_.emplace_back().text = token.term;
      if (!places.contains(token.position)) continue;
      QueryWord& word = words_.emplace_back();
      word.form = normalize(token.span.of(member_.text));
      word.term = place->second;
      word.position = token.position;
      terms_[word.term].is_word = true;
      terms_[word.term].forms[word.form] = 0;
    }
  }

  void read_text(std::string_view text) {
    length_ = 0;
    for (QueryTerm& term : terms_) {
      term.positions.clear();
      for (auto& [form, count] : term.forms) count = 0;
    }
    const bool compares = compares_texts();
    if (compares) neighbours_.begin();
    std::string key;
    member_.analyzer->visit(text, [&](std::string_view term, Span span, std::uint32_t position) {
      ++length_;
      if (compares) neighbours_.add(term);
      key.assign(term);
      const auto found = numbers_.find(key);
      if (found == numbers_.end()) return;
      QueryTerm& of_query = terms_[found->second];
      of_query.positions.push_back(position);
      for (auto& [form, count] : of_query.forms) count += equals(form, span.of(text)) ? 1 : 0;
    });
  }

  double lead() const {
    double sum = 0;
    for (const QueryTerm& term : terms_)
      if (term.is_word && !term.positions.empty() && term.positions.front() < kLead) sum += term.idf;
    return sum;
  }

  /// The share of the query's terms that the text has.
  double coverage() const {
    double all = 0;
    double met = 0;
    for (const QueryTerm& term : terms_) {
      all += term.idf;
      if (!term.positions.empty()) met += term.idf;
    }
    return all > 0 ? met / all : 0;
  }

  double saturation(double frequency) const { return frequency > 0 ? scorer_.saturation(frequency, length_) : 0; }

  double exact_forms() const {
    double sum = 0;
    for (const QueryTerm& term : terms_)
      for (const auto& [form, count] : term.forms) sum += term.idf * saturation(static_cast<double>(count));
    return sum;
  }

  /// Of each two words that follow one another in the query, as if "side by side, in that order" and "near" were terms.
  double proximity() const {
    double sum = 0;
    for (std::size_t w = 0; w + 1 < words_.size(); ++w) {
      const QueryTerm& first = terms_[words_[w].term];
      const QueryTerm& second = terms_[words_[w + 1].term];
      if (&first == &second || first.positions.empty() || second.positions.empty()) continue;
      const std::uint32_t gap = words_[w + 1].position - words_[w].position;
      double ordered = 0;
      double near = 0;
      std::size_t begin = 0;
      for (const std::uint32_t at : first.positions) {
        while (begin < second.positions.size() && second.positions[begin] + kWindow < at) ++begin;
        for (std::size_t i = begin; i < second.positions.size() && second.positions[i] <= at + kWindow; ++i) {
          ++near;
          const bool follows = second.positions[i] > at;
          const std::uint32_t distance = second.positions[i] - at;
          if (follows && (distance == gap || distance == 1)) ++ordered;
        }
      }
      sum += std::min(first.idf, second.idf) * (saturation(ordered) + saturation(near));
    }
    return sum;
  }

  const TextMember& member_;
  Bm25Scorer scorer_;
  std::vector<QueryWord> words_;
  std::vector<QueryTerm> terms_;
  std::unordered_map<std::string, std::size_t> numbers_;  ///< Of terms_.
  std::uint32_t length_ = 0;
  NeighbourScores neighbours_;
};

}  // namespace

std::vector<Node> boost_by_text(const StoreSnapshot& snapshot, const SearchRequest& request, const TextMember& member,
                                std::vector<ScoredNode>& hits, const StopToken& stop) {
  const std::size_t depth = std::min(member.boosts.depth, hits.size());
  if (depth < 2) return {};
  TextBooster booster(member, snapshot, request.group);
  if (!booster.has_terms()) return {};
  NodeQuery query;
  query.group = request.group;
  query.ids.emplace();
  for (std::size_t i = 0; i < depth; ++i) query.ids->push_back(hits[i].id);
  std::size_t i = 0;
  std::vector<std::size_t> read;
  std::vector<double> scores;
  std::vector<Node> nodes = snapshot.nodes(query, stop);
  for (const Node& node : nodes) {
    throw_if_stopped(stop);
    while (hits[i].id != node.id) ++i;
    read.push_back(i);
    scores.push_back(hits[i].score + booster.boost_of(node.text, hits[i].score));
  }
  if (booster.compares_texts() && scores.size() > 2)
    booster.neighbours().spread(scores, member.boosts.neighbours, stop);
  for (std::size_t n = 0; n < read.size(); ++n) hits[read[n]].score = scores[n];
  const auto rest = hits.begin() + static_cast<std::ptrdiff_t>(depth);
  std::sort(hits.begin(), rest, ranks_before);
  // Neighbours may have taken from the scores of hits that were read.
  if (rest == hits.end() || rest->score < hits[depth - 1].score) return nodes;
  const double factor = 0.999 * hits[depth - 1].score / rest->score;
  std::for_each(rest, hits.end(), [factor](ScoredNode& hit) { hit.score *= factor; });
  return nodes;
}

}  // namespace ragstone
