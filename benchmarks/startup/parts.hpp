#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

/// The parts of the benchmark `startup`, each run in a process of its own; they report by print_value(). A folder holds
/// the store in "kb" and the dataset in "data".
namespace ragstone::bench {

/// What a part is about.
struct Subject {
  std::string store;  ///< Its kind.
  std::filesystem::path folder;
  std::size_t nodes = 0;  ///< Of the store; its texts have a fifth as many rare words, so that the questions
                          ///< have about 20 answers in all sizes.

  std::size_t rare_words() const noexcept { return nodes / 5; }
};

/// `files` files of the generated texts' first `lines` lines.
void write_dataset(const Subject& subject, std::size_t files, std::size_t lines);
/// Document::open(), sync() over the dataset with build() of the group; if `ask`, the first retrievals after that.
/// `latency_ms`: of each call of the embedder.
void first_start(const Subject& subject, std::size_t latency_ms, bool ask);
/// All upkeep that is due, which a program that runs on does in the background.
void settle(const Subject& subject);
/// Adds nodes until the growing part is full, and kills itself.
void fill_growing_part_and_die(const Subject& subject);
/// Document::open(), the first retrieval by BM25, the first by vectors; question number `number`.
void open_and_retrieve(const Subject& subject, std::size_t number);
/// Document::open(), then sync() over the unchanged dataset; what was read and embedded.
void open_and_sync(const Subject& subject);

}  // namespace ragstone::bench
