// An index over the 370,099 words of words_alpha.txt (in the folder that RAGSTONE_DATA names): the trie, the linear
// index, std::unordered_map<std::string, NodeId> and, where it is installed, marisa-trie.
//
// - bare: time to build from nodes, bytes a word (the saved forms of trie and linear index with node ids; what the C
//   library says that the map has allocated; marisa's without node ids), exact look-ups of all words in random order
//   and of words that are not there, the ten best completions of every two letters, words within two edits of misspelt
//   ones, and the linear index's search for its last word
// - through Retriever, one query at a time and the node fetched, on the store in memory and the persistent one: the
//   first query (which builds the index), exact look-ups awaited in the event loop and called from another thread, and
//   the first query of a second start, which loads it
//
// Bare times are of the thread that computes; times through Retriever are those of a clock on the wall.
//
// The ratios to LazyLLM are to its own measured times on a machine of two cores: build 5 s, the last word by its linear
// index 90 ms, and to the bounds that Ragstone sets itself. --quick takes every tenth word.

#include "support/report.hpp"
#include "words/parts.hpp"

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
  const ragstone::bench::Arguments arguments(argc, argv);
  try {
    const std::vector<std::string> words = ragstone::bench::load_words(arguments.quick);
    ragstone::bench::Report report("words");
    std::printf("%zu words\n", words.size());
    ragstone::bench::measure_bare(words, report);
    ragstone::bench::measure_retrievers(words, report);
    report.write(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "words: %s\n", error.what());
    return 1;
  }
  return 0;
}
