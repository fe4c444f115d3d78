#include "store/merge_parents.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <unordered_map>
#include <utility>

namespace ragstone {
namespace {

using Nodes = std::unordered_map<NodeId, Node>;

/// Without their texts.
Nodes read_nodes(const StoreSnapshot& snapshot, const std::vector<TargetHit>& hits, const StopToken& stop) {
  NodeQuery query;
  query.ids.emplace();
  for (const TargetHit& hit : hits) query.ids->push_back(hit.node.id);
  query.with_text = false;
  Nodes nodes;
  for (Node& node : snapshot.nodes(query, stop)) nodes.emplace(node.id, std::move(node));
  return nodes;
}

std::size_t count_children(const StoreSnapshot& snapshot, const std::string& group, NodeId parent,
                           const StopToken& stop) {
  NodeQuery query;
  query.group = group;
  query.parent = parent;
  query.with_text = false;
  return snapshot.nodes(query, stop).size();
}

}  // namespace

std::vector<TargetHit> merge_parents(const StoreSnapshot& snapshot, const std::string& group, double share,
                                     std::vector<TargetHit> hits, const StopToken& stop) {
  std::string level = group;
  while (!level.empty()) {
    const Nodes nodes = read_nodes(snapshot, hits, stop);
    std::map<NodeId, std::vector<std::size_t>> children;
    for (std::size_t i = 0; i < hits.size(); ++i) {
      const auto node = nodes.find(hits[i].node.id);
      if (node != nodes.end() && node->second.group == level && node->second.parent != 0)
        children[node->second.parent].push_back(i);
    }
    std::vector<bool> is_merged(hits.size());
    std::vector<TargetHit> kept;
    for (const auto& [parent, found] : children) {
      throw_if_stopped(stop);
      if (found.size() < 2) continue;
      const auto all = static_cast<double>(count_children(snapshot, level, parent, stop));
      if (static_cast<double>(found.size()) < share * all) continue;
      // The first one is the best.
      kept.push_back({{parent, hits[found.front()].node.score}, hits[found.front()].origin});
      for (const std::size_t i : found) is_merged[i] = true;
    }
    if (kept.empty()) break;
    for (std::size_t i = 0; i < hits.size(); ++i)
      if (!is_merged[i]) kept.push_back(hits[i]);
    std::sort(kept.begin(), kept.end(),
              [](const TargetHit& a, const TargetHit& b) { return ranks_before(a.node, b.node); });
    hits = std::move(kept);
    std::string above;
    for (const GroupInfo& info : snapshot.groups())
      if (info.group == level) above = info.parent;
    level = std::move(above);
  }
  return hits;
}

}  // namespace ragstone
