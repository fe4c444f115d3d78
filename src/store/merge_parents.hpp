#pragma once

#include "store/target.hpp"
#include <ragstone/base/stop.hpp>
#include <ragstone/store/snapshot.hpp>

#include <string>
#include <vector>

namespace ragstone {

/// Puts parents in the place of hits of request.group, as request.parent_share says. A parent has the score and the
/// origin of its best child. In the order of ranks_before; with request.diversity in the order of `hits`, a parent
/// where its first child was.
std::vector<TargetHit> merge_parents(const StoreSnapshot& snapshot, const SearchRequest& request,
                                     std::vector<TargetHit> hits, const StopToken& stop);

}  // namespace ragstone
