#pragma once

#include "store/segment/sparse_part.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ragstone::bench {

/// Seconds of this thread's CPU time.
double thread_seconds();

/// The n-th text.
using TextOf = std::function<std::string(std::size_t)>;

/// The lexical index of texts 0 to n-1, built as a store does: a part for each commit of 1,000 texts, eight parts
/// of about one size merged into one; at the end all are merged into one.
struct LexicalIndex {
  std::vector<segment::SparseView> parts;
  segment::SparseTotals totals;
  std::size_t text_bytes = 0;
  std::size_t index_bytes = 0;
  double analyzer_seconds = 0;  ///< CPU time of analysing and counting,
  double total_seconds = 0;     ///< and of all of it, without making the texts.
};

LexicalIndex build_lexical_index(const TextOf& text_of, std::size_t count);

/// An FTS5 table over the same texts, which it does not store.
class Fts5Index {
 public:
  Fts5Index(const std::string& path, const std::string& tokenizer);
  ~Fts5Index();
  Fts5Index(const Fts5Index&) = delete;
  Fts5Index& operator=(const Fts5Index&) = delete;

  /// CPU seconds, without making the texts.
  double build(const TextOf& text_of, std::size_t count);
  /// The ten best of any of the words; how many there were.
  std::size_t search(const std::vector<std::string>& words) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ragstone::bench
