#include "store/memory/search.hpp"

#include "store/column_choice.hpp"
#include "store/overlay.hpp"
#include "store/segment/dense_search.hpp"
#include "store/segment/sparse_part.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace ragstone::memory {
namespace {

OverlayFields fields_of(const StoredRows& nodes, std::size_t number) {
  return OverlayFields(nodes.rows[number].metadata, nodes.source->metadata);
}

/// Which nodes of some columns of a group may be hits.
template <class Column>
class ColumnFilter final : public segment::RowFilter {
 public:
  ColumnFilter(std::vector<const Column*> columns, const SearchFilter& filter)
      : columns_(std::move(columns)), filter_(filter) {}

  bool allows(NodeId node, segment::SourceNumber /*source*/) const override {
    for (const Column* column : columns_) {
      const auto& tiers = column->tiers.tiers();
      for (std::size_t t = 0; t < tiers.size(); ++t) {
        const auto& segment = *tiers[t].segment;
        const std::optional<std::uint32_t> row = segment.part()->find(node);
        if (row && !column->dead(t).contains(*row)) return filter_.filter.matches(fields_at(segment, *row));
      }
    }
    return false;
  }

  Selection select(std::span<const NodeId> nodes, std::span<const segment::SourceNumber> sources,
                   const StopToken& stop) const override {
    for (const Column* column : columns_)
      for (const auto& tier : column->tiers.tiers()) {
        const auto& segment = *tier.segment;
        if (segment.part()->nodes().data() != nodes.data()) continue;
        const auto fields_of_row = [&](std::size_t row) { return fields_at(segment, row); };
        Selection allowed = segment.fields().select(filter_.fields, filter_.filter, nodes.size(), fields_of_row, stop);
        if (allowed) return allowed;
      }
    return RowFilter::select(nodes, sources, stop);
  }
  bool selects_quickly() const noexcept override { return is_declared_; }

 private:
  template <class Segment>
  static OverlayFields fields_at(const Segment& segment, std::size_t row) {
    const Place place = segment.places()[row];
    return fields_of(*segment.entries()[place.entry].nodes, place.number);
  }

  const std::vector<const Column*> columns_;
  const SearchFilter& filter_;
  const bool is_declared_ = !filter_.filter.empty() && segment::is_covered(*filter_.filter.root(), filter_.fields);
};

}  // namespace

std::vector<segment::SparseView> views_of(const SparseColumn& column) {
  std::vector<segment::SparseView> views;
  column.add_views(views);
  return views;
}

std::vector<segment::SparseView> views_of(const SparseColumn& column, std::string_view signature) {
  std::vector<segment::SparseView> views = views_of(column);
  for (std::size_t t = 0; t < views.size(); ++t) {
    const SparseSegment& segment = *column.tiers.tiers()[t].segment;
    std::vector<std::uint32_t> others;
    for (std::uint32_t row = 0; row < segment.places().size(); ++row)
      if (segment.entries()[segment.places()[row].entry].definition->signature != signature) others.push_back(row);
    if (!others.empty()) views[t].dead = views[t].dead.with(others);
  }
  return views;
}

SparseRowsOf rows_of(const SparseColumn& column, std::string_view signature) {
  const auto& definitions = column.definitions.all();
  const bool has_others =
      !signature.empty() && std::any_of(definitions.begin(), definitions.end(),
                                        [&](const auto& use) { return use.value->signature != signature; });
  if (!has_others) return {views_of(column), {column.nodes, column.tokens}};
  SparseRowsOf rows{views_of(column, signature), {}};
  for (const segment::SparseView& view : rows.views) {
    rows.totals.nodes += view.part->rows() - view.dead.count();
    rows.totals.tokens += view.part->tokens();
    for (const std::uint32_t row : view.dead.rows()) rows.totals.tokens -= view.part->length(row);
  }
  return rows;
}

TermHits search_terms(const SparseColumn& column, const TermSearch& search, const SearchFilter& filter,
                      const StopToken& stop) {
  ColumnChoice choice(search);
  for (const auto& use : column.definitions.all()) choice.takes(use.value->signature, 0, use.count);
  choice.check();
  TermHits hits;
  choice.tell(hits.plan);
  const SparseRowsOf rows = rows_of(column, search.signature);
  const ColumnFilter<SparseColumn> allowed({&column}, filter);
  hits.hits =
      segment::search_sparse(rows.views, rows.totals, search.terms, search.parameters ? &*search.parameters : nullptr,
                             filter.filter.empty() ? nullptr : &allowed, search.k, stop);
  return hits;
}

VectorHits search_vectors(const GroupState& group, const VectorSearch& search, const SearchFilter& filter,
                          const StopToken& stop) {
  std::vector<const DenseColumn*> columns;
  std::vector<segment::DenseView> views;
  ColumnChoice choice(search);
  for (const auto& [definition, column] : group.dense) {
    if (definition.key != search.key) continue;
    if (!choice.takes(definition.signature, definition.dimension, column.sources)) continue;
    columns.push_back(&column);
    column.add_views(views);
  }
  choice.check();
  VectorHits hits;
  if (views.empty()) return hits;
  const ColumnFilter<DenseColumn> allowed(std::move(columns), filter);
  segment::DenseHits found =
      segment::search_dense(views, segment::query_of(search, filter.filter.empty() ? nullptr : &allowed), stop);
  hits.hits = std::move(found.hits);
  hits.plan = std::move(found.plan);
  choice.tell(hits.plan);
  return hits;
}

}  // namespace ragstone::memory
