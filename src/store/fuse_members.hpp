#pragma once

#include "store/run_member.hpp"
#include <ragstone/index/index.hpp>
#include <ragstone/store/search.hpp>

#include <span>
#include <vector>

namespace ragstone {

/// The hits of all members as one ranking, in the order of ranks_before; members[i] ran request.members[i].
std::vector<ScoredNode> fuse_members(const SearchRequest& request, std::span<const MemberHits> members);

}  // namespace ragstone
