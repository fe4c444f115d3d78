#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

/// The parts of the benchmark `startup`, each run in a process of its own; they report by print_value(). A folder holds
/// the store in "kb" and the dataset in "data".
namespace ragstone::bench {

/// `files` files of the generated texts' first `lines` lines.
void write_dataset(const std::filesystem::path& folder, std::size_t files, std::size_t lines);
/// Document::open(), sync() over the dataset, build() of the group, with vectors if `embed`; the first retrievals after
/// that. `latency_ms`: of each call of the embedder.
void first_start(const std::string& store, const std::filesystem::path& folder, bool embed, std::size_t latency_ms);
/// Fills the store with `nodes` generated nodes by StoreEngine::commit(), 1,024 in each, and closes it.
void fill(const std::string& store, const std::filesystem::path& folder, std::size_t nodes);
/// Adds nodes until the growing part is full, and kills itself.
void fill_growing_part_and_die(const std::string& store, const std::filesystem::path& folder);
/// Document::open(), the first retrieval by BM25, the first by vectors; question number `number`.
void open_and_retrieve(const std::string& store, const std::filesystem::path& folder, std::size_t number);
/// Document::open(), then sync() over the unchanged dataset.
void open_and_sync(const std::string& store, const std::filesystem::path& folder);

}  // namespace ragstone::bench
