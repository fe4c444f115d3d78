#pragma once

#include "store/segment/container.hpp"
#include "store/segment/part.hpp"
#include "store/segment/posting_list.hpp"
#include "store/segment/read_ahead.hpp"
#include "store/segment/term_dictionary.hpp"
#include <ragstone/base/stop.hpp>
#include <ragstone/index/bm25.hpp>
#include <ragstone/index/index.hpp>
#include <ragstone/index/sparse_vectors.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone::segment {

/// An inverted index over the rows of one sparse column, which ascend by node id, read in place from an image.
///
/// Thread safety: any number of concurrent readers.
class SparsePart {
 public:
  /// Checks the structure, not the payload. Errors: Errc::corrupt_store.
  explicit SparsePart(std::shared_ptr<const Image> image);

  std::size_t rows() const noexcept { return nodes_.size(); }
  NodeId node(std::uint32_t row) const noexcept { return nodes_[row]; }
  SourceNumber source(std::uint32_t row) const noexcept { return sources_[row]; }
  Hash128 content(std::uint32_t row) const noexcept { return contents_[row]; }
  /// In tokens.
  std::uint32_t length(std::uint32_t row) const noexcept { return lengths_[row]; }
  /// Sum of all lengths, those of dead rows included.
  std::uint64_t tokens() const noexcept { return container_.parameter(); }
  std::optional<std::uint32_t> find(NodeId node) const noexcept;
  std::span<const NodeId> nodes() const noexcept { return nodes_; }
  std::span<const SourceNumber> sources() const noexcept { return sources_; }
  const Container& container() const noexcept { return container_; }

  const TermDictionary& terms() const noexcept { return terms_; }
  /// Nothing for an unknown term. `count` of the entry is at most rows(). Errors: Errc::corrupt_store.
  std::optional<TermEntry> find(std::string_view term) const;
  /// Errors: Errc::corrupt_store.
  PostingList postings(const TermEntry& entry) const;

  /// For each search, before it looks terms up, and after it: so the first answer of a part that was just opened waits
  /// for no more of its file than it needs, and later ones find more and more of it in memory.
  void begin_search() const;
  void end_search() const;
  /// Asks for the list at once, as long as end_search() has something to ask for: later their file is in memory, or is
  /// not to be.
  void read_soon(const TermEntry& entry) const;

  /// Checks everything: checksums, order of rows, terms and postings. Empty: all is well.
  std::vector<Finding> verify(const StopToken& stop) const;

 private:
  /// What was asked of the system; copies of a part share it.
  struct Asked {
    std::atomic<bool> began{false};
    ReadAhead ahead;
  };

  Container container_;
  std::span<const NodeId> nodes_;
  std::span<const SourceNumber> sources_;
  std::span<const Hash128> contents_;
  std::span<const std::uint32_t> lengths_;
  TermDictionary terms_;
  std::string_view postings_;
  std::shared_ptr<Asked> asked_ = std::make_shared<Asked>();
};

struct SparseView {
  std::shared_ptr<const SparsePart> part;
  DeadRows dead;
};

/// One row to be indexed: a vector of `vectors`, which rows share.
struct SparseRow {
  RowKey key;
  const SparseVectors* vectors = nullptr;
  std::uint32_t vector = 0;  ///< Its number there.
  std::uint32_t length = 0;
};

/// The image of a part for a staged blob. `rows` ascend by node.
std::string build_sparse(Generation generation, std::span<const SparseRow> rows);

/// As merge_dense().
void merge_sparse(Generation generation, std::span<const SparseView> parts, ImageSink& to, const StopToken& stop);

/// Live rows of a column and the sum of their lengths: what BM25 needs to know of the whole collection.
struct SparseTotals {
  std::uint64_t nodes = 0;
  std::uint64_t tokens = 0;
};

/// The k best live rows that `filter` (null: all) allows, over all parts, by BM25 with `parameters` or, if they are
/// null, by the inner product with `terms`. Frequencies of terms are those among live rows, filtered or not. `terms`
/// ascend and are unique; their weights are finite and above 0.
///
/// Exact, and cheaper than looking at every posting: see BlockMaxSearch.
std::vector<ScoredNode> search_sparse(std::span<const SparseView> parts, const SparseTotals& totals,
                                      std::span<const TermWeight> terms, const Bm25Parameters* parameters,
                                      const RowFilter* filter, std::size_t k, const StopToken& stop);

/// For each content hash the vector of some live row that has it, by ascending terms; none where no row has. The cost
/// grows with the rows, and where any row is found with the terms and the postings.
/// Errors: Errc::corrupt_store.
std::vector<std::optional<std::vector<TermWeight>>> find_sparse_vectors(std::span<const SparseView> parts,
                                                                        std::span<const Hash128> contents,
                                                                        const StopToken& stop);

/// How many live rows have each term.
std::vector<std::uint64_t> count_terms(std::span<const SparseView> parts, std::span<const std::string> terms);

/// How many live rows of a part have a term.
std::uint64_t count_live(const SparseView& view, const PostingList& postings);

}  // namespace ragstone::segment
