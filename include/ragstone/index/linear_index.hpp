#pragma once

#include <ragstone/index/index.hpp>
#include <ragstone/index/word_index_options.hpp>

#include <memory>

namespace ragstone {

using LinearIndexOptions = WordIndexOptions;

/// Lookup by comparing with each node's word in turn. The measure for cleverer indexes, and enough for some 100,000
/// entries (benchmarks/words.cpp prints the times). Changes gather in memory, at about 90 bytes a node, until they are
/// merged with the compact form: the words, one after the other, and 16 bytes a node with 32-bit node ids, 20 with
/// weights. It can be saved; loading reads no word.
///
/// The parameters, scores and errors of queries are those of trie_index().
std::shared_ptr<Index> linear_index(LinearIndexOptions options = {});

}  // namespace ragstone
