#pragma once

#include <ragstone/index/index.hpp>

#include <memory>

namespace ragstone {

/// Lookup by comparing with each node in turn: a node's word is its whole text, byte for byte. The measure for cleverer
/// indexes, and enough for some 100,000 entries (benchmarks/words.cpp prints the times); in memory the texts, one
/// after the other, and about 60 bytes a node.
///
/// The parameters, scores and errors of queries are those of trie_index() with all weights 1.
std::shared_ptr<Index> linear_index();

}  // namespace ragstone
