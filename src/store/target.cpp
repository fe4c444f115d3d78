#include "store/target.hpp"

#include <ragstone/base/error.hpp>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

namespace ragstone {
namespace {

/// A group and its ancestors, nearest first; empty if no source has the group.
std::vector<std::string> path_to_root(const std::vector<GroupInfo>& groups, std::string group) {
  std::vector<std::string> path;
  while (path.size() <= groups.size()) {
    const auto info = std::find_if(groups.begin(), groups.end(), [&](const GroupInfo& g) { return g.group == group; });
    if (info == groups.end()) break;
    path.push_back(group);
    group = info->parent;
  }
  return path;
}

/// For each node, the id of its ancestor `levels` groups up the path; 0 where there is none.
std::vector<NodeId> climb(const StoreSnapshot& snapshot, std::span<const Node> nodes, std::span<const std::string> path,
                          std::size_t levels, const StopToken& stop) {
  std::vector<NodeId> at(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) at[i] = levels == 0 ? nodes[i].id : nodes[i].parent;
  for (std::size_t level = 1; level < levels; ++level) {
    const std::set<NodeId> distinct(at.begin(), at.end());
    NodeQuery query;
    query.group = path[level];
    query.ids.emplace(distinct.begin(), distinct.end());
    query.with_text = false;
    std::unordered_map<NodeId, NodeId> parents;
    for (const Node& node : snapshot.nodes(query, stop)) parents.emplace(node.id, node.parent);
    for (NodeId& id : at) {
      const auto parent = parents.find(id);
      id = parent == parents.end() ? 0 : parent->second;
    }
  }
  return at;
}

/// The nodes of hits that have one, and the places of these hits.
struct FoundHits {
  std::vector<Node> nodes;
  std::vector<std::size_t> places;
};

FoundHits load(const StoreSnapshot& snapshot, const std::string& group, std::span<const ScoredNode> hits,
               const StopToken& stop) {
  NodeQuery query;
  query.group = group;
  query.ids.emplace();
  for (const ScoredNode& hit : hits) query.ids->push_back(hit.id);
  query.with_text = false;
  FoundHits found;
  found.nodes = snapshot.nodes(query, stop);
  for (std::size_t i = 0; i < hits.size() && found.places.size() < found.nodes.size(); ++i)
    if (hits[i].id == found.nodes[found.places.size()].id) found.places.push_back(i);
  return found;
}

/// Collects the scores that hits bring to target nodes; hits must come best first.
class Scores {
 public:
  explicit Scores(TargetScore score) : score_(score) {}

  void add(NodeId target, double score, std::size_t origin) {
    const auto [place, is_new] = targets_.try_emplace(target);
    TargetHit& hit = place->second;
    if (is_new) {
      hit.node = {target, score_ == TargetScore::count ? 1 : score};
      hit.origin = origin;
    } else if (score_ != TargetScore::max) {
      hit.node.score += score_ == TargetScore::count ? 1 : score;
    }
  }

  std::vector<TargetHit> ranked() const {
    std::vector<TargetHit> hits;
    hits.reserve(targets_.size());
    for (const auto& [id, hit] : targets_) hits.push_back(hit);
    std::sort(hits.begin(), hits.end(),
              [](const TargetHit& a, const TargetHit& b) { return ranks_before(a.node, b.node); });
    return hits;
  }

 private:
  TargetScore score_;
  std::unordered_map<NodeId, TargetHit> targets_;
};

}  // namespace

std::vector<TargetHit> carry_over(const StoreSnapshot& snapshot, const std::string& group, const std::string& target,
                                  TargetScore score, std::span<const ScoredNode> hits, const StopToken& stop) {
  const std::vector<GroupInfo> groups = snapshot.groups();
  const std::vector<std::string> path = path_to_root(groups, group);
  const std::vector<std::string> target_path = path_to_root(groups, target);
  if (hits.empty() || target_path.empty()) return {};

  const auto common = std::find_first_of(path.begin(), path.end(), target_path.begin(), target_path.end());
  if (common == path.end())
    throw Error(Errc::invalid_argument,
                "search: the target \"" + target + "\" and the group \"" + group + "\" have no ancestor in common");
  const auto levels = static_cast<std::size_t>(common - path.begin());
  const auto target_levels =
      static_cast<std::size_t>(std::find(target_path.begin(), target_path.end(), *common) - target_path.begin());

  Scores scores(score);
  const FoundHits found = load(snapshot, group, hits, stop);
  const std::vector<Node>& nodes = found.nodes;
  const auto add = [&](NodeId id, std::size_t i) { scores.add(id, hits[found.places[i]].score, found.places[i]); };
  const std::vector<NodeId> ancestors = climb(snapshot, nodes, path, levels, stop);
  if (target_levels == 0) {
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (ancestors[i] != 0) add(ancestors[i], i);
    return scores.ranked();
  }

  std::unordered_map<NodeId, std::vector<std::size_t>> hits_under;
  std::set<std::string> sources;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (ancestors[i] == 0) continue;
    hits_under[ancestors[i]].push_back(i);
    sources.insert(nodes[i].source);
  }
  for (const std::string& source : sources) {
    NodeQuery query;
    query.group = target;
    query.source = source;
    query.with_text = false;
    const std::vector<Node> candidates = snapshot.nodes(query, stop);
    const std::vector<NodeId> meeting = climb(snapshot, candidates, target_path, target_levels, stop);
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      const auto under = hits_under.find(meeting[c]);
      if (under == hits_under.end()) continue;
      for (const std::size_t i : under->second)
        if (levels == 0 || !nodes[i].is_span || !candidates[c].is_span || nodes[i].span.overlaps(candidates[c].span))
          add(candidates[c].id, i);
    }
  }
  return scores.ranked();
}

}  // namespace ragstone
