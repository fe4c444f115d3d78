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
};

/// Runs one member of `request` for at most `k` hits.
MemberHits run_member(const StoreSnapshot& snapshot, const SearchRequest& request, const SearchMember& member,
                      std::size_t k, const StopToken& stop);

}  // namespace ragstone
