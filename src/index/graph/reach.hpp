#pragma once

#include "index/graph/build.hpp"

#include <vector>

namespace ragstone::graph {

/// Adds links until walks can come to every node: pruning may cut off rows near a crowd of others, and by products rows
/// that are near none. Nodes that are `apart`, as copies are, have no links and get none.
void make_reachable(const CodeRows& rows, Metric metric, const std::vector<bool>& apart, BuiltGraph& graph,
                    const StopToken& stop);

}  // namespace ragstone::graph
