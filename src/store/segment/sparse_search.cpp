#include "index/bm25_scorer.hpp"
#include "kernel/stop_poll.hpp"
#include "kernel/top_k.hpp"
#include "store/segment/sparse_part.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace ragstone::segment {
namespace {

using Best = kernel::TopK<ScoredNode, ranks_before>;

constexpr std::size_t kLookupWork = 1000;
constexpr std::size_t kFilterWork = 50;
// From so many rows a posting on, an array over all rows costs more than sorting what the postings add.
constexpr std::size_t kRowsWorthSorting = 64;

/// The postings of one query term in one part.
struct TermList {
  TermEntry entry;
  double factor = 0;  ///< idf times the query's weight.
};

/// What one posting adds to its row's score.
struct Addend {
  std::uint32_t row = 0;
  std::uint32_t term = 0;  ///< Its place in the query: sums are made in that order, whatever the parts are.
  double value = 0;
};

class SparseSearch {
 public:
  SparseSearch(std::span<const SparseView> parts, const Bm25Scorer& scorer, const RowFilter* filter, std::size_t k,
               const StopToken& stop)
      : parts_(parts), scorer_(scorer), filter_(filter), best_(k), poll_(stop), lists_(parts.size()) {}

  void find_lists(std::span<const TermWeight> terms) {
    for (const TermWeight& term : terms) {
      std::uint64_t frequency = 0;
      for (std::size_t p = 0; p < parts_.size(); ++p) {
        poll_.spend(kLookupWork);
        lists_[p].push_back({parts_[p].part->find(term.term).value_or(TermEntry{}), 0});
        frequency += live_postings(parts_[p], lists_[p].back().entry);
      }
      for (auto& of_part : lists_) of_part.back().factor = double{term.weight} * scorer_.idf(frequency);
    }
  }

  std::vector<ScoredNode> score() && {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      std::uint64_t postings = 0;
      for (const TermList& list : lists_[p]) postings += list.entry.count;
      if (postings == 0) continue;
      if (postings * kRowsWorthSorting < parts_[p].part->rows()) {
        score_few(parts_[p], lists_[p]);
      } else {
        score_many(parts_[p], lists_[p]);
      }
    }
    return std::move(best_).take();
  }

 private:
  std::uint64_t live_postings(const SparseView& view, const TermEntry& entry) {
    if (view.dead.empty() || entry.count == 0) return entry.count;
    std::uint64_t live = 0;
    PostingCursor postings = view.part->postings(entry);
    while (postings.next()) live += view.dead.contains(postings.posting().row) ? 0 : 1;
    poll_.spend(5 * entry.count);
    return live;
  }

  /// Calls add(row, value) for each posting.
  template <class Add>
  void for_each(const SparsePart& part, const TermList& list, Add add) {
    PostingCursor postings = part.postings(list.entry);
    while (postings.next()) {
      const Posting& posting = postings.posting();
      add(posting.row, list.factor * scorer_.saturation(posting.weight, part.length(posting.row)));
    }
    poll_.spend(10 * list.entry.count);
  }

  void score_many(const SparseView& view, std::span<const TermList> lists) {
    std::vector<double> scores(view.part->rows());
    poll_.spend(scores.size());
    for (const TermList& list : lists)
      for_each(*view.part, list, [&](std::uint32_t row, double value) { scores[row] += value; });
    for (std::uint32_t row = 0; row < scores.size(); ++row)
      if (scores[row] != 0) offer(view, row, scores[row]);
  }

  void score_few(const SparseView& view, std::span<const TermList> lists) {
    std::vector<Addend> addends;
    for (std::uint32_t term = 0; term < lists.size(); ++term)
      for_each(*view.part, lists[term], [&](std::uint32_t row, double value) {
        addends.push_back({row, term, value});
      });
    std::sort(addends.begin(), addends.end(),
              [](const Addend& a, const Addend& b) { return std::tie(a.row, a.term) < std::tie(b.row, b.term); });
    for (std::size_t begin = 0; begin < addends.size();) {
      const std::uint32_t row = addends[begin].row;
      double score = 0;
      for (; begin < addends.size() && addends[begin].row == row; ++begin) score += addends[begin].value;
      if (score != 0) offer(view, row, score);
    }
  }

  void offer(const SparseView& view, std::uint32_t row, double score) {
    poll_.spend(10);
    const ScoredNode hit{view.part->node(row), score};
    // Only damaged bytes give a score that is not finite.
    if (!std::isfinite(score) || !best_.would_keep(hit) || view.dead.contains(row)) return;
    if (filter_ != nullptr) poll_.spend(kFilterWork);
    if (filter_ == nullptr || filter_->allows(hit.id, view.part->source(row))) best_.add(hit);
  }

  std::span<const SparseView> parts_;
  const Bm25Scorer& scorer_;
  const RowFilter* filter_;
  Best best_;
  kernel::StopPoll poll_;
  std::vector<std::vector<TermList>> lists_;  ///< [part][query term]
};

}  // namespace

std::vector<ScoredNode> search_sparse(std::span<const SparseView> parts, const SparseTotals& totals,
                                      std::span<const TermWeight> terms, const Bm25Parameters& parameters,
                                      const RowFilter* filter, std::size_t k, const StopToken& stop) {
  if (k == 0) return {};
  const Bm25Scorer scorer(parameters, totals.nodes, totals.tokens);
  SparseSearch search(parts, scorer, filter, k, stop);
  search.find_lists(terms);
  return std::move(search).score();
}

}  // namespace ragstone::segment
