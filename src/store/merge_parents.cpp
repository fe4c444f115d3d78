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

/// The places of the hits that are of the group, by their parents.
std::map<NodeId, std::vector<std::size_t>> children_of(const std::vector<TargetHit>& hits, const Nodes& nodes,
                                                       const std::string& group) {
  std::map<NodeId, std::vector<std::size_t>> children;
  for (std::size_t i = 0; i < hits.size(); ++i) {
    const auto node = nodes.find(hits[i].node.id);
    if (node != nodes.end() && node->second.group == group && node->second.parent != 0)
      children[node->second.parent].push_back(i);
  }
  return children;
}

bool is_better(const TargetHit& a, const TargetHit& b) { return ranks_before(a.node, b.node); }

/// Puts the parents of hits of one group in their children's place; false if there was none to put.
bool merge_level(const StoreSnapshot& snapshot, const std::string& group, double share, std::vector<TargetHit>& hits,
                 const StopToken& stop) {
  std::vector<bool> is_merged(hits.size());
  std::map<std::size_t, TargetHit> parents;  // By the places of their first children.
  for (const auto& [parent, found] : children_of(hits, read_nodes(snapshot, hits, stop), group)) {
    throw_if_stopped(stop);
    if (found.size() < 2) continue;
    const auto all = static_cast<double>(count_children(snapshot, group, parent, stop));
    if (static_cast<double>(found.size()) < share * all) continue;
    std::vector<TargetHit> merged;
    for (const std::size_t i : found) {
      merged.push_back(hits[i]);
      is_merged[i] = true;
    }
    TargetHit& hit = parents[found.front()] = *std::min_element(merged.begin(), merged.end(), is_better);
    hit.node.id = parent;
  }
  if (parents.empty()) return false;
  std::vector<TargetHit> kept;
  for (std::size_t i = 0; i < hits.size(); ++i) {
    if (const auto parent = parents.find(i); parent != parents.end()) kept.push_back(parent->second);
    if (!is_merged[i]) kept.push_back(hits[i]);
  }
  hits = std::move(kept);
  return true;
}

std::string parent_of(const StoreSnapshot& snapshot, const std::string& group) {
  for (const GroupInfo& info : snapshot.groups())
    if (info.group == group) return info.parent;
  return {};
}

}  // namespace

std::vector<TargetHit> merge_parents(const StoreSnapshot& snapshot, const SearchRequest& request,
                                     std::vector<TargetHit> hits, const StopToken& stop) {
  std::string level = request.group;
  while (!level.empty() && merge_level(snapshot, level, request.parent_share, hits, stop))
    level = parent_of(snapshot, level);
  if (!request.diversity) std::sort(hits.begin(), hits.end(), is_better);
  return hits;
}

}  // namespace ragstone
