#include "store/memory/search.hpp"

#include "index/vector_scorer.hpp"
#include "kernel/stop_poll.hpp"
#include "kernel/top_k.hpp"
#include "store/overlay.hpp"
#include "store/segment/sparse_part.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

namespace ragstone::memory {
namespace {

constexpr std::size_t kFilterWork = 200;

using Best = kernel::TopK<ScoredNode, ranks_before>;

OverlayFields fields_of(const StoredRows& nodes, std::size_t number) {
  return OverlayFields(nodes.rows[number].metadata, nodes.source->metadata);
}

/// A filter over the rows of one segment of vectors, which are numbered through its entries.
class RowCheck {
 public:
  RowCheck(const DenseSegment& segment, const SearchFilter& filter, const StopToken& stop, kernel::StopPoll& poll)
      : segment_(segment), filter_(filter), stop_(stop), poll_(poll) {}

  /// `row`: the number of this node's row in the segment.
  bool operator()(std::size_t row, const StoredRows& nodes, std::size_t number) {
    if (filter_.filter.empty()) return true;
    if (!asked_columns_) ask_columns();
    if (allowed_) return allowed_->contains(row);
    poll_.spend(kFilterWork);
    return filter_.filter.matches(fields_of(nodes, number));
  }

 private:
  void ask_columns() {
    asked_columns_ = true;
    std::vector<std::size_t> first_rows;
    std::size_t rows = 0;
    for (const auto& entry : segment_.entries()) {
      first_rows.push_back(rows);
      rows += entry.nodes->rows.size();
    }
    const auto fields_of_row = [&](std::size_t row) {
      const auto after = std::upper_bound(first_rows.begin(), first_rows.end(), row);
      const auto entry = static_cast<std::size_t>(after - first_rows.begin()) - 1;
      return fields_of(*segment_.entries()[entry].nodes, row - first_rows[entry]);
    };
    allowed_ = segment_.fields().select(filter_.fields, filter_.filter, rows, fields_of_row, stop_);
  }

  const DenseSegment& segment_;
  const SearchFilter& filter_;
  const StopToken& stop_;
  kernel::StopPoll& poll_;
  bool asked_columns_ = false;
  std::shared_ptr<const RowBitmap> allowed_;  ///< Null: the filter asks for other fields than the declared ones.
};

/// Which nodes of a sparse column may be hits.
class ColumnFilter final : public segment::RowFilter {
 public:
  ColumnFilter(const SparseColumn& column, const SearchFilter& filter) : column_(column), filter_(filter) {}

  bool allows(NodeId node, segment::SourceNumber /*source*/) const override {
    const auto& tiers = column_.tiers.tiers();
    for (std::size_t t = 0; t < tiers.size(); ++t) {
      const SparseSegment& segment = *tiers[t].segment;
      const std::optional<std::uint32_t> row = segment.part()->find(node);
      if (!row || column_.dead[t].rows.contains(*row)) continue;
      const SparseSegment::Place place = segment.places()[*row];
      const StoredRows& nodes = *segment.entries()[place.entry].nodes;
      return filter_.filter.matches(fields_of(nodes, place.number));
    }
    return false;
  }

  RowBitmap select(std::span<const NodeId> nodes, std::span<const segment::SourceNumber> sources,
                   const StopToken& stop) const override {
    for (const Tier<SparseSegment>& tier : column_.tiers.tiers()) {
      const SparseSegment& segment = *tier.segment;
      if (segment.part()->nodes().data() != nodes.data()) continue;
      const auto fields_of_row = [&](std::size_t row) {
        const SparseSegment::Place place = segment.places()[row];
        return fields_of(*segment.entries()[place.entry].nodes, place.number);
      };
      const auto allowed = segment.fields().select(filter_.fields, filter_.filter, nodes.size(), fields_of_row, stop);
      if (allowed) return *allowed;
    }
    return RowFilter::select(nodes, sources, stop);
  }
  bool selects_quickly() const noexcept override { return is_declared_; }

 private:
  const SparseColumn& column_;
  const SearchFilter& filter_;
  const bool is_declared_ = !filter_.filter.empty() && segment::is_covered(*filter_.filter.root(), filter_.fields);
};

}  // namespace

std::vector<segment::SparseView> views_of(const SparseColumn& column) {
  std::vector<segment::SparseView> views;
  const auto& tiers = column.tiers.tiers();
  for (std::size_t t = 0; t < tiers.size(); ++t) views.push_back({tiers[t].segment->part(), column.dead[t].rows});
  return views;
}

std::vector<ScoredNode> search_terms(const SparseColumn& column, std::span<const TermWeight> terms,
                                     const Bm25Parameters* parameters, const SearchFilter& filter, std::size_t k,
                                     const StopToken& stop) {
  const std::vector<segment::SparseView> views = views_of(column);
  const ColumnFilter allowed(column, filter);
  return segment::search_sparse(views, {column.nodes, column.tokens}, terms, parameters,
                                filter.filter.empty() ? nullptr : &allowed, k, stop);
}

std::vector<ScoredNode> search_vectors(const DenseColumn& column, std::span<const float> query, Metric metric,
                                       const SearchFilter& filter, std::size_t k, const StopToken& stop) {
  for (const auto& use : column.definitions.all())
    if (use.value->dimension != query.size())
      throw Error(Errc::dimension_mismatch, "vector search: the query has dimension " + std::to_string(query.size()) +
                                                ", the column \"" + use.value->key + "\" has " +
                                                std::to_string(use.value->dimension));
  kernel::StopPoll poll(stop);
  const VectorScorer scorer(query, metric);
  Best best(k);
  for (const Tier<DenseSegment>& tier : column.tiers.tiers()) {
    RowCheck passes(*tier.segment, filter, stop, poll);
    std::size_t first_row = 0;
    for (std::size_t e = 0; e < tier.segment->entries().size(); ++e) {
      const DenseSegment::Entry& entry = tier.segment->entries()[e];
      const std::size_t entry_row = first_row;
      first_row += entry.nodes->rows.size();
      if (!tier.is_live(e)) continue;
      for (std::size_t n = 0; n < entry.nodes->rows.size(); ++n) {
        poll.spend(query.size() / 2 + 10);
        const ScoredNode hit{entry.nodes->rows[n].id, scorer.score(entry.vector(n), entry.block->norms[n])};
        if (best.would_keep(hit) && passes(entry_row + n, *entry.nodes, n)) best.add(hit);
      }
    }
  }
  return std::move(best).take();
}

}  // namespace ragstone::memory
