#pragma once

#include <ragstone/base/stop.hpp>
#include <ragstone/index/index.hpp>
#include <ragstone/store/search.hpp>
#include <ragstone/store/snapshot.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace ragstone {

/// A node of the target group.
struct TargetHit {
  ScoredNode node;
  std::size_t origin = 0;  ///< Number of the best hit that led to it.
};

/// Carries hits of `group`, best first, over to `target`, another group, as SearchRequest::target says; in the order
/// of ranks_before. Errors: Errc::invalid_argument if the groups have no ancestor in common.
std::vector<TargetHit> carry_over(const StoreSnapshot& snapshot, const std::string& group, const std::string& target,
                                  TargetScore score, std::span<const ScoredNode> hits, const StopToken& stop);

}  // namespace ragstone
