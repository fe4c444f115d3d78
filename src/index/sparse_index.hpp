#pragma once

#include <ragstone/index/term_weight.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone {

/// That a row holds a term.
struct Posting {
  std::uint32_t row = 0;
  float weight = 0;
};

/// An immutable inverted index over sparse vectors, numbered from 0.
class SparseIndex {
 public:
  /// One row to be indexed; its terms are unique.
  struct Row {
    std::span<const TermWeight> terms;
    std::uint32_t length = 0;
  };

  /// A row that merge() leaves out.
  static constexpr std::uint32_t kDropped = UINT32_MAX;

  /// An index to be merged, and for each of its rows the new number, ascending where not kDropped.
  struct Input {
    const SparseIndex* index = nullptr;
    std::vector<std::uint32_t> new_rows;
  };

  SparseIndex() = default;

  static SparseIndex build(std::span<const Row> rows);
  /// The new numbers of all inputs together are each number below `rows` once.
  static SparseIndex merge(std::span<const Input> inputs, std::size_t rows);

  std::size_t rows() const noexcept { return lengths_.size(); }
  std::uint32_t length(std::uint32_t row) const noexcept { return lengths_[row]; }
  std::size_t terms() const noexcept { return ends_.size(); }
  /// Terms ascend in byte order. Valid as long as the index.
  std::string_view term(std::size_t number) const noexcept;
  /// Ascending rows.
  std::span<const Posting> postings(std::size_t number) const noexcept;
  /// Empty for an unknown term.
  std::span<const Posting> find(std::string_view term) const noexcept;

 private:
  struct End {
    std::size_t text = 0;
    std::size_t posting = 0;
  };

  void append(std::string_view term, std::span<const Posting> postings);
  End begin_of(std::size_t number) const noexcept { return number == 0 ? End{} : ends_[number - 1]; }

  std::vector<std::uint32_t> lengths_;
  std::string text_;  ///< All terms, one after the other.
  std::vector<End> ends_;
  std::vector<Posting> postings_;
};

}  // namespace ragstone
