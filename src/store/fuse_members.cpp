#include "store/fuse_members.hpp"

#include "index/fusion.hpp"
#include "store/vector_batch.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <variant>

namespace ragstone {
namespace {

std::vector<ScoredNode> fuse(const SearchRequest& request, std::span<const Ranking> rankings) {
  return request.fusion == Fusion::relative_score ? fuse_relative_scores(rankings)
                                                  : fuse_reciprocal_ranks(rankings, request.rrf_k);
}

/// A member that finds by words has found all, if it gives less than it may: what it lacks has nothing of the query.
std::optional<double> score_of_missing(const SearchRequest& request, const SearchMember& member,
                                       const MemberHits& found) {
  if (std::holds_alternative<VectorMember>(member.query) || found.hits.size() >= member_hits(request))
    return std::nullopt;
  return found.hits.empty() ? 0 : std::min(0.0, found.hits.back().score);
}

}  // namespace

std::vector<ScoredNode> fuse_members(const SearchRequest& request, std::span<const MemberHits> members) {
  if (members.size() == 1) return members.front().hits;
  std::map<int, std::vector<Ranking>, std::greater<>> by_priority;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const SearchMember& member = request.members[i];
    by_priority[member.priority].push_back(
        {members[i].hits, member.weight, score_of_missing(request, member, members[i])});
  }
  if (by_priority.size() == 1) return fuse(request, by_priority.begin()->second);
  std::vector<std::vector<ScoredNode>> fused;
  for (const auto& [priority, rankings] : by_priority) fused.push_back(fuse(request, rankings));
  return append_rankings(fused);
}

}  // namespace ragstone
