#pragma once

#include <ragstone/base/stop.hpp>
#include <ragstone/index/index.hpp>
#include <ragstone/store/search.hpp>
#include <ragstone/store/snapshot.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace ragstone {

/// What one member of a search found.
struct MemberHits {
  std::vector<ScoredNode> hits;  ///< In the order of ranks_before, after the cut-off.
  std::string note;
  /// With text, the nodes that had to be read, so that nobody reads them again.
  std::vector<Node> nodes;
};

/// Runs one member of `request` for at most `k` hits. `with_nodes`: nodes that have to be read are wanted with text,
/// even if that could be left out. `parallel` (null: none) helps with large scans.
MemberHits run_member(const StoreSnapshot& snapshot, const SearchRequest& request, const SearchMember& member,
                      std::size_t k, bool with_nodes, const StopToken& stop, const Parallel* parallel = nullptr);

/// What run_member() does in three steps, for a member of vectors whose search is shared with others.
VectorSearch vector_search(const SearchRequest& request, const VectorMember& member, std::size_t k);
MemberHits vector_hits(const VectorMember& member, std::vector<ScoredNode> hits, const std::string& plan);
MemberHits finish_member(const SearchMember& member, MemberHits result);

}  // namespace ragstone
