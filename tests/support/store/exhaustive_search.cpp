#include "support/store/exhaustive_search.hpp"

#include "index/sparse_scorer.hpp"
#include "kernel/top_k.hpp"

#include <algorithm>

namespace ragstone::test {
namespace {

using Best = kernel::TopK<ScoredNode, ranks_before>;

struct Term {
  double factor = 0;
  std::vector<segment::PostingList> lists;  ///< [part]
};

float largest_weight(const segment::PostingList& postings) {
  float largest = 0;
  segment::PostingCursor cursor(postings);
  while (cursor.next()) largest = std::max(largest, cursor.posting().weight);
  return largest;
}

void add_part(const segment::SparseView& view, std::span<const Term> terms, std::size_t number,
              const SparseScorer& scorer, Best& best) {
  const segment::SparsePart& part = *view.part;
  std::vector<double> scores(part.rows());
  segment::PostingBlock block;
  for (const Term& term : terms) {
    const segment::PostingList& postings = term.lists[number];
    for (std::size_t b = 0; b < postings.blocks(); ++b) {
      postings.read_rows(b, block);
      postings.read_weights(b, block);
      for (std::size_t i = 0; i < block.size; ++i)
        scores[block.rows[i]] += scorer.addend(term.factor, block.weights[i], part.length(block.rows[i]));
    }
  }
  for (std::uint32_t row = 0; row < scores.size(); ++row)
    if (scores[row] > 0 && !view.dead.contains(row)) best.add({part.node(row), scores[row]});
}

}  // namespace

std::vector<ScoredNode> search_every_posting(std::span<const segment::SparseView> parts,
                                             const segment::SparseTotals& totals, std::span<const TermWeight> terms,
                                             const Bm25Parameters* parameters, std::size_t k) {
  SparseScorer scorer =
      parameters != nullptr ? SparseScorer(Bm25Scorer(*parameters, totals.nodes, totals.tokens)) : SparseScorer();
  std::vector<Term> found;
  double largest_sum = 0;
  for (const TermWeight& term : terms) {
    Term& one = found.emplace_back();
    std::uint64_t frequency = 0;
    float weight = 0;
    for (const segment::SparseView& view : parts) {
      const auto entry = view.part->find(term.term);
      one.lists.push_back(entry ? view.part->postings(*entry) : segment::PostingList());
      frequency += segment::count_live(view, one.lists.back());
      if (parameters == nullptr) weight = std::max(weight, largest_weight(one.lists.back()));
    }
    one.factor = scorer.factor(term.weight, frequency);
    largest_sum += scorer.limit(one.factor, weight);
  }
  scorer.set_largest_sum(largest_sum);
  Best best(k);
  for (std::size_t number = 0; number < parts.size(); ++number) add_part(parts[number], found, number, scorer, best);
  return std::move(best).take();
}

}  // namespace ragstone::test
