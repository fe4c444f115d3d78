#pragma once

#include "store/target.hpp"
#include <ragstone/base/stop.hpp>
#include <ragstone/store/snapshot.hpp>

#include <string>
#include <vector>

namespace ragstone {

/// Puts parents in the place of hits of `group`, best first, as SearchRequest::parent_share says; in the order of
/// ranks_before. A parent's origin is that of its best child.
std::vector<TargetHit> merge_parents(const StoreSnapshot& snapshot, const std::string& group, double share,
                                     std::vector<TargetHit> hits, const StopToken& stop);

}  // namespace ragstone
