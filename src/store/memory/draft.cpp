#include "store/memory/draft.hpp"

#include "store/commit_rules.hpp"
#include "store/memory/dense_merge.hpp"
#include "store/overlay.hpp"
#include "store/vector_form.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <span>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace ragstone::memory {
namespace {

const GroupRows* find_group(const std::vector<GroupRows>& groups, std::string_view name) {
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const GroupRows& g) { return g.group == name; });
  return found == groups.end() ? nullptr : &*found;
}

std::vector<GroupPlace> places_of(const StoredSource& source) {
  std::vector<GroupPlace> places;
  for (const auto& stored : source.groups)
    places.push_back({stored->nodes->definition->group, stored->nodes->definition->parent});
  return places;
}

template <class Segment, class Part>
void apply(Tiers<Segment>& tiers, Part& part, const StopToken& stop) {
  tiers.erase(part.erased);
  if (!part.added.empty()) tiers.add(std::make_shared<const Segment>(std::move(part.added)));
  tiers.settle(stop);
}

void apply(DenseColumn& column, const std::vector<std::string>& erased, std::vector<DenseSegment::Input> added,
           const segment::DenseForm& form, const StopToken& stop) {
  column.tiers.erase(erased);
  if (!added.empty())
    column.tiers.add(std::make_shared<const DenseSegment>(column.definition->dimension, std::move(added), form));
  column.tiers.settle(stop, kDenseSettleWeight);
  column.update_dead();
}

void apply(SparseColumn& column, const std::vector<std::string>& erased, std::vector<SparseSegment::Input> added,
           const StopToken& stop) {
  for (const std::string& source : erased) {
    const SparseSegment::Entry* entry = column.tiers.find(source);
    column.nodes -= entry->nodes->rows.size();
    column.tokens -= entry->tokens;
  }
  column.tiers.erase(erased);
  if (!added.empty()) {
    auto segment = std::make_shared<const SparseSegment>(std::move(added));
    for (const SparseSegment::Entry& entry : segment->entries()) {
      column.nodes += entry.nodes->rows.size();
      column.tokens += entry.tokens;
    }
    column.tiers.add(std::move(segment));
  }
  column.tiers.settle(stop);
  column.update_dead();
}

/// Whether a source is stored with this content.
bool holds(const SourceSegment::Entry* stored, const Hash128& content) {
  return stored != nullptr && (*stored)->body && (*stored)->record.content == content;
}

}  // namespace

Draft::Draft(const State& base) : base_(base), next_id_(base.next_id) {}

bool Draft::write(SourceWrite write) {
  const SourceSegment::Entry* old = base_.sources.find(write.record.id);
  if (write.replaces && !holds(old, *write.replaces)) return false;
  StoredSource source;
  auto body = std::make_shared<SourceBody>();
  body->id = write.record.id;
  body->metadata = write.record.metadata;
  body->text = std::move(write.text);
  source.body = body;
  source.record = std::move(write.record);
  source.record.text_bytes = body->text.size();
  source.record.state = SourceState::ready;
  source.record.stage = Stage::done;
  source.record.reason.clear();
  source.record.failed_as_stored = false;
  source.record.attempts = 0;
  source.record.generation = base_.generation + 1;

  if (old)
    for (const auto& stored : (*old)->groups)
      if (!find_group(write.groups, stored->nodes->definition->group)) drop_group(*stored);
  for (GroupRows& rows : write.groups) {
    const StoredGroup* parent = source.find(rows.parent);
    const StoredGroup* replaced = old ? (*old)->find(rows.group) : nullptr;
    source.groups.push_back(write_group(std::move(rows), body, replaced, parent ? parent->nodes.get() : nullptr));
  }
  put_source(std::move(source), old != nullptr);
  return true;
}

bool Draft::write(GroupWrite write) {
  const SourceSegment::Entry* old = base_.sources.find(write.source);
  if (!fits(write, old ? old->get() : nullptr)) return false;
  StoredSource source = **old;
  const auto put = [&source](std::shared_ptr<const StoredGroup> group) {
    const std::string& name = group->nodes->definition->group;
    const auto same = [&](const auto& stored) { return stored->nodes->definition->group == name; };
    const auto place = std::find_if(source.groups.begin(), source.groups.end(), same);
    if (place == source.groups.end()) {
      source.groups.push_back(std::move(group));
    } else {
      *place = std::move(group);
    }
  };
  for (const GroupRows& rows : write.groups) {
    check_spans(rows, write.source, source.body->text);
    check_place(rows, write.source, places_of(source));
    const StoredGroup* parent = source.find(rows.parent);
    if (parent) check_parents(rows, write.source, parent->nodes->rows.size());
    put(write_group(rows, source.body, (*old)->find(rows.group), parent ? parent->nodes.get() : nullptr));
  }
  check_children(source, write);
  for (GroupRows& columns : write.columns) put(write_columns(std::move(columns), *(*old)->find(columns.group)));
  put_source(std::move(source), true);
  return true;
}

void Draft::fail(SourceFailure failure) {
  const SourceSegment::Entry* old = base_.sources.find(failure.source);
  if (failure.content && !holds(old, *failure.content)) return;
  StoredSource source;
  if (old) source = **old;
  source.record.failed_as_stored = failure.content.has_value();
  source.record.id = std::move(failure.source);
  source.record.state = SourceState::failed;
  source.record.stage = failure.stage;
  if (!source.body) source.record.stamp = failure.stamp;
  source.record.reason = std::move(failure.reason);
  ++source.record.attempts;
  put_source(std::move(source), old != nullptr);
}

void Draft::touch(const SourceTouch& touch) {
  const SourceSegment::Entry* old = base_.sources.find(touch.source);
  if (!old) return;
  StoredSource source = **old;
  source.record.stamp = touch.stamp;
  put_source(std::move(source), true);
}

void Draft::remove(std::string source, std::optional<Generation> as_of, CommitResult& result) {
  const SourceSegment::Entry* old = base_.sources.find(source);
  if (!old) return;
  if (as_of && (*old)->record.generation > *as_of) {
    result.skipped.push_back(std::move(source));
    return;
  }
  for (const auto& stored : (*old)->groups) drop_group(*stored);
  sources_.erased.push_back(source);
  result.removed.push_back(std::move(source));
}

std::vector<GroupChange> Draft::changes() {
  std::vector<GroupChange> changes;
  for (auto& [name, draft] : groups_) {
    if (draft.change.upserts.empty() && draft.change.removed.empty()) continue;
    draft.change.group = name;
    std::sort(draft.change.upserts.begin(), draft.change.upserts.end());
    std::sort(draft.change.removed.begin(), draft.change.removed.end());
    changes.push_back(std::move(draft.change));
  }
  return changes;
}

State Draft::finish(const StopToken& stop) {
  State next = base_;
  next.generation = base_.generation + 1;
  next.next_id = next_id_;
  apply(next.sources, sources_, stop);
  for (auto& [name, draft] : groups_) {
    GroupState& state = draft.next;
    apply(state.nodes, draft.nodes, stop);
    for (auto& [definition, part] : draft.dense)
      apply(state.dense[definition], part.erased, std::move(part.added),
            form_of(base_.vector_indexes, definition.key, definition.dimension), stop);
    for (auto& [key, part] : draft.sparse) apply(state.sparse[key], part.erased, std::move(part.added), stop);
    std::erase_if(state.dense, [](const auto& item) { return item.second.tiers.empty(); });
    std::erase_if(state.sparse, [](const auto& item) { return item.second.tiers.empty(); });
    if (state.nodes.empty()) {
      next.groups.erase(name);
    } else {
      next.groups[name] = std::make_shared<const GroupState>(std::move(state));
    }
  }
  throw_if_stopped(stop);
  return next;
}

Draft::GroupDraft& Draft::group(const std::string& name) {
  const auto [place, is_new] = groups_.try_emplace(name);
  if (!is_new) return place->second;
  const auto stored = base_.groups.find(name);
  if (stored != base_.groups.end()) place->second.next = *stored->second;
  return place->second;
}

bool Draft::fits(const GroupWrite& write, const StoredSource* stored) const {
  if (!stored || !stored->body || stored->record.content != write.content) return false;
  const bool parents = std::all_of(write.groups.begin(), write.groups.end(), [&](const GroupRows& rows) {
    return rows.parent.empty() || find_group(write.groups, rows.parent) || stored->find(rows.parent);
  });
  return parents && std::all_of(write.columns.begin(), write.columns.end(), [&](const GroupRows& columns) {
           const StoredGroup* group = stored->find(columns.group);
           return group && group->nodes->definition->signature == columns.signature;
         });
}

void Draft::check_children(const StoredSource& source, const GroupWrite& write) const {
  for (const auto& child : source.groups) {
    const GroupDefinition& definition = *child->nodes->definition;
    if (find_group(write.groups, definition.group) || !find_group(write.groups, definition.parent)) continue;
    std::unordered_set<NodeId> parents;
    for (const StoredRow& row : source.find(definition.parent)->nodes->rows) parents.insert(row.id);
    for (const StoredRow& row : child->nodes->rows)
      if (!parents.contains(row.parent)) refuse_orphans(write.source, definition.group, definition.parent);
  }
}

void Draft::check_dimension(const ColumnDefinition& definition) const {
  const auto check = [&](const GroupState& state, const std::string& name) {
    for (const auto& [stored, column] : state.dense)
      if (column.sources > 0 && stored.key == definition.key && stored.signature == definition.signature &&
          stored.dimension != definition.dimension)
        refuse_dimension(definition.key, definition.dimension, name, stored.dimension);
  };
  for (const auto& [name, draft] : groups_) check(draft.next, name);
  for (const auto& [name, state] : base_.groups)
    if (!groups_.contains(name)) check(*state, name);
}

std::shared_ptr<const StoredGroup> Draft::write_group(GroupRows rows, std::shared_ptr<const SourceBody> source,
                                                      const StoredGroup* old, const StoredRows* parent) {
  auto stored = std::make_shared<StoredGroup>();
  if (old) drop_nodes(*old);
  stored->nodes = write_nodes(rows, std::move(source), old, parent);
  add_columns(rows, *stored);
  return stored;
}

std::shared_ptr<const StoredRows> Draft::write_nodes(GroupRows& rows, std::shared_ptr<const SourceBody> source,
                                                     const StoredGroup* old, const StoredRows* parent) {
  GroupDraft& draft = group(rows.group);
  auto nodes = std::make_shared<StoredRows>();
  nodes->source = std::move(source);
  nodes->definition = draft.next.definitions.add({rows.group, rows.parent, rows.signature});

  std::unordered_map<Uid, const StoredRow*> kept;
  if (old)
    for (const StoredRow& row : old->nodes->rows) kept.emplace(row.uid, &row);
  nodes->rows.reserve(rows.rows.size());
  for (NodeRow& from : rows.rows) {
    StoredRow& row = nodes->rows.emplace_back();
    row.uid = from.uid;
    row.content = from.content;
    row.span = from.span;
    row.is_span = from.is_span;
    row.text = std::move(from.text);
    row.metadata = std::move(from.metadata);
    if (parent) row.parent = parent->rows[from.parent].id;
    const auto same = kept.find(row.uid);
    if (same == kept.end()) {
      row.id = next_id_++;
      draft.change.upserts.push_back(row.id);
      continue;
    }
    const StoredRow& before = *same->second;
    row.id = before.id;
    if (before.content != row.content ||
        !same_overlay(before.metadata, old->nodes->source->metadata, row.metadata, nodes->source->metadata))
      draft.change.upserts.push_back(row.id);
    kept.erase(same);
  }
  for (const auto& [uid, row] : kept) draft.change.removed.push_back(row->id);
  draft.nodes.added.push_back(nodes);
  return nodes;
}

std::shared_ptr<const StoredGroup> Draft::write_columns(GroupRows columns, const StoredGroup& old) {
  auto stored = std::make_shared<StoredGroup>(old);
  if (column_rows(columns) != old.nodes->rows.size())
    refuse_column_rows(old.nodes->source->id, columns, old.nodes->rows.size());
  for (const DenseRows& dense : columns.dense) drop_column(dense.key, *stored);
  for (const SparseRows& sparse : columns.sparse) drop_column(sparse.key, *stored);
  add_columns(columns, *stored);
  return stored;
}

void Draft::add_columns(GroupRows& columns, StoredGroup& to) {
  GroupDraft& draft = group(to.nodes->definition->group);
  for (DenseRows& dense : columns.dense) {
    ColumnDefinition definition{dense.key, dense.signature, dense.dimension};
    check_dimension(definition);
    DenseColumn& column = draft.next.dense[definition];
    if (!column.definition) column.definition = std::make_shared<const ColumnDefinition>(definition);
    ++column.sources;
    to.columns.push_back(column.definition);
    draft.dense[definition].added.push_back({to.nodes, std::move(dense.values)});
  }
  for (SparseRows& sparse : columns.sparse) {
    auto definition = draft.next.sparse[sparse.key].definitions.add({sparse.key, sparse.signature, 0});
    to.columns.push_back(definition);
    const std::string key = sparse.key;
    draft.sparse[key].added.push_back({to.nodes, std::move(definition), std::move(sparse)});
  }
}

void Draft::drop_column(const std::string& key, StoredGroup& from) {
  GroupDraft& draft = group(from.nodes->definition->group);
  const std::string& source = from.nodes->source->id;
  std::erase_if(from.columns, [&](const auto& definition) {
    if (definition->key != key) return false;
    if (definition->is_dense()) {
      draft.dense[*definition].erased.push_back(source);
      --draft.next.dense[*definition].sources;
    } else {
      draft.sparse[key].erased.push_back(source);
      draft.next.sparse[key].definitions.remove(*definition);
    }
    return true;
  });
}

void Draft::drop_nodes(const StoredGroup& old) {
  GroupDraft& draft = group(old.nodes->definition->group);
  draft.next.definitions.remove(*old.nodes->definition);
  draft.nodes.erased.push_back(old.nodes->source->id);
  StoredGroup columns = old;
  for (const auto& definition : old.columns) drop_column(definition->key, columns);
}

void Draft::drop_group(const StoredGroup& old) {
  drop_nodes(old);
  GroupDraft& draft = group(old.nodes->definition->group);
  for (const StoredRow& row : old.nodes->rows) draft.change.removed.push_back(row.id);
}

void Draft::put_source(StoredSource source, bool replaces) {
  if (replaces) sources_.erased.push_back(source.record.id);
  sources_.added.push_back(std::make_shared<const StoredSource>(std::move(source)));
}

}  // namespace ragstone::memory
