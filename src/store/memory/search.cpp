#include "store/memory/search.hpp"

#include "index/bm25_scorer.hpp"
#include "index/vector_scorer.hpp"
#include "kernel/stop_poll.hpp"
#include "kernel/top_k.hpp"
#include "store/overlay.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

namespace ragstone::memory {
namespace {

constexpr std::size_t kFilterWork = 200;

using Best = kernel::TopK<ScoredNode, ranks_before>;

bool passes(const Filter& filter, const StoredRows& nodes, const StoredRow& row) {
  return filter.empty() || filter.matches(OverlayFields(row.metadata, nodes.source->metadata));
}

/// What one query term adds to the rows of one segment.
struct TermList {
  std::span<const Posting> postings;
  double factor = 0;  ///< idf times the query's weight.
};

/// The term lists of each tier; terms keep their order, so that each row's score is summed in that order.
std::vector<std::vector<TermList>> find_lists(const SparseColumn& column, std::span<const TermWeight> terms,
                                              const Bm25Scorer& scorer, kernel::StopPoll& poll) {
  const auto& tiers = column.tiers.tiers();
  std::vector<std::vector<TermList>> lists(tiers.size());
  for (const TermWeight& term : terms) {
    std::uint64_t frequency = 0;
    for (std::size_t t = 0; t < tiers.size(); ++t) {
      const SparseSegment& segment = *tiers[t].segment;
      const std::span<const Posting> postings = segment.index().find(term.term);
      lists[t].push_back({postings, 0});
      poll.spend(postings.size() + 100);
      frequency += tiers[t].dead
                       ? static_cast<std::uint64_t>(std::count_if(
                             postings.begin(), postings.end(),
                             [&](const Posting& p) { return tiers[t].is_live(segment.entry_of_row()[p.row]); }))
                       : postings.size();
    }
    for (auto& of_tier : lists) of_tier.back().factor = double{term.weight} * scorer.idf(frequency);
  }
  return lists;
}

void score_tier(const Tier<SparseSegment>& tier, const std::vector<TermList>& lists, const Bm25Scorer& scorer,
                const Filter& filter, Best& best, kernel::StopPoll& poll) {
  const SparseSegment& segment = *tier.segment;
  std::vector<double> scores(segment.index().rows());
  std::vector<std::uint32_t> touched;
  for (const TermList& list : lists) {
    for (const Posting& posting : list.postings) {
      double& score = scores[posting.row];
      if (score == 0) touched.push_back(posting.row);
      score += list.factor * scorer.saturation(posting.weight, segment.index().length(posting.row));
    }
    poll.spend(5 * list.postings.size());
  }
  for (const std::uint32_t row : touched) {
    const std::uint32_t number = segment.entry_of_row()[row];
    if (!tier.is_live(number)) continue;
    const SparseSegment::Entry& entry = segment.entries()[number];
    const StoredRow& stored = entry.nodes->rows[row - entry.first_row];
    const ScoredNode hit{stored.id, scores[row]};
    poll.spend(10);
    if (!best.would_keep(hit)) continue;
    poll.spend(kFilterWork);
    if (passes(filter, *entry.nodes, stored)) best.add(hit);
  }
}

}  // namespace

std::vector<ScoredNode> search_terms(const SparseColumn& column, std::span<const TermWeight> terms,
                                     const Bm25Parameters& parameters, const Filter& filter, std::size_t k,
                                     const StopToken& stop) {
  kernel::StopPoll poll(stop);
  const Bm25Scorer scorer(parameters, column.nodes, column.tokens);
  const std::vector<std::vector<TermList>> lists = find_lists(column, terms, scorer, poll);
  Best best(k);
  for (std::size_t t = 0; t < lists.size(); ++t)
    score_tier(column.tiers.tiers()[t], lists[t], scorer, filter, best, poll);
  return std::move(best).take();
}

std::vector<ScoredNode> search_vectors(const DenseColumn& column, std::span<const float> query, Metric metric,
                                       const Filter& filter, std::size_t k, const StopToken& stop) {
  for (const auto& use : column.definitions.all())
    if (use.value->dimension != query.size())
      throw Error(Errc::dimension_mismatch, "vector search: the query has dimension " + std::to_string(query.size()) +
                                                ", the column \"" + use.value->key + "\" has " +
                                                std::to_string(use.value->dimension));
  kernel::StopPoll poll(stop);
  const VectorScorer scorer(query, metric);
  Best best(k);
  for (const Tier<DenseSegment>& tier : column.tiers.tiers())
    for (std::size_t e = 0; e < tier.segment->entries().size(); ++e) {
      if (!tier.is_live(e)) continue;
      const DenseSegment::Entry& entry = tier.segment->entries()[e];
      for (std::size_t n = 0; n < entry.nodes->rows.size(); ++n) {
        poll.spend(query.size() / 2 + 10);
        const StoredRow& row = entry.nodes->rows[n];
        const ScoredNode hit{row.id, scorer.score(entry.vector(n), entry.block->norms[n])};
        if (!best.would_keep(hit)) continue;
        poll.spend(filter.empty() ? 0 : kFilterWork);
        if (passes(filter, *entry.nodes, row)) best.add(hit);
      }
    }
  return std::move(best).take();
}

}  // namespace ragstone::memory
