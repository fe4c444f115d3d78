#pragma once

#include "store/run_member.hpp"
#include <ragstone/store/search.hpp>
#include <ragstone/store/snapshot.hpp>

#include <cstddef>
#include <vector>

namespace ragstone {

/// Adds what the texts of the best hits are worth by `member.boosts`, and puts the hits in order again. Hits that are
/// not read stay behind those that are, with scores that fit. Where texts are not compared with each other, those are
/// not read either whose boost could not bring them among the first `k`. Gives the nodes that were read.
std::vector<Node> boost_by_text(const StoreSnapshot& snapshot, const SearchRequest& request, const TextMember& member,
                                std::size_t k, std::vector<ScoredNode>& hits, const StopToken& stop);

}  // namespace ragstone
