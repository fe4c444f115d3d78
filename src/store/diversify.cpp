#include "store/diversify.hpp"

#include "index/diversity.hpp"
#include <ragstone/base/ids.hpp>
#include <ragstone/text/analyzer.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>

namespace ragstone {
namespace {

template <class Member>
const Member* first_of(const SearchRequest& request) {
  for (const SearchMember& member : request.members)
    if (const auto* found = std::get_if<Member>(&member.query)) return found;
  return nullptr;
}

std::vector<Hash128> contents_of(const std::vector<Node>& nodes) {
  std::vector<Hash128> contents;
  for (const Node& node : nodes) contents.push_back(hash128(node.text));
  return contents;
}

/// The stored vector of each node under the key, of unit length; nothing unless all nodes have one.
std::vector<std::vector<float>> unit_vectors(const StoreSnapshot& snapshot, const std::string& group,
                                             const std::string& key, const std::vector<Node>& nodes) {
  const std::vector<Hash128> contents = contents_of(nodes);
  for (const GroupInfo& info : snapshot.groups()) {
    if (info.group != group) continue;
    for (const StoredForm& form : info.forms) {
      if (form.key != key) continue;
      std::vector<std::vector<float>> vectors = snapshot.vectors(key, form.signature, contents);
      if (std::any_of(vectors.begin(), vectors.end(), [](const auto& vector) { return vector.empty(); })) continue;
      for (std::vector<float>& vector : vectors) {
        double sum = 0;
        for (const float x : vector) sum += double{x} * x;
        const auto scale = static_cast<float>(sum > 0 ? 1 / std::sqrt(sum) : 0);
        for (float& x : vector) x *= scale;
      }
      return vectors;
    }
  }
  return {};
}

double dot(const std::vector<float>& a, const std::vector<float>& b) noexcept {
  double sum = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) sum += double{a[i]} * b[i];
  return sum;
}

/// Counts of a text's terms, by ascending term, with their Euclidean length.
struct Terms {
  std::vector<std::pair<std::string, std::uint32_t>> counts;
  double length = 0;
};

Terms terms_of(const Analyzer& analyzer, const std::string& text) {
  Terms terms;
  terms.counts = count_terms(analyzer, text).terms;
  double sum = 0;
  for (const auto& term : terms.counts) sum += static_cast<double>(term.second) * term.second;
  terms.length = std::sqrt(sum);
  return terms;
}

double cosine(const Terms& a, const Terms& b) noexcept {
  if (a.length == 0 || b.length == 0) return 0;
  double sum = 0;
  auto right = b.counts.begin();
  for (const auto& left : a.counts) {
    while (right != b.counts.end() && right->first < left.first) ++right;
    if (right == b.counts.end()) break;
    if (right->first == left.first) sum += static_cast<double>(left.second) * right->second;
  }
  return sum / (a.length * b.length);
}

/// The nodes of hits; hits without one are dropped.
std::vector<Node> read_nodes(const StoreSnapshot& snapshot, const std::string& group, std::vector<TargetHit>& hits,
                             const StopToken& stop) {
  NodeQuery query;
  query.group = group;
  query.ids.emplace();
  for (const TargetHit& hit : hits) query.ids->push_back(hit.node.id);
  std::vector<Node> nodes = snapshot.nodes(query, stop);
  auto node = nodes.begin();
  std::erase_if(hits, [&](const TargetHit& hit) {
    const bool is_there = node != nodes.end() && node->id == hit.node.id;
    if (is_there) ++node;
    return !is_there;
  });
  return nodes;
}

std::vector<double> scaled_scores(const std::vector<TargetHit>& hits) {
  std::vector<double> scores;
  for (const TargetHit& hit : hits) scores.push_back(hit.node.score);
  const auto [worst, best] = std::minmax_element(scores.begin(), scores.end());
  const double low = *worst;
  const double range = *best - low;
  for (double& score : scores) score = range > 0 ? (score - low) / range : 1;
  return scores;
}

}  // namespace

std::vector<TargetHit> diversify(const StoreSnapshot& snapshot, const SearchRequest& request, const std::string& group,
                                 std::vector<TargetHit> hits, std::string& note, const StopToken& stop) {
  const std::size_t candidates = std::max(request.diversity->candidates, request.top_k);
  if (hits.size() > candidates) hits.resize(candidates);
  const std::vector<Node> nodes = read_nodes(snapshot, group, hits, stop);
  if (hits.empty()) return hits;

  std::vector<std::size_t> order;
  const double lambda = request.diversity->lambda;
  const std::vector<double> relevance = scaled_scores(hits);
  const auto* member = first_of<VectorMember>(request);
  const std::vector<std::vector<float>> vectors =
      member ? unit_vectors(snapshot, group, member->key, nodes) : std::vector<std::vector<float>>();
  if (!vectors.empty()) {
    order = choose_diverse(relevance, request.top_k, lambda,
                           [&](std::size_t a, std::size_t b) { return dot(vectors[a], vectors[b]); });
    note = "vectors of \"" + member->key + '"';
  } else {
    const auto* text = first_of<TextMember>(request);
    const std::shared_ptr<const Analyzer> analyzer = text && text->analyzer ? text->analyzer : standard_analyzer();
    std::vector<Terms> terms;
    for (const Node& node : nodes) {
      throw_if_stopped(stop);
      terms.push_back(terms_of(*analyzer, node.text));
    }
    order = choose_diverse(relevance, request.top_k, lambda,
                           [&](std::size_t a, std::size_t b) { return cosine(terms[a], terms[b]); });
    note = "their terms";
  }
  note = "diversity: " + std::to_string(order.size()) + " of " + std::to_string(hits.size()) + " hits, compared by " +
         note;
  std::vector<TargetHit> chosen;
  for (const std::size_t i : order) chosen.push_back(hits[i]);
  return chosen;
}

}  // namespace ragstone
