#include "store/run_member.hpp"

#include "store/feedback.hpp"
#include "store/query_terms.hpp"
#include "store/single_checks.hpp"
#include "store/text_boost.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace ragstone {
namespace {

// A node is asked about alone in the time in which a selection goes through this many.
constexpr std::size_t kRowsForOneCheck = 64;

/// Tells which nodes of the searched group are there and pass its filter.
class NodeCheck {
 public:
  NodeCheck(const StoreSnapshot& snapshot, const SearchRequest& request, const StopToken& stop)
      : snapshot_(snapshot), stop_(stop) {
    query_.group = request.group;
    query_.filter = request.filter;
  }

  /// The nodes among `hits` that do, in their order.
  std::vector<Node> read(const std::vector<ScoredNode>& hits, bool with_text) {
    query_.with_text = with_text;
    query_.ids.emplace();
    for (const ScoredNode& hit : hits) query_.ids->push_back(hit.id);
    return snapshot_.nodes(query_, stop_);
  }

  bool operator()(NodeId id) {
    if (selected_) return std::binary_search(selected_->begin(), selected_->end(), id);
    const auto known = known_.find(id);
    if (known != known_.end()) return known->second;
    // Ids count up: the largest tells how many nodes the store may hold.
    largest_ = std::max(largest_, id);
    if (!single_checks_.may_have_another(static_cast<std::size_t>(largest_))) {
      selected_ = snapshot_.select(query_.group, query_.filter, stop_);
      return std::binary_search(selected_->begin(), selected_->end(), id);
    }
    query_.with_text = false;
    query_.ids.emplace(1, id);
    const bool passes = !snapshot_.nodes(query_, stop_).empty();
    known_.emplace(id, passes);
    return passes;
  }

 private:
  const StoreSnapshot& snapshot_;
  const StopToken& stop_;
  NodeQuery query_;
  std::unordered_map<NodeId, bool> known_;
  NodeId largest_ = 0;
  SingleChecks single_checks_{kRowsForOneCheck};
  std::optional<std::vector<NodeId>> selected_;  ///< Ascending.
};

/// Without terms and k.
template <class Member>
TermSearch term_search(const SearchRequest& request, const Member& member) {
  TermSearch search;
  search.group = request.group;
  search.key = member.key;
  search.signature = member.signature;
  search.filter = request.filter;
  return search;
}

void add_plan(const std::string& plan, std::string& note) {
  if (!plan.empty()) note += ", " + plan;
}

MemberHits run(const StoreSnapshot& snapshot, const SearchRequest& request, const TextMember& member, std::size_t k,
               const StopToken& stop) {
  if (!member.analyzer) throw Error(Errc::invalid_argument, "search: a text member needs an analyzer");
  std::vector<TermWeight> terms = query_terms(member);
  MemberHits result;
  const std::size_t wanted = std::max(k, member.boosts.depth);
  TermSearch asked = term_search(request, member);
  asked.parameters = member.parameters;
  std::string plan;
  const auto search = [&](std::size_t depth) {
    asked.terms = terms;
    asked.k = depth;
    TermHits found = snapshot.search_terms(asked, stop);
    plan = std::move(found.plan);
    return std::move(found.hits);
  };
  result.note = "BM25 of " + std::to_string(terms.size()) + " terms";
  const bool may_feed_back = member.feedback.weight > 0;
  result.hits = search(may_feed_back ? std::max(wanted, member.feedback.rank) : wanted);
  if (may_feed_back) {
    std::vector<TermWeight> more = add_feedback(snapshot, request, member, terms, result.hits, stop);
    if (!more.empty()) {
      result.note += " and " + std::to_string(more.size() - terms.size()) + " by feedback";
      terms = std::move(more);
      result.hits = search(wanted);
    }
  }
  add_plan(plan, result.note);
  result.nodes = boost_by_text(snapshot, request, member, k, result.hits, stop);
  if (result.hits.size() > k) result.hits.resize(k);
  return result;
}

MemberHits run(const StoreSnapshot& snapshot, const SearchRequest& request, const VectorMember& member, std::size_t k,
               const StopToken& stop, const Parallel* parallel) {
  VectorSearch search = vector_search(request, member, k);
  search.parallel = parallel;
  VectorHits found = snapshot.search_vectors(search, stop);
  return vector_hits(member, std::move(found.hits.front()), found.plan);
}

MemberHits run(const StoreSnapshot& snapshot, const SearchRequest& request, const SparseMember& member, std::size_t k,
               const StopToken& stop) {
  TermSearch asked = term_search(request, member);
  asked.terms = member.terms;
  asked.k = k;
  TermHits found = snapshot.search_terms(asked, stop);
  MemberHits result;
  result.hits = std::move(found.hits);
  result.note = "inner products of " + std::to_string(member.terms.size()) + " terms";
  add_plan(found.plan, result.note);
  return result;
}

/// The best hits first, each id once.
void tidy(std::vector<ScoredNode>& hits) {
  std::sort(hits.begin(), hits.end(), ranks_before);
  if (hits.size() < 2) return;
  std::unordered_set<NodeId> seen;
  std::erase_if(hits, [&](const ScoredNode& hit) { return !seen.insert(hit.id).second; });
}

/// Asks for twice as much as long as too little of what the index gives may be a hit.
MemberHits run(const StoreSnapshot& snapshot, const SearchRequest& request, const IndexMember& member, std::size_t k,
               bool with_nodes, const StopToken& stop) {
  if (!member.index) throw Error(Errc::invalid_argument, "search: an index member needs an index");
  NodeCheck check(snapshot, request, stop);
  IndexQuery query;
  query.text = member.text;
  query.parameters = member.parameters;
  if (!request.filter.empty()) query.allowed = [&check](NodeId id) { return check(id); };

  MemberHits result;
  std::size_t rounds = 0;
  for (query.top_k = k;; query.top_k *= 2) {
    throw_if_stopped(stop);
    ++rounds;
    std::vector<ScoredNode> offered = member.index->query(query, stop);
    const bool may_have_more = offered.size() >= query.top_k && query.top_k <= SIZE_MAX / 2;
    tidy(offered);
    // Most often all that it gives may be hits, and what comes after the first k is not needed.
    result.hits.clear();
    result.nodes.clear();
    for (auto from = offered.begin(); from != offered.end() && result.hits.size() < k;) {
      const auto count = std::min(static_cast<std::size_t>(offered.end() - from), k - result.hits.size());
      const std::vector<ScoredNode> batch(from, from + static_cast<std::ptrdiff_t>(count));
      from += static_cast<std::ptrdiff_t>(count);
      auto hit = batch.begin();
      for (Node& node : check.read(batch, with_nodes)) {
        while (hit->id != node.id) ++hit;
        result.hits.push_back(*hit);
        result.nodes.push_back(std::move(node));
      }
    }
    if (result.hits.size() == k || !may_have_more) break;
  }
  if (!with_nodes) result.nodes.clear();
  result.note = "registered index, asked " + std::to_string(rounds) + (rounds == 1 ? " time" : " times");
  return result;
}

}  // namespace

VectorSearch vector_search(const SearchRequest& request, const VectorMember& member, std::size_t k) {
  VectorSearch search;
  search.group = request.group;
  search.key = member.key;
  search.signature = member.signature;
  search.queries = member.vector;
  search.dimension = member.vector.size();
  search.metric = member.metric;
  search.filter = request.filter;
  search.k = k;
  search.recall = member.recall;
  search.ef = member.ef;
  search.exact = member.exact;
  return search;
}

MemberHits vector_hits(const VectorMember& member, std::vector<ScoredNode> hits, const std::string& plan) {
  MemberHits result;
  result.hits = std::move(hits);
  result.note = std::string(name_of(member.metric)) + " in dimension " + std::to_string(member.vector.size());
  if (!plan.empty()) result.note += " by " + plan;
  return result;
}

MemberHits run_member(const StoreSnapshot& snapshot, const SearchRequest& request, const SearchMember& member,
                      std::size_t k, bool with_nodes, const StopToken& stop, const Parallel* parallel) {
  MemberHits result = std::visit(
      [&](const auto& query) {
        using Query = std::decay_t<decltype(query)>;
        if constexpr (std::is_same_v<Query, VectorMember>) {
          return run(snapshot, request, query, k, stop, parallel);
        } else if constexpr (std::is_same_v<Query, IndexMember>) {
          return run(snapshot, request, query, k, with_nodes, stop);
        } else {
          return run(snapshot, request, query, k, stop);
        }
      },
      member.query);
  return finish_member(member, std::move(result));
}

MemberHits finish_member(const SearchMember& member, MemberHits result) {
  if (member.cut_off) std::erase_if(result.hits, [&](const ScoredNode& hit) { return hit.score < *member.cut_off; });
  result.note = member.name + ": " + result.note + ", " + std::to_string(result.hits.size()) + " hits";
  if (member.cut_off) result.note += " at or above the cut-off";
  return result;
}

}  // namespace ragstone
