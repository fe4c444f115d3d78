#pragma once

#include <ragstone/index/term_weight.hpp>
#include <ragstone/store/search.hpp>
#include <ragstone/store/snapshot.hpp>

#include <span>
#include <vector>

namespace ragstone {

/// The query with what the member's feedback adds to it, given the hits of `terms`; empty where it adds nothing.
std::vector<TermWeight> add_feedback(const StoreSnapshot& snapshot, const SearchRequest& request,
                                     const TextMember& member, const std::vector<TermWeight>& terms,
                                     std::span<const ScoredNode> hits, const StopToken& stop);

}  // namespace ragstone
