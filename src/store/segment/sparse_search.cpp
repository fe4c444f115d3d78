#include "index/sparse_scorer.hpp"
#include "kernel/stop_poll.hpp"
#include "store/segment/block_max_search.hpp"
#include "store/segment/sparse_part.hpp"
#include "store/single_checks.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

namespace ragstone::segment {
namespace {

constexpr std::size_t kLookUpWork = 1000;
constexpr std::size_t kFilterWork = 50;
// A row is asked about alone in the time in which a selection goes through this many.
constexpr std::size_t kRowsForOneCheck = 16;
// A dead row is looked up in this time, of postings read one after the other.
constexpr std::size_t kPostingsPerLookUp = 64;

/// Which rows of a part may be hits.
class RowCheck {
 public:
  RowCheck(const SparseView& view, const RowFilter* filter, kernel::StopPoll& poll, const StopToken& stop)
      : view_(view), filter_(filter), poll_(poll), stop_(stop) {}

  bool operator()(std::uint32_t row) {
    if (view_.dead.contains(row)) return false;
    if (filter_ == nullptr) return true;
    if (selected_) return selected_->contains(row);
    const SparsePart& part = *view_.part;
    if (single_checks_.may_have_another(part.rows())) {
      poll_.spend(kFilterWork);
      return filter_->allows(part.node(row), part.source(row));
    }
    selected_ = filter_->select(part.nodes(), part.sources(), stop_);
    return selected_->contains(row);
  }

 private:
  const SparseView& view_;
  const RowFilter* filter_;
  kernel::StopPoll& poll_;
  const StopToken& stop_;
  SingleChecks single_checks_{kRowsForOneCheck};
  Selection selected_;
};

float largest_weight(const PostingList& postings) {
  if (postings.has_table()) return std::max(postings.impact().low_weight, postings.impact().high_weight);
  float largest = 0;
  PostingCursor cursor(postings);
  while (cursor.next()) largest = std::max(largest, cursor.posting().weight);
  return largest;
}

struct QueryTerm {
  double factor = 0;
  std::vector<PostingList> lists;  ///< [part]
};

class SparseSearch {
 public:
  SparseSearch(std::span<const SparseView> parts, const SparseScorer& scorer, std::size_t k, const StopToken& stop)
      : parts_(parts), scorer_(scorer), best_(k), stop_(stop), poll_(stop) {}

  void find_lists(std::span<const TermWeight> terms) {
    for (const SparseView& view : parts_) view.part->begin_search();
    double largest_sum = 0;
    for (const TermWeight& term : terms) {
      QueryTerm& found = terms_.emplace_back();
      std::uint64_t frequency = 0;
      float weight = 0;
      for (const SparseView& view : parts_) {
        poll_.spend(kLookUpWork);
        const std::optional<TermEntry> entry = view.part->find(term.term);
        found.lists.push_back(entry ? view.part->postings(*entry) : PostingList());
        if (entry) view.part->read_soon(*entry);
        if (scorer_.is_bm25()) {
          frequency += live(view, found.lists.back());
        } else {
          weight = std::max(weight, largest_weight(found.lists.back()));
        }
      }
      found.factor = scorer_.factor(term.weight, frequency);
      largest_sum += scorer_.limit(found.factor, weight);
    }
    scorer_.set_largest_sum(largest_sum);
  }

  std::vector<ScoredNode> score(const RowFilter* filter) && {
    // The largest part sets a high mark for the others.
    std::vector<std::size_t> order(parts_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return parts_[a].part->rows() > parts_[b].part->rows(); });
    for (const std::size_t part : order) {
      RowCheck check(parts_[part], filter, poll_, stop_);
      const BlockMaxSearch::Allow allow = [&check](std::uint32_t row) { return check(row); };
      BlockMaxSearch search(*parts_[part].part, scorer_, best_, allow, poll_);
      for (const QueryTerm& term : terms_)
        if (term.lists[part].count() > 0) search.add(term.lists[part], term.factor);
      search.run();
    }
    for (const SparseView& view : parts_) view.part->end_search();
    return std::move(best_).take();
  }

 private:
  std::uint64_t live(const SparseView& view, const PostingList& postings) {
    if (!view.dead.empty()) poll_.spend(5 * postings.count());
    return count_live(view, postings);
  }

  std::span<const SparseView> parts_;
  SparseScorer scorer_;
  BestNodes best_;
  const StopToken& stop_;
  kernel::StopPoll poll_;
  std::vector<QueryTerm> terms_;
};

}  // namespace

std::uint64_t count_live(const SparseView& view, const PostingList& postings) {
  if (view.dead.empty()) return postings.count();
  std::uint64_t live = postings.count();
  PostingBlock block;
  if (!postings.has_table() || view.dead.count() * kPostingsPerLookUp >= postings.count()) {
    for (std::size_t b = 0; b < postings.blocks(); ++b) {
      postings.read_rows(b, block);
      for (std::size_t i = 0; i < block.size; ++i) live -= view.dead.contains(block.rows[i]) ? 1 : 0;
    }
    return live;
  }
  // Few dead rows in a long list.
  std::size_t read = SIZE_MAX;
  std::size_t at = 0;
  for (const std::uint32_t row : view.dead.rows()) {
    while (at < postings.blocks() && postings.last_row(at) < row) ++at;
    if (at == postings.blocks()) break;
    if (read != at) postings.read_rows(at, block);
    read = at;
    const auto end = block.rows.begin() + static_cast<std::ptrdiff_t>(block.size);
    live -= std::binary_search(block.rows.begin(), end, row) ? 1 : 0;
  }
  return live;
}

std::vector<std::uint64_t> count_terms(std::span<const SparseView> parts, std::span<const std::string> terms) {
  std::vector<std::uint64_t> counts(terms.size());
  for (std::size_t t = 0; t < terms.size(); ++t)
    for (const SparseView& view : parts)
      if (const auto entry = view.part->find(terms[t])) counts[t] += count_live(view, view.part->postings(*entry));
  return counts;
}

std::vector<ScoredNode> search_sparse(std::span<const SparseView> parts, const SparseTotals& totals,
                                      std::span<const TermWeight> terms, const Bm25Parameters* parameters,
                                      const RowFilter* filter, std::size_t k, const StopToken& stop) {
  if (k == 0) return {};
  const SparseScorer scorer =
      parameters != nullptr ? SparseScorer(Bm25Scorer(*parameters, totals.nodes, totals.tokens)) : SparseScorer();
  SparseSearch search(parts, scorer, k, stop);
  search.find_lists(terms);
  return std::move(search).score(filter);
}

}  // namespace ragstone::segment
