#pragma once

#include "store/target.hpp"
#include <ragstone/base/stop.hpp>
#include <ragstone/store/search.hpp>
#include <ragstone/store/snapshot.hpp>

#include <string>
#include <vector>

namespace ragstone {

/// Chooses top_k of `hits`, nodes of `group` and best first, as request.diversity says, in the order of choice; `note`
/// tells how they were compared.
std::vector<TargetHit> diversify(const StoreSnapshot& snapshot, const SearchRequest& request, const std::string& group,
                                 std::vector<TargetHit> hits, std::string& note, const StopToken& stop);

}  // namespace ragstone
