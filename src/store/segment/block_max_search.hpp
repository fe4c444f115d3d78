#pragma once

#include "index/sparse_scorer.hpp"
#include "kernel/stop_poll.hpp"
#include "kernel/top_k.hpp"
#include "store/segment/sparse_part.hpp"

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace ragstone::segment {

using BestNodes = kernel::TopK<ScoredNode, ranks_before>;

/// The best rows of one part by block-max MaxScore over windows of rows (Turtle and Flood 1995; Ding and Suel 2011; in
/// windows as Lucene's BlockMaxMaxscoreBulkScorer): in each window, terms that together cannot reach the worst score
/// kept so far are only looked up for rows that the other terms bring up.
class BlockMaxSearch {
 public:
  /// Tells for a row whose score would be kept whether it may be.
  using Allow = std::function<bool(std::uint32_t row)>;

  /// All outlive the search.
  BlockMaxSearch(const SparsePart& part, const SparseScorer& scorer, BestNodes& best, const Allow& allow,
                 kernel::StopPoll& poll);

  /// Adds the postings of a query term; `factor` is above 0.
  void add(const PostingList& postings, double factor);
  void run();

 private:
  static constexpr std::size_t kWindowRows = 2048;

  /// The postings of a term, looked at in ascending order of rows.
  struct List {
    PostingList postings;
    double factor = 0;
    double most = 0;               ///< No addend is above it.
    std::size_t block = 0;         ///< Blocks before it end before the window.
    std::size_t bound_of = kNone;  ///< The block that `bound` is of.
    double bound = 0;
    std::size_t read = kNone;  ///< The block whose rows are in `buffer`.
    std::size_t at = 0;        ///< Rows of `buffer` before it are done with.
    PostingBlock buffer;
  };

  struct Rank {
    double bound = 0;  ///< Of the list in the window.
    std::size_t list = 0;
  };

  static constexpr std::size_t kNone = SIZE_MAX;

  double bound_of(double factor, const BlockImpact& impact) const;
  double block_bound(List& list, std::size_t block) const;
  bool is_done(const List& list) const { return list.block == list.postings.blocks(); }
  /// Skips blocks that end before `row`, and the rows before it of a short list.
  void advance(List& list, std::uint32_t row);
  /// The lowest row from `row` on that the list may have; rows() at its end.
  std::uint32_t next_row(const List& list, std::uint32_t row) const;
  double window_bound(List& list, std::uint32_t begin, std::uint32_t end);
  void read(List& list, std::size_t block);
  void rank_lists(std::uint32_t begin, std::uint32_t end);
  void add_up(List& list, std::uint32_t begin, std::uint32_t end, double others);
  void finish_rows(std::uint32_t begin, std::size_t lookups);
  void finish_row(std::uint32_t row, double score, std::size_t lookups);
  /// What the list adds to the row.
  double look_up(List& list, std::uint32_t row);
  bool can_be_kept(double score) const { return !(score < worst_); }
  void offer(std::uint32_t row, double score);

  const SparsePart& part_;
  const SparseScorer& scorer_;
  BestNodes& best_;
  const Allow& allow_;
  kernel::StopPoll& poll_;
  double worst_;
  std::vector<List> lists_;
  std::vector<Rank> ranks_;   ///< Ascending by bound.
  std::vector<double> sums_;  ///< Entry i: the bounds of the i lowest ranks together.
  std::array<double, kWindowRows> scores_{};
  std::array<std::uint64_t, kWindowRows / 64> touched_{};
};

}  // namespace ragstone::segment
