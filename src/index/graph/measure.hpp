#pragma once

#include "index/graph/build.hpp"

namespace ragstone::graph {

/// Fills the header's table: how many of the ten nearest rows a walk finds whose nodes and their copies are then
/// compared exactly, for several ef. What codes mistake counts. The rows `asking` ask for others than themselves. Those
/// `held_out` are not in the graph yet. `parallel` may be null: on this thread alone.
void measure_recall(const CodeRows& rows, Metric metric, std::span<const std::uint32_t> asking,
                    std::span<const std::uint32_t> held_out, const ExactDistance& exact, BuiltGraph& graph,
                    const Parallel* parallel, const StopToken& stop);

}  // namespace ragstone::graph
