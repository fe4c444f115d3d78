#include "store/run_search.hpp"

#include "index/fusion.hpp"
#include "store/run_member.hpp"
#include "store/target.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/text/offset_map.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>
#include <utility>

namespace ragstone {
namespace {

/// The hits of all members as one ranking.
std::vector<ScoredNode> fuse(const SearchRequest& request, const std::vector<MemberHits>& members) {
  if (members.size() == 1) return members.front().hits;
  std::vector<Ranking> rankings;
  for (std::size_t i = 0; i < members.size(); ++i) rankings.push_back({members[i].hits, request.members[i].weight});
  return fuse_reciprocal_ranks(rankings, request.rrf_k);
}

using RanksById = std::unordered_map<NodeId, std::vector<MemberRank>>;

RanksById collect_ranks(const SearchRequest& request, const std::vector<MemberHits>& members,
                        const std::set<NodeId>& wanted) {
  RanksById ranks;
  for (std::size_t m = 0; m < members.size(); ++m)
    for (std::size_t i = 0; i < members[m].hits.size(); ++i) {
      const ScoredNode& hit = members[m].hits[i];
      if (!wanted.contains(hit.id)) continue;
      MemberRank& rank = ranks[hit.id].emplace_back();
      rank.member = request.members[m].name;
      rank.rank = i + 1;
      rank.score = hit.score;
    }
  return ranks;
}

/// Finds the file's bytes for spans of the text.
class FileSpans {
 public:
  explicit FileSpans(const StoreSnapshot& snapshot) : snapshot_(snapshot) {}

  Span to_file(const Node& node) {
    const auto [place, is_new] = maps_.try_emplace(node.source);
    if (is_new) {
      SourceQuery query;
      query.id = node.source;
      for (const SourceRecord& record : snapshot_.sources(query))
        if (!record.offset_map.empty()) place->second = OffsetMap::parse(record.offset_map);
    }
    return place->second.to_file(node.span);
  }

 private:
  const StoreSnapshot& snapshot_;
  std::unordered_map<std::string, OffsetMap> maps_;
};

}  // namespace

void check_search(const SearchRequest& request) {
  const auto refuse = [](const std::string& reason) { throw Error(Errc::invalid_argument, "search: " + reason); };
  if (request.group.empty()) refuse("name a group");
  if (request.members.empty()) refuse("there is nothing to rank by; add a member");
  if (request.top_k == 0) refuse("top_k is 0; ask for at least 1 hit");
  if (!std::isfinite(request.rrf_k) || request.rrf_k < 0) refuse("rrf_k must be 0 or more");
  std::set<std::string_view> names;
  for (const SearchMember& member : request.members) {
    if (!names.insert(member.name).second) refuse("two members have the name \"" + member.name + '"');
    if (const auto* text = std::get_if<TextMember>(&member.query);
        text && !(text->boosts.proximity >= 0 && text->boosts.exact_form >= 0))
      refuse("the boosts of member \"" + member.name + "\" must be 0 or more");
    if (!std::isfinite(member.weight) || member.weight <= 0)
      refuse("the weight of member \"" + member.name + "\" must be above 0");
    if (member.cut_off && std::isnan(*member.cut_off)) refuse("the cut-off of \"" + member.name + "\" is not a number");
  }
}

SearchResponse run_search(const StoreSnapshot& snapshot, const SearchRequest& request, const StopToken& stop) {
  check_search(request);
  const bool carries = !request.target.empty() && request.target != request.group;
  const bool takes_depth = carries || request.members.size() > 1;
  const std::size_t k = takes_depth ? std::max(request.depth, request.top_k) : request.top_k;

  SearchResponse response;
  response.generation = snapshot.generation();
  std::vector<MemberHits> members;
  for (const SearchMember& member : request.members) {
    members.push_back(run_member(snapshot, request, member, k, stop));
    response.notes.push_back(members.back().note);
  }

  const std::vector<ScoredNode> ranked = fuse(request, members);
  std::vector<TargetHit> chosen;
  if (carries) {
    chosen = carry_over(snapshot, request.group, request.target, request.target_score, ranked, stop);
    response.notes.push_back(std::to_string(ranked.size()) + " hits in \"" + request.group + "\" lead to " +
                             std::to_string(chosen.size()) + " nodes in \"" + request.target + '"');
  } else {
    for (std::size_t i = 0; i < ranked.size(); ++i) chosen.push_back({ranked[i], i});
  }
  if (chosen.size() > request.top_k) chosen.resize(request.top_k);

  NodeQuery query;
  query.group = carries ? request.target : request.group;
  query.ids.emplace();
  std::set<NodeId> origins;
  for (const TargetHit& hit : chosen) {
    query.ids->push_back(hit.node.id);
    origins.insert(ranked[hit.origin].id);
  }
  std::vector<Node> nodes = snapshot.nodes(query, stop);
  const RanksById ranks = collect_ranks(request, members, origins);
  FileSpans files(snapshot);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    SearchHit& hit = response.hits.emplace_back();
    hit.file_span = files.to_file(nodes[i]);
    hit.node = std::move(nodes[i]);
    hit.score = chosen[i].node.score;
    hit.ranks = ranks.at(ranked[chosen[i].origin].id);
  }
  return response;
}

}  // namespace ragstone
