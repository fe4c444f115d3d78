#pragma once

#include <cstddef>
#include <string>

/// The parts of the benchmark `ingest`, each run in a process of its own; they report by print_value().
namespace ragstone::bench {

/// `count` small or large sources by Document::add_all(), MediumChunk with BM25 in use.
void ingest_texts(const std::string& store, bool large, std::size_t count);
/// The same texts into plain SQLite or FTS5, 64 (large: 32) in a transaction.
void ingest_texts_by_peer(bool fts5, bool large, std::size_t count);
/// A folder of files by Document::sync().
void ingest_folder(const std::string& store, std::size_t mib);
/// Commits of one small source by StoreEngine::commit() and by plain SQLite, turn by turn.
void compare_commits(const std::string& store, std::size_t rounds);
/// `count` small sources by Document::add() one after the other, as many by 64 calls at a time, and by add_all().
void add_together(const std::string& store, std::size_t count);
/// Processor time of what makes up the ingest of `count` texts, stage by stage on one thread.
void measure_stages(bool large, std::size_t count);
/// `count` vectors of 384 dimensions by StoreEngine::commit(), and the first search after opening again.
void ingest_vectors(const std::string& store, std::size_t count);
/// The same in a database with sqlite-vec, which RAGSTONE_SQLITE_VEC names.
void ingest_vectors_by_sqlite_vec(std::size_t count);
/// Queries over `count` small sources alone, while as many are added, and while FineChunk is built.
void query_meanwhile(const std::string& store, std::size_t count);

}  // namespace ragstone::bench
