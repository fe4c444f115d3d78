#include "store/memory/search.hpp"

#include "index/vector_scorer.hpp"
#include "kernel/stop_poll.hpp"
#include "kernel/top_k.hpp"
#include "store/overlay.hpp"
#include "store/segment/sparse_part.hpp"
#include <ragstone/base/error.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace ragstone::memory {
namespace {

constexpr std::size_t kFilterWork = 200;

using Best = kernel::TopK<ScoredNode, ranks_before>;

bool passes(const Filter& filter, const StoredRows& nodes, const StoredRow& row) {
  return filter.empty() || filter.matches(OverlayFields(row.metadata, nodes.source->metadata));
}

/// Finds a node's row in the segments of a column.
class ColumnFilter final : public segment::RowFilter {
 public:
  ColumnFilter(const SparseColumn& column, const Filter& filter) : column_(column), filter_(filter) {}

  bool allows(NodeId node, segment::SourceNumber /*source*/) const override {
    const auto& tiers = column_.tiers.tiers();
    for (std::size_t t = 0; t < tiers.size(); ++t) {
      const SparseSegment& segment = *tiers[t].segment;
      const std::optional<std::uint32_t> row = segment.part()->find(node);
      if (!row || column_.dead[t].rows.contains(*row)) continue;
      const SparseSegment::Place place = segment.places()[*row];
      const StoredRows& nodes = *segment.entries()[place.entry].nodes;
      return passes(filter_, nodes, nodes.rows[place.number]);
    }
    return false;
  }

 private:
  const SparseColumn& column_;
  const Filter& filter_;
};

}  // namespace

std::vector<segment::SparseView> views_of(const SparseColumn& column) {
  std::vector<segment::SparseView> views;
  const auto& tiers = column.tiers.tiers();
  for (std::size_t t = 0; t < tiers.size(); ++t) views.push_back({tiers[t].segment->part(), column.dead[t].rows});
  return views;
}

std::vector<ScoredNode> search_terms(const SparseColumn& column, std::span<const TermWeight> terms,
                                     const Bm25Parameters* parameters, const Filter& filter, std::size_t k,
                                     const StopToken& stop) {
  const std::vector<segment::SparseView> views = views_of(column);
  const ColumnFilter allowed(column, filter);
  return segment::search_sparse(views, {column.nodes, column.tokens}, terms, parameters,
                                filter.empty() ? nullptr : &allowed, k, stop);
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
