#include "store/memory/memory_snapshot.hpp"

#include "kernel/stop_poll.hpp"
#include "store/memory/merged_walk.hpp"
#include "store/memory/search.hpp"
#include "store/overlay.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace ragstone::memory {
namespace {

bool lacks(const StoredSource& source, const PendingQuery& query) {
  const StoredGroup* group = source.find(query.group);
  if (!group || group->nodes->definition->signature != query.signature) return true;
  return std::any_of(query.columns.begin(), query.columns.end(), [&](const ColumnNeed& need) {
    const ColumnDefinition* column = find_column(*group, need.key);
    return !column || column->signature != need.signature;
  });
}

std::vector<StoredForm> forms_of(const GroupState& group) {
  std::map<std::pair<std::string, std::string>, std::size_t> sources;  // by key and signature
  for (const auto& use : group.definitions.all()) sources[{std::string(), use.value->signature}] += use.count;
  for (const auto& [definition, column] : group.dense)
    sources[{definition.key, definition.signature}] += column.sources;
  for (const auto& [key, column] : group.sparse)
    for (const auto& use : column.definitions.all()) sources[{key, use.value->signature}] += use.count;
  std::vector<StoredForm> forms;
  for (const auto& [form, count] : sources) forms.push_back({form.first, form.second, count});
  return forms;
}

}  // namespace

std::vector<GroupInfo> MemorySnapshot::groups() const {
  std::vector<GroupInfo> groups;
  for (const auto& [name, state] : state_.groups) {
    const auto& uses = state->definitions.all();
    const auto most =
        std::max_element(uses.begin(), uses.end(), [](const auto& a, const auto& b) { return a.count < b.count; });
    groups.push_back({name, most->value->parent, forms_of(*state)});
  }
  return groups;
}

std::vector<SourceRecord> MemorySnapshot::do_sources(const SourceQuery& query, const StopToken& stop) const {
  std::vector<SourceRecord> records;
  const auto take = [&](const StoredSource& source) {
    if (!query.failed_only || source.record.state == SourceState::failed) records.push_back(source.record);
    return records.size() < query.limit;
  };
  if (query.id) {
    const SourceSegment::Entry* source = state_.sources.find(*query.id);
    if (source && *query.id > query.after) take(**source);
    return records;
  }
  walk_sources(state_.sources, query.after, stop, take);
  return records;
}

std::optional<std::string> MemorySnapshot::do_text(std::string_view source) const {
  const SourceSegment::Entry* stored = state_.sources.find(source);
  if (!stored || !(*stored)->body) return std::nullopt;
  return (*stored)->body->text;
}

std::vector<Node> MemorySnapshot::do_nodes(const NodeQuery& query, const StopToken& stop) const {
  std::vector<Node> found;
  kernel::StopPoll poll(stop);
  const auto take = [&](const StoredRows& nodes, std::size_t number) {
    poll.spend(1000);
    const StoredRow& row = nodes.rows[number];
    if (row.id <= query.after || (query.source && nodes.source->id != *query.source) ||
        (query.parent && row.parent != *query.parent))
      return true;
    if (!query.filter.empty() && !query.filter.matches(OverlayFields(row.metadata, nodes.source->metadata)))
      return true;
    found.push_back(to_node(nodes, number, query.with_text));
    return found.size() < query.limit;
  };

  if (query.ids) {
    for (const NodeId id : *query.ids) {
      const Place place = find_node(query.group, id);
      if (place.nodes && !take(*place.nodes, place.number)) break;
    }
    return found;
  }

  std::optional<std::string> source = query.source;
  if (query.parent && !source) {
    const Place parent = find_node({}, *query.parent);
    if (!parent.nodes) return found;
    source = parent.nodes->source->id;
  }
  if (source) {
    const SourceSegment::Entry* stored = state_.sources.find(*source);
    const StoredGroup* group = stored ? (*stored)->find(query.group) : nullptr;
    if (!group) return found;
    std::vector<std::size_t> numbers(group->nodes->rows.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
    const std::vector<StoredRow>& rows = group->nodes->rows;
    std::sort(numbers.begin(), numbers.end(), [&](std::size_t a, std::size_t b) { return rows[a].id < rows[b].id; });
    for (const std::size_t number : numbers)
      if (!take(*group->nodes, number)) break;
    return found;
  }
  if (const GroupState* group = find_group(query.group)) walk_nodes(group->nodes, query.after, take);
  return found;
}

std::vector<NodeId> MemorySnapshot::do_select(std::string_view name, const Filter& filter,
                                              const StopToken& stop) const {
  std::vector<NodeId> ids;
  kernel::StopPoll poll(stop);
  if (const GroupState* group = find_group(name))
    walk_nodes(group->nodes, 0, [&](const StoredRows& nodes, std::size_t number) {
      poll.spend(200);
      const StoredRow& row = nodes.rows[number];
      if (filter.empty() || filter.matches(OverlayFields(row.metadata, nodes.source->metadata))) ids.push_back(row.id);
      return true;
    });
  return ids;
}

std::vector<std::string> MemorySnapshot::do_pending(const PendingQuery& query, const StopToken& stop) const {
  std::vector<std::string> ids;
  if (query.lost_only) return ids;  // Memory is not taken for a medium that damages what it holds.
  walk_sources(state_.sources, query.after, stop, [&](const StoredSource& source) {
    if (source.body && lacks(source, query)) ids.push_back(source.record.id);
    return ids.size() < query.limit;
  });
  return ids;
}

std::vector<std::vector<float>> MemorySnapshot::do_vectors(std::string_view key, std::string_view signature,
                                                           std::span<const Hash128> contents) const {
  std::vector<segment::DenseView> views;
  for (const auto& [name, group] : state_.groups)
    for (const auto& [definition, column] : group->dense)
      if (definition.key == key && definition.signature == signature) column.add_views(views);
  return segment::find_vectors(views, contents);
}

std::vector<std::optional<std::vector<TermWeight>>> MemorySnapshot::do_sparse_vectors(std::string_view key,
                                                                                      std::string_view signature,
                                                                                      std::span<const Hash128> contents,
                                                                                      const StopToken& stop) const {
  std::vector<segment::SparseView> views;
  for (const auto& [name, group] : state_.groups)
    if (const auto column = group->sparse.find(key); column != group->sparse.end())
      for (segment::SparseView& view : memory::views_of(column->second, signature)) views.push_back(std::move(view));
  return segment::find_sparse_vectors(views, contents, stop);
}

std::optional<GroupChange> MemorySnapshot::do_changes(std::string_view group, Generation since) const {
  return log_->fold(group, since, state_.generation);
}

TermHits MemorySnapshot::do_search_terms(const TermSearch& search, const StopToken& stop) const {
  const GroupState* state = find_group(search.group);
  if (!state) return {};
  const auto column = state->sparse.find(search.key);
  if (column == state->sparse.end()) return {};
  return memory::search_terms(column->second, search, {search.filter, state_.fields}, stop);
}

TermStatistics MemorySnapshot::do_term_statistics(std::string_view group, std::string_view key,
                                                  std::string_view signature,
                                                  std::span<const std::string> terms) const {
  TermStatistics statistics;
  const GroupState* state = find_group(group);
  if (!state) return statistics;
  const auto column = state->sparse.find(key);
  if (column == state->sparse.end()) return statistics;
  const SparseRowsOf rows = rows_of(column->second, signature);
  statistics.nodes = rows.totals.nodes;
  statistics.tokens = rows.totals.tokens;
  statistics.frequencies = segment::count_terms(rows.views, terms);
  return statistics;
}

VectorHits MemorySnapshot::do_search_vectors(const VectorSearch& search, const StopToken& stop) const {
  const GroupState* state = find_group(search.group);
  if (!state) return {};
  return memory::search_vectors(*state, search, {search.filter, state_.fields}, stop);
}

MemorySnapshot::Place MemorySnapshot::find_node(std::string_view group, NodeId id) const {
  const auto find_in = [id](const GroupState& state) {
    for (const Tier<RowSegment>& tier : state.nodes.tiers()) {
      const RowSegment::Row* row = tier.segment->find(id);
      if (row && tier.is_live(row->entry)) return Place{tier.segment->entries()[row->entry].get(), row->number};
    }
    return Place{};
  };
  if (!group.empty()) {
    const GroupState* state = find_group(group);
    return state ? find_in(*state) : Place{};
  }
  for (const auto& [name, state] : state_.groups)
    if (const Place place = find_in(*state); place.nodes) return place;
  return {};
}

const GroupState* MemorySnapshot::find_group(std::string_view group) const {
  const auto found = state_.groups.find(group);
  return found == state_.groups.end() ? nullptr : found->second.get();
}

}  // namespace ragstone::memory
