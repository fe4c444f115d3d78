#pragma once

#include <ragstone/index/index.hpp>

#include <memory>

namespace ragstone {

/// Exact lookup by comparing with each node in turn: the nodes whose whole text is the query, byte for byte, with score
/// 1. Time linear in the group; two words and the text of memory a node. The measure for cleverer indexes, and enough
/// for a few thousand entries.
std::shared_ptr<Index> linear_index();

}  // namespace ragstone
