#include "rag/fused_hits.hpp"

#include "store/run_search.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <exception>
#include <unordered_map>
#include <utility>

namespace ragstone {

bool may_degrade(const std::exception_ptr& error, OnMemberFailure on_failure, const CallContext& context) {
  if (on_failure == OnMemberFailure::fail || is_cancelled(error)) return false;
  return !(context.deadline() && CallContext::Clock::now() >= *context.deadline());
}

std::vector<RankedHits> rankings_of(std::vector<Outcome<Retrieval>> outcomes, const std::vector<std::string>& names,
                                    const std::vector<double>& weights, OnMemberFailure on_failure,
                                    std::vector<MemberFailure>& failures) {
  std::vector<RankedHits> rankings;
  std::exception_ptr first;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i]) {
      RankedHits ranking;
      ranking.name = names[i];
      ranking.weight = weights.empty() ? 1 : weights[i];
      ranking.retrieval = std::move(outcomes[i]).value();
      rankings.push_back(std::move(ranking));
    } else {
      if (!first) first = outcomes[i].error();
      failures.push_back(failure_of(names[i], outcomes[i].error()));
    }
  }
  if (first && (on_failure == OnMemberFailure::fail || rankings.empty())) std::rethrow_exception(first);
  return rankings;
}

Retrieval fuse_hits(std::vector<RankedHits> rankings, double rrf_k, std::size_t top_k) {
  Retrieval fused;
  std::unordered_map<Uid, std::size_t> places;
  for (RankedHits& ranking : rankings) {
    Retrieval& found = ranking.retrieval;
    std::size_t rank = 0;
    for (Hit& hit : found.hits) {
      MemberRank member;
      member.member = ranking.name;
      member.rank = ++rank;
      member.score = hit.score;
      const double share = ranking.weight / (rrf_k + static_cast<double>(rank));
      const auto [place, is_new] = places.emplace(hit.uid, fused.hits.size());
      if (is_new) {
        hit.score = 0;
        fused.hits.push_back(std::move(hit));
      }
      Hit& kept = fused.hits[place->second];
      if (!is_new && kept.highlights.empty() && kept.field_highlights.empty()) {
        kept.highlights = std::move(hit.highlights);
        kept.field_highlights = std::move(hit.field_highlights);
      }
      kept.score += share;
      kept.ranks.push_back(std::move(member));
    }
    for (const std::string& note : found.notes) fused.notes.push_back(ranking.name + ": " + note);
    for (MemberFailure& failure : found.failures) {
      failure.member = ranking.name + ": " + failure.member;
      fused.failures.push_back(std::move(failure));
    }
    fused.generations.insert(fused.generations.end(), found.generations.begin(), found.generations.end());
  }
  std::stable_sort(fused.hits.begin(), fused.hits.end(), [](const Hit& a, const Hit& b) { return a.score > b.score; });
  if (fused.hits.size() > top_k) fused.hits.resize(top_k);
  return fused;
}

}  // namespace ragstone
