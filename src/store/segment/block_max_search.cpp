#include "store/segment/block_max_search.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace ragstone::segment {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// A window with more blocks of a list is bounded by the whole list.
constexpr std::size_t kBlocksWorthBounding = 12;
constexpr std::size_t kBlockWork = 300;
constexpr std::size_t kLookUpWork = 30;

double worst_of(const BestNodes& best) { return best.is_full() ? best.worst().score : -kInfinity; }

}  // namespace

BlockMaxSearch::BlockMaxSearch(const SparsePart& part, const SparseScorer& scorer, BestNodes& best, const Allow& allow,
                               kernel::StopPoll& poll)
    : part_(part), scorer_(scorer), best_(best), allow_(allow), poll_(poll), worst_(worst_of(best)) {}

void BlockMaxSearch::add(const PostingList& postings, double factor) {
  List& list = lists_.emplace_back();
  list.postings = postings;
  list.factor = factor;
  if (postings.has_table()) {
    list.most = bound_of(factor, postings.impact());
    return;
  }
  read(list, 0);
  for (std::size_t i = 0; i < list.buffer.size; ++i)
    list.most = std::max(list.most, scorer_.bound(factor, list.buffer.weights[i], part_.length(list.buffer.rows[i])));
  list.bound_of = 0;
  list.bound = list.most;
}

void BlockMaxSearch::run() {
  std::uint32_t begin = 0;
  const auto rows = static_cast<std::uint32_t>(part_.rows());
  while (begin < rows) {
    std::uint32_t first = rows;
    for (List& list : lists_) {
      advance(list, begin);
      first = std::min(first, next_row(list, begin));
    }
    if (first == rows) return;
    begin = first;
    const auto end = static_cast<std::uint32_t>(std::min<std::uint64_t>(rows, std::uint64_t{begin} + kWindowRows));
    rank_lists(begin, end);
    std::size_t lookups = 0;
    while (lookups < ranks_.size() && !can_be_kept(sums_[lookups + 1])) ++lookups;
    if (lookups < ranks_.size()) {
      for (std::size_t i = lookups; i < ranks_.size(); ++i)
        if (ranks_[i].bound > 0) add_up(lists_[ranks_[i].list], begin, end, sums_.back() - ranks_[i].bound);
      finish_rows(begin, lookups);
    }
    begin = end;
  }
}

double BlockMaxSearch::bound_of(double factor, const BlockImpact& impact) const {
  const double bound = std::max(scorer_.bound(factor, impact.low_weight, impact.low_length),
                                scorer_.bound(factor, impact.high_weight, impact.high_length));
  // Only damaged bytes give another.
  return bound >= 0 ? bound : kInfinity;
}

double BlockMaxSearch::block_bound(List& list, std::size_t block) const {
  if (list.bound_of != block) {
    list.bound_of = block;
    list.bound = bound_of(list.factor, list.postings.entry(block).impact);
  }
  return list.bound;
}

void BlockMaxSearch::advance(List& list, std::uint32_t row) {
  if (!list.postings.has_table()) {
    while (list.at < list.buffer.size && list.buffer.rows[list.at] < row) ++list.at;
    list.block = list.at == list.buffer.size ? 1 : 0;
    return;
  }
  while (!is_done(list) && list.postings.last_row(list.block) < row) ++list.block;
}

std::uint32_t BlockMaxSearch::next_row(const List& list, std::uint32_t row) const {
  if (is_done(list)) return static_cast<std::uint32_t>(part_.rows());
  if (!list.postings.has_table()) return list.buffer.rows[list.at];
  return list.block == 0 ? row : std::max(row, list.postings.last_row(list.block - 1) + 1);
}

double BlockMaxSearch::window_bound(List& list, std::uint32_t begin, std::uint32_t end) {
  if (is_done(list) || next_row(list, begin) >= end) return 0;
  if (!list.postings.has_table()) return list.most;
  double bound = 0;
  const std::size_t last = std::min(list.block + kBlocksWorthBounding, list.postings.blocks() - 1);
  for (std::size_t block = list.block; block <= last; ++block) {
    bound = std::max(bound, block_bound(list, block));
    if (list.postings.last_row(block) >= end - 1) return bound;
  }
  return last + 1 == list.postings.blocks() ? bound : list.most;
}

void BlockMaxSearch::read(List& list, std::size_t block) {
  if (list.read == block) return;
  poll_.spend(kBlockWork);
  list.postings.read_rows(block, list.buffer);
  list.read = block;
  list.at = 0;
}

void BlockMaxSearch::rank_lists(std::uint32_t begin, std::uint32_t end) {
  ranks_.clear();
  for (std::size_t i = 0; i < lists_.size(); ++i) ranks_.push_back({window_bound(lists_[i], begin, end), i});
  poll_.spend(20 * lists_.size());
  std::sort(ranks_.begin(), ranks_.end(), [](const Rank& a, const Rank& b) { return a.bound < b.bound; });
  sums_.assign(1, 0);
  for (const Rank& rank : ranks_) sums_.push_back(sums_.back() + rank.bound);
}

void BlockMaxSearch::add_up(List& list, std::uint32_t begin, std::uint32_t end, double others) {
  const PostingList& postings = list.postings;
  for (std::size_t block = list.block; block < postings.blocks(); ++block) {
    const bool has_table = postings.has_table();
    if (has_table && block > 0 && postings.last_row(block - 1) >= end - 1) return;
    if (has_table && !can_be_kept(block_bound(list, block) + others)) continue;
    read(list, block);
    postings.read_weights(block, list.buffer);
    const BlockNumbers& rows = list.buffer.rows;
    std::size_t i =
        static_cast<std::size_t>(std::lower_bound(rows.begin() + static_cast<std::ptrdiff_t>(list.at),
                                                  rows.begin() + static_cast<std::ptrdiff_t>(list.buffer.size), begin) -
                                 rows.begin());
    for (; i < list.buffer.size && rows[i] < end; ++i) {
      const std::uint32_t place = rows[i] - begin;
      scores_[place] += scorer_.addend(list.factor, list.buffer.weights[i], part_.length(rows[i]));
      touched_[place / 64] |= std::uint64_t{1} << (place % 64);
    }
  }
}

void BlockMaxSearch::finish_rows(std::uint32_t begin, std::size_t lookups) {
  for (std::size_t word = 0; word < touched_.size(); ++word) {
    for (std::uint64_t bits = touched_[word]; bits != 0; bits &= bits - 1) {
      const std::size_t place = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
      const double score = scores_[place];
      scores_[place] = 0;
      if (can_be_kept(score + sums_[lookups])) finish_row(begin + static_cast<std::uint32_t>(place), score, lookups);
    }
    touched_[word] = 0;
  }
}

void BlockMaxSearch::finish_row(std::uint32_t row, double score, std::size_t lookups) {
  for (std::size_t i = lookups; i-- > 0;) {
    if (!can_be_kept(score + sums_[i + 1])) return;
    if (ranks_[i].bound > 0) score += look_up(lists_[ranks_[i].list], row);
  }
  offer(row, score);
}

double BlockMaxSearch::look_up(List& list, std::uint32_t row) {
  poll_.spend(kLookUpWork);
  advance(list, row);
  if (is_done(list) || next_row(list, 0) > row) return 0;
  read(list, list.block);
  const BlockNumbers& rows = list.buffer.rows;
  const auto end = rows.begin() + static_cast<std::ptrdiff_t>(list.buffer.size);
  const auto found = std::lower_bound(rows.begin() + static_cast<std::ptrdiff_t>(list.at), end, row);
  list.at = static_cast<std::size_t>(found - rows.begin());
  if (found == end || *found != row) return 0;
  list.postings.read_weights(list.block, list.buffer);
  return scorer_.addend(list.factor, list.buffer.weights[list.at], part_.length(row));
}

void BlockMaxSearch::offer(std::uint32_t row, double score) {
  const ScoredNode hit{part_.node(row), score};
  // Only damaged bytes give a score that is not finite.
  if (!std::isfinite(score) || !best_.would_keep(hit) || !allow_(row)) return;
  best_.add(hit);
  worst_ = worst_of(best_);
}

}  // namespace ragstone::segment
