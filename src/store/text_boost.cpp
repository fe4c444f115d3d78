#include "store/text_boost.hpp"

#include "index/bm25_scorer.hpp"
#include "store/neighbour_scores.hpp"
#include "store/query_terms.hpp"
#include "text/run_scanner.hpp"
#include <ragstone/text/normalize.hpp>
#include <ragstone/text/term_table.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace ragstone {
namespace {

// Bounds the time for a text or field, and for a query that is itself a text.
constexpr std::size_t kMaxTextBytes = 32 << 10;
constexpr std::size_t kMaxQueryTerms = 128;
constexpr std::size_t kMaxQueryPairs = 256;
constexpr std::uint32_t kLead = 10;
constexpr std::uint32_t kWindow = 8;
constexpr std::size_t kTextsAtOnce = 16;

/// A term of the query, and where a text has it; the counts of fields are weighted.
struct QueryTerm {
  std::string text;
  bool is_word = false;  ///< Characters of scripts without spaces are none: their pairs are terms of their own.
  double idf = 0;
  std::map<std::string, double> forms;  ///< Of the query, normalised and not stemmed; how often the text has them.
  bool is_met = false;
  bool leads = false;
  std::vector<std::uint32_t> positions;  ///< In the text or field that is read.
};

/// The words of the query at one position: several where there are synonyms, or analysers that differ.
struct Words {
  std::uint32_t position = 0;
  std::vector<std::uint32_t> terms;
};

/// Two words that follow one another in the query.
struct QueryPair {
  std::size_t first = 0;  ///< Terms.
  std::size_t second = 0;
  std::uint32_t gap = 0;
  double times = 0;    ///< In the query.
  double ordered = 0;  ///< In the text: side by side, or as far apart as in the query.
  double near = 0;
};

bool equals(std::string_view form, std::string_view bytes) {
  if (form.size() == bytes.size() && std::equal(form.begin(), form.end(), bytes.begin(), [](char a, char b) {
        return a == b || (b >= 'A' && b <= 'Z' && a == b + ('a' - 'A'));
      }))
    return true;
  return utf8::ascii_prefix(bytes) < bytes.size() && normalize(bytes) == form;
}

bool has_spaces(std::string_view term) {
  const detail::CharClass script = detail::class_of(utf8::decode(term, 0).code_point);
  return script != detail::CharClass::cjk && script != detail::CharClass::dictionary;
}

/// Whether two terms are a character and its pair, or pairs that have a character in common.
bool are_parts(const Token& a, const Token& b) {
  if (has_spaces(a.term) || has_spaces(b.term)) return false;
  if (a.span != b.span) return a.position == b.position || a.span.overlaps(b.span);
  return a.term.find(b.term) != std::string::npos || b.term.find(a.term) != std::string::npos;
}

using Place = std::pair<std::uint32_t, std::string>;  // A position and a term.

/// The places of words: of all terms but characters that have pairs, and pairs.
std::set<Place> places_of_words(const std::vector<Token>& tokens) {
  std::vector<bool> are_units(tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i)
    for (std::size_t j = i; j-- > 0 && tokens[j].position + 1 >= tokens[i].position;)
      if (are_parts(tokens[i], tokens[j])) are_units[i] = are_units[j] = true;
  std::set<Place> places;
  for (std::size_t i = 0; i < tokens.size(); ++i)
    if (!are_units[i]) places.emplace(tokens[i].position, tokens[i].term);
  return places;
}

class TextBooster {
 public:
  TextBooster(const TextMember& member, const StoreSnapshot& snapshot, const std::string& group) : member_(member) {
    read_query();
    const auto words = std::count_if(terms_.begin(), terms_.end(), [](const QueryTerm& term) { return term.is_word; });
    compares_texts_ = member_.boosts.neighbours > 0 && 2 * static_cast<std::size_t>(words) > terms_.size();
    std::vector<std::string> terms;
    for (const QueryTerm& term : terms_) terms.push_back(term.text);
    const TermStatistics statistics = snapshot.term_statistics(group, member.key, member.signature, terms);
    scorer_ = Bm25Scorer(member.parameters, statistics.nodes, statistics.tokens);
    for (std::size_t t = 0; t < terms_.size(); ++t)
      if (statistics.frequencies[t] > 0) terms_[t].idf = scorer_.idf(statistics.frequencies[t]);
  }

  bool has_terms() const noexcept { return !terms_.empty(); }
  /// Whether most of the query's terms are words; if so, neighbours() knows the texts that were read.
  bool compares_texts() const noexcept { return compares_texts_; }
  NeighbourScores& neighbours() noexcept { return neighbours_; }

  /// No boost_of() a node with this score is above it.
  double most_for(double score) const {
    double forms = 0;
    double leads = 0;
    for (const QueryTerm& term : terms_) {
      forms += term.idf * static_cast<double>(term.forms.size());
      if (term.is_word) leads += term.idf;
    }
    double pairs = 0;
    for (const QueryPair& pair : pairs_)
      pairs += 2 * pair.times * std::min(terms_[pair.first].idf, terms_[pair.second].idf);
    const TextBoosts& boosts = member_.boosts;
    return (boosts.exact_form * forms + boosts.proximity * pairs) * scorer_.limit() + boosts.lead * leads +
           boosts.coverage * score;
  }

  /// `score`: what the node has by its terms.
  double boost_of(const Node& node, double score, const StopToken& stop) {
    begin_node();
    read(node.text, member_.text_analyzer ? *member_.text_analyzer : *member_.analyzer, 1, stop);
    for (const TextField& field : member_.fields)
      if (const std::optional<std::string> words = node.metadata.text(field.name))
        read(*words, analyzer_of(field), field.weight, stop);
    const TextBoosts& boosts = member_.boosts;
    return boosts.exact_form * exact_forms() + boosts.proximity * proximity() + boosts.lead * lead() +
           boosts.coverage * coverage() * score;
  }

 private:
  const Analyzer& analyzer_of(const TextField& field) const {
    if (field.analyzer) return *field.analyzer;
    return member_.text_analyzer ? *member_.text_analyzer : *member_.analyzer;
  }

  void read_query() {
    const std::set<Place> places = places_of_words(member_.analyzer->analyze(member_.text));
    Words before;
    Words here;
    for (const Token& token : query_tokens(member_)) {
      if (terms_.size() == kMaxQueryTerms) return;
      const std::uint32_t term = numbers_.number_of(token.term);
      if (term == terms_.size()) terms_.emplace_back().text = token.term;
      if (!places.contains({token.position, token.term})) continue;
      terms_[term].is_word = true;
      terms_[term].forms[normalize(token.span.of(member_.text))] = 0;
      if (!here.terms.empty() && here.position != token.position) before = std::exchange(here, {});
      here.position = token.position;
      here.terms.push_back(term);
      for (const std::uint32_t first : before.terms) add_pair(first, term, token.position - before.position);
    }
  }

  void add_pair(std::uint32_t first, std::uint32_t second, std::uint32_t gap) {
    if (first == second) return;
    const auto [known, is_new] = pair_numbers_.try_emplace({first, second, gap}, pairs_.size());
    if (is_new && pairs_.size() < kMaxQueryPairs) pairs_.push_back({first, second, gap});
    if (known->second < pairs_.size()) ++pairs_[known->second].times;
  }

  void begin_node() {
    length_ = 0;
    for (QueryTerm& term : terms_) {
      term.is_met = term.leads = false;
      for (auto& [form, count] : term.forms) count = 0;
    }
    for (QueryPair& pair : pairs_) pair.ordered = pair.near = 0;
    if (compares_texts_) neighbours_.begin();
  }

  void read(std::string_view text, const Analyzer& analyzer, double weight, const StopToken& stop) {
    text = text.substr(0, utf8::floor_boundary(text, kMaxTextBytes));
    for (QueryTerm& term : terms_) term.positions.clear();
    analyzer.visit(text, [&](std::string_view term, Span span, std::uint32_t position) {
      length_ += weight;
      const std::uint32_t number = compares_texts_ ? numbers_.number_of(term) : numbers_.find(term);
      if (compares_texts_) neighbours_.add(number);
      if (number >= terms_.size()) return;
      QueryTerm& of_query = terms_[number];
      of_query.positions.push_back(position);
      for (auto& [form, count] : of_query.forms) count += equals(form, span.of(text)) ? weight : 0;
    });
    for (QueryTerm& term : terms_) {
      if (term.positions.empty()) continue;
      term.is_met = true;
      if (term.is_word && term.positions.front() < kLead) term.leads = true;
    }
    for (QueryPair& pair : pairs_) {
      throw_if_stopped(stop);
      count(pair, weight);
    }
  }

  /// Adds how often the text that was read last has the pair.
  void count(QueryPair& pair, double weight) const {
    const std::vector<std::uint32_t>& second = terms_[pair.second].positions;
    std::size_t begin = 0;
    for (const std::uint32_t at : terms_[pair.first].positions) {
      while (begin < second.size() && second[begin] + kWindow < at) ++begin;
      for (std::size_t i = begin; i < second.size() && second[i] <= at + kWindow; ++i) {
        pair.near += weight;
        const bool follows = second[i] > at;
        const std::uint32_t distance = second[i] - at;
        if (follows && (distance == pair.gap || distance == 1)) pair.ordered += weight;
      }
    }
  }

  double lead() const {
    double sum = 0;
    for (const QueryTerm& term : terms_)
      if (term.leads) sum += term.idf;
    return sum;
  }

  /// The share of the query's terms that the node has.
  double coverage() const {
    double all = 0;
    double met = 0;
    for (const QueryTerm& term : terms_) {
      all += term.idf;
      if (term.is_met) met += term.idf;
    }
    return all > 0 ? met / all : 0;
  }

  double saturation(double frequency) const {
    return frequency > 0 ? scorer_.saturation(frequency, static_cast<std::uint32_t>(std::lround(length_))) : 0;
  }

  double exact_forms() const {
    double sum = 0;
    for (const QueryTerm& term : terms_)
      for (const auto& [form, count] : term.forms) sum += term.idf * saturation(count);
    return sum;
  }

  /// Of each pair of the query, as if "side by side, in that order" and "near" were terms.
  double proximity() const {
    double sum = 0;
    for (const QueryPair& pair : pairs_)
      sum += pair.times * std::min(terms_[pair.first].idf, terms_[pair.second].idf) *
             (saturation(pair.ordered) + saturation(pair.near));
    return sum;
  }

  const TextMember& member_;
  Bm25Scorer scorer_;
  std::vector<QueryTerm> terms_;
  std::vector<QueryPair> pairs_;
  std::map<std::tuple<std::size_t, std::size_t, std::uint32_t>, std::size_t> pair_numbers_;
  TermTable numbers_;  ///< First of terms_, in their order; then of the texts' other terms where texts are compared.
  double length_ = 0;
  bool compares_texts_ = false;
  NeighbourScores neighbours_;
};

/// Whether `k` of the scores are above `most`, by more than sums are rounded.
bool are_above(const std::vector<double>& scores, std::size_t k, double most) {
  const auto above = std::count_if(scores.begin(), scores.end(), [&](double score) { return score > most * 1.000001; });
  return static_cast<std::size_t>(above) >= k;
}

}  // namespace

std::vector<Node> boost_by_text(const StoreSnapshot& snapshot, const SearchRequest& request, const TextMember& member,
                                std::size_t k, std::vector<ScoredNode>& hits, const StopToken& stop) {
  std::size_t depth = std::min(member.boosts.depth, hits.size());
  if (depth < 2) return {};
  TextBooster booster(member, snapshot, request.group);
  if (!booster.has_terms()) return {};
  NodeQuery query;
  query.group = request.group;
  std::size_t i = 0;
  std::vector<std::size_t> read;
  std::vector<double> scores;
  std::vector<Node> nodes;
  for (std::size_t begin = 0; begin < depth;) {
    const std::size_t end = booster.compares_texts() ? depth : std::min(depth, std::max(k, begin + kTextsAtOnce));
    query.ids.emplace();
    for (; begin < end; ++begin) query.ids->push_back(hits[begin].id);
    for (Node& node : snapshot.nodes(query, stop)) {
      throw_if_stopped(stop);
      while (hits[i].id != node.id) ++i;
      read.push_back(i);
      scores.push_back(hits[i].score + booster.boost_of(node, hits[i].score, stop));
      nodes.push_back(std::move(node));
    }
    if (end < depth && are_above(scores, k, hits[end].score + booster.most_for(hits[end].score))) depth = end;
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
