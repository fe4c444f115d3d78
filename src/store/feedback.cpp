#include "store/feedback.hpp"

#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

namespace ragstone {
namespace {

constexpr std::size_t kMaxTextBytes = 32 << 10;
// Of so many times the wanted number of terms it is looked up how common they are.
constexpr std::size_t kCandidates = 6;
// Terms of a larger share of nodes say little; those of one node lead to none.
constexpr std::uint64_t kLargestShare = 10;
constexpr std::uint64_t kLeastNodes = 2;

double weight_for(const Feedback& feedback, std::span<const ScoredNode> hits) {
  const double ratio = hits.size() < feedback.rank ? 0 : hits[feedback.rank - 1].score / hits.front().score;
  if (ratio >= feedback.flat_to) return feedback.weight;
  if (ratio <= feedback.flat_from) return 0;
  return feedback.weight * (ratio - feedback.flat_from) / (feedback.flat_to - feedback.flat_from);
}

struct Candidate {
  std::string term;
  double share = 0;  ///< Of the texts' terms, each text weighted by its score.
};

std::vector<Candidate> read_candidates(const StoreSnapshot& snapshot, const SearchRequest& request,
                                       const TextMember& member, std::span<const ScoredNode> hits,
                                       const StopToken& stop) {
  NodeQuery query;
  query.group = request.group;
  query.ids.emplace();
  std::unordered_map<NodeId, double> scores;
  for (const ScoredNode& hit : hits) {
    query.ids->push_back(hit.id);
    scores.emplace(hit.id, hit.score);
  }
  const Analyzer& analyzer = member.text_analyzer ? *member.text_analyzer : *member.analyzer;
  std::unordered_map<std::string, double> shares;
  for (const Node& node : snapshot.nodes(query, stop)) {
    const std::string_view text(node.text);
    const TermCounts counts = count_terms(analyzer, text.substr(0, utf8::floor_boundary(text, kMaxTextBytes)));
    for (const auto& [term, count] : counts.terms)
      shares[term] += scores.at(node.id) * static_cast<double>(count) / static_cast<double>(counts.length);
  }
  std::vector<Candidate> candidates;
  candidates.reserve(shares.size());
  for (auto& [term, share] : shares) candidates.push_back({term, share});
  const std::size_t count = std::min(candidates.size(), kCandidates * member.feedback.terms);
  std::partial_sort(
      candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(count), candidates.end(),
      [](const Candidate& a, const Candidate& b) { return a.share != b.share ? a.share > b.share : a.term < b.term; });
  candidates.resize(count);
  return candidates;
}

void keep_telling(const TermStatistics& statistics, std::size_t most, std::vector<Candidate>& candidates) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < candidates.size() && kept < most; ++i) {
    const std::uint64_t frequency = statistics.frequencies[i];
    if (frequency < kLeastNodes || frequency > statistics.nodes / kLargestShare) continue;
    if (kept != i) candidates[kept] = std::move(candidates[i]);
    ++kept;
  }
  candidates.resize(kept);
}

}  // namespace

std::vector<TermWeight> add_feedback(const StoreSnapshot& snapshot, const SearchRequest& request,
                                     const TextMember& member, const std::vector<TermWeight>& terms,
                                     std::span<const ScoredNode> hits, const StopToken& stop) {
  const Feedback& feedback = member.feedback;
  if (hits.empty() || feedback.texts == 0 || feedback.terms == 0 || feedback.weight == 0) return {};
  const double weight = weight_for(feedback, hits);
  if (weight == 0) return {};
  std::vector<Candidate> candidates =
      read_candidates(snapshot, request, member, hits.first(std::min(feedback.texts, hits.size())), stop);
  std::vector<std::string> names;
  names.reserve(candidates.size());
  for (const Candidate& candidate : candidates) names.push_back(candidate.term);
  keep_telling(snapshot.term_statistics(request.group, member.key, member.signature, names), feedback.terms,
               candidates);
  double shares = 0;
  for (const Candidate& candidate : candidates) shares += candidate.share;
  if (shares == 0) return {};

  double total = 0;
  for (const TermWeight& term : terms) total += double{term.weight};
  std::map<std::string, double> weights;
  for (const TermWeight& term : terms) weights[term.term] += (1 - weight) * double{term.weight};
  for (const Candidate& candidate : candidates) weights[candidate.term] += weight * total * candidate.share / shares;
  std::vector<TermWeight> all;
  all.reserve(weights.size());
  for (const auto& [term, value] : weights)
    if (const auto rounded = static_cast<float>(value); rounded > 0) all.push_back({term, rounded});
  return all;
}

}  // namespace ragstone
