#include "store/fuse_members.hpp"

#include "index/fusion.hpp"

#include <cstddef>
#include <functional>
#include <map>

namespace ragstone {
namespace {

std::vector<ScoredNode> fuse(const SearchRequest& request, std::span<const Ranking> rankings) {
  return request.fusion == Fusion::relative_score ? fuse_relative_scores(rankings)
                                                  : fuse_reciprocal_ranks(rankings, request.rrf_k);
}

}  // namespace

std::vector<ScoredNode> fuse_members(const SearchRequest& request, std::span<const MemberHits> members) {
  if (members.size() == 1) return members.front().hits;
  std::map<int, std::vector<Ranking>, std::greater<>> by_priority;
  for (std::size_t i = 0; i < members.size(); ++i)
    by_priority[request.members[i].priority].push_back({members[i].hits, request.members[i].weight});
  if (by_priority.size() == 1) return fuse(request, by_priority.begin()->second);
  std::vector<std::vector<ScoredNode>> fused;
  for (const auto& [priority, rankings] : by_priority) fused.push_back(fuse(request, rankings));
  return append_rankings(fused);
}

}  // namespace ragstone
