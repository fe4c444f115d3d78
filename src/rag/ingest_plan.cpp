#include "rag/ingest_plan.hpp"

#include <algorithm>

namespace ragstone {

const std::string& PlannedColumn::model() const noexcept {
  return embedder ? embedder->identity().name : sparse_embedder->signature();
}

std::size_t PlannedColumn::max_batch() const noexcept {
  return std::max<std::size_t>(1, embedder ? embedder->max_batch() : sparse_embedder->max_batch());
}

std::size_t PlannedColumn::max_concurrency() const noexcept {
  return std::max<std::size_t>(1, embedder ? embedder->max_concurrency() : sparse_embedder->max_concurrency());
}

PendingQuery PlannedGroup::pending() const {
  PendingQuery query;
  query.group = name;
  query.signature = signature;
  for (const PlannedColumn& column : columns) query.columns.push_back(ColumnNeed{column.key, column.signature});
  return query;
}

const PlannedGroup* IngestPlan::find(std::string_view group) const noexcept {
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const PlannedGroup& g) { return g.name == group; });
  return found == groups.end() ? nullptr : &*found;
}

IngestPlan IngestPlan::chain(std::string_view group) const {
  IngestPlan part;
  part.version = version;
  part.terms = terms;
  for (const PlannedGroup* g = find(group); g != nullptr; g = find(g->parent)) part.groups.push_back(*g);
  std::reverse(part.groups.begin(), part.groups.end());
  return part;
}

}  // namespace ragstone
