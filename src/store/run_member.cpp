#include "store/run_member.hpp"

#include "store/text_boost.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/text/analyzer.hpp>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>

namespace ragstone {
namespace {

/// Whether nodes of the searched group are there and pass its filter; asks the snapshot about each id once.
class NodeCheck {
 public:
  NodeCheck(const StoreSnapshot& snapshot, const SearchRequest& request, const StopToken& stop)
      : snapshot_(snapshot), stop_(stop) {
    query_.group = request.group;
    query_.filter = request.filter;
    query_.with_text = false;
  }

  bool operator()(NodeId id) {
    const auto known = known_.find(id);
    if (known != known_.end()) return known->second;
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
};

MemberHits run(const StoreSnapshot& snapshot, const SearchRequest& request, const TextMember& member, std::size_t k,
               const StopToken& stop) {
  if (!member.analyzer) throw Error(Errc::invalid_argument, "search: a text member needs an analyzer");
  std::vector<TermWeight> terms;
  for (auto& [term, count] : count_terms(*member.analyzer, member.text).terms)
    terms.push_back({std::move(term), static_cast<float>(count)});
  MemberHits result;
  const std::size_t depth = std::max(k, member.boosts.depth);
  result.hits = snapshot.search_terms(request.group, member.key, terms, member.parameters, request.filter, depth, stop);
  boost_by_text(snapshot, request, member, result.hits, stop);
  if (result.hits.size() > k) result.hits.resize(k);
  result.note = "BM25 of " + std::to_string(terms.size()) + " terms";
  return result;
}

MemberHits run(const StoreSnapshot& snapshot, const SearchRequest& request, const VectorMember& member, std::size_t k,
               const StopToken& stop, const Parallel* parallel) {
  VectorSearch search = vector_search(request, member, k);
  search.parallel = parallel;
  VectorHits found = snapshot.search_vectors(search, stop);
  return vector_hits(member, std::move(found.hits.front()), found.plan);
}

/// Asks for twice as much as long as too little of what the index gives may be a hit.
MemberHits run(const StoreSnapshot& snapshot, const SearchRequest& request, const IndexMember& member, std::size_t k,
               const StopToken& stop) {
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
    std::sort(offered.begin(), offered.end(), ranks_before);
    result.hits.clear();
    std::unordered_set<NodeId> seen;
    for (const ScoredNode& hit : offered) {
      if (result.hits.size() == k) break;
      if (seen.insert(hit.id).second && check(hit.id)) result.hits.push_back(hit);
    }
    if (result.hits.size() == k || !may_have_more) break;
  }
  result.note = "registered index, asked " + std::to_string(rounds) + (rounds == 1 ? " time" : " times");
  return result;
}

}  // namespace

VectorSearch vector_search(const SearchRequest& request, const VectorMember& member, std::size_t k) {
  VectorSearch search;
  search.group = request.group;
  search.key = member.key;
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
                      std::size_t k, const StopToken& stop, const Parallel* parallel) {
  MemberHits result = std::visit(
      [&](const auto& query) {
        if constexpr (std::is_same_v<std::decay_t<decltype(query)>, VectorMember>)
          return run(snapshot, request, query, k, stop, parallel);
        else
          return run(snapshot, request, query, k, stop);
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
