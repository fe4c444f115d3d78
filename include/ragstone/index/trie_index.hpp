#pragma once

#include <ragstone/index/index.hpp>
#include <ragstone/index/word_index_options.hpp>

#include <memory>

namespace ragstone {

using TrieIndexOptions = WordIndexOptions;

/// A dictionary over the nodes of a group that answers what a trie answers: which nodes have the query as their word,
/// have a word that begins with it, or one within a few edits of it. Several nodes may share a word. In memory it is
/// sorted and front-coded with a hash table beside it: about 16 bytes a word of English with 32-bit node ids
/// (benchmarks/words.cpp prints it). Changes gather in an ordered map until they are merged. It can be saved; loading
/// reads no word.
///
/// IndexQuery::parameters:
///   "mode"   "exact" (default), "prefix" or "edits"
///   "edits"  the most edits in the mode "edits": 0, 1 or 2 (default). An edit inserts, deletes or replaces a code
///            point (Levenshtein 1965).
///   "by"     in the mode "prefix": "weight" (default) or "frequency", of words rather than nodes: each word comes
///            once, by its lowest node, and its score is how many nodes have it (of those that `allowed` allows).
///   "distinct"  in the mode "prefix", true: each word comes once, by its heaviest node (of those that `allowed`
///            allows), the lowest of equally heavy ones. False (default): each node of a word comes.
/// Scores: the weight in the modes "exact" and "prefix"; in the mode "edits" max_edits - distance + (1 + x) / 2 with
/// x = w / (1 + |w|) of the weight w, so that fewer edits come first and weights decide among equals. It returns the
/// top_k best that `allowed` allows.
///
/// Cost for n words: "exact" one probe of the hash table and one block of 8 words; "prefix" two binary searches and a
/// look at the maximal weight of each block in the range (and, of distinct words, at the rows of those blocks that have
/// one to offer), by frequency at each of its rows; "edits" a walk over those
/// words whose beginnings are within the distance.
///
/// Errors of query(): Errc::invalid_argument for unknown parameters and for a query that is no valid UTF-8;
/// Errc::corrupt_store where the bytes of a loaded image are damaged.
std::shared_ptr<Index> trie_index(TrieIndexOptions options = {});

}  // namespace ragstone
