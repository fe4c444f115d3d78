#pragma once

#include "index/graph/build.hpp"

namespace ragstone::graph {

/// Adds links until every node can be reached from the entry on the lowest level: pruning may cut off rows near a
/// crowd of others.
void make_reachable(const CodeRows& rows, Metric metric, BuiltGraph& graph, const StopToken& stop);

}  // namespace ragstone::graph
