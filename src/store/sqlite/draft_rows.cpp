#include "store/sqlite/draft.hpp"

// What a draft does with the nodes and columns of one group of a source.

#include "store/commit_rules.hpp"
#include "store/overlay.hpp"
#include "store/sqlite/digest.hpp"
#include <ragstone/base/error.hpp>

#include <utility>

namespace ragstone::sqlite {

Draft::Group Draft::write_rows(const Owner& owner, GroupRows& rows, const Group* old, const Group* parent) {
  Group group;
  group.definition.name = rows.group;
  group.definition.parent = rows.parent;
  group.definition.signature = rows.signature;
  if (old) drop_rows(owner.row.number, *old);
  group.row.definition = catalog_.add_source(group.definition);
  write_nodes(owner, rows, old, parent, group);
  std::vector<Hash128> contents;
  contents.reserve(rows.rows.size());
  for (const NodeRow& row : rows.rows) contents.push_back(row.content);
  add_columns(owner, rows, contents, group);
  put_fields(
      owner, [&rows](std::size_t number) { return rows.rows[number].metadata; }, group);
  return group;
}

void Draft::write_nodes(const Owner& owner, GroupRows& rows, const Group* old, const Group* parent, Group& group) {
  GroupChange& changed = change(rows.group);
  std::unordered_map<Uid, StoredNode> kept;
  if (old) {
    NodeFinder finder(database_);
    for (const NodeId id : old->row.nodes)
      if (StoredNode* node = finder.find(id)) {
        if (node->has_metadata) catalog_.count_own_metadata(old->row.definition, -1);
        kept.emplace(node->uid, *node);
      }
    erase_nodes(database_, old->row.nodes);
  }

  Digest digest;
  NodeWriter writer(database_);
  for (std::uint32_t number = 0; number < rows.rows.size(); ++number) {
    NodeRow& from = rows.rows[number];
    StoredNode node;
    node.source = owner.row.number;
    node.definition = group.row.definition;
    node.number = number;
    if (parent) node.parent = parent->row.nodes[from.parent];
    node.span = from.span;
    node.is_span = from.is_span;
    node.uid = from.uid;
    node.content = from.content;
    node.text = std::move(from.text);
    node.metadata = std::move(from.metadata);
    node.has_metadata = !node.metadata.empty();
    if (node.has_metadata) catalog_.count_own_metadata(group.row.definition, 1);

    const auto same = kept.find(node.uid);
    if (same == kept.end()) {
      node.id = catalog_.next_node++;
      changed.upserts.push_back(node.id);
    } else {
      StoredNode& before = same->second;
      node.id = before.id;
      if (before.has_metadata) read_extra(database_, before);
      if (before.content != node.content ||
          !same_overlay(before.metadata, owner.metadata_before, node.metadata, owner.row.record.metadata))
        changed.upserts.push_back(node.id);
      erase_extra(database_, before);
      kept.erase(same);
    }
    if (fresh_ == nullptr) {
      writer.add(node);
    } else {
      fresh_nodes_.push_back(node);
    }
    group.row.nodes.push_back(node.id);
    add_to_digest(digest, node);
    from.metadata = std::move(node.metadata);
  }
  writer.finish();
  group.row.node_digest = std::move(digest).value();
  for (const auto& [uid, node] : kept) {
    changed.removed.push_back(node.id);
    erase_extra(database_, node);
  }
}

Draft::Group Draft::write_columns(const Owner& owner, GroupRows& columns, const Group& old) {
  Group group = old;
  if (column_rows(columns) != old.row.nodes.size())
    refuse_column_rows(owner.row.record.id, columns, old.row.nodes.size());
  for (const DenseRows& dense : columns.dense) drop_column(owner.row.number, dense.key, group);
  for (const SparseRows& sparse : columns.sparse) drop_column(owner.row.number, sparse.key, group);
  std::vector<Hash128> contents;
  NodeFinder nodes(database_);
  for (const NodeId id : group.row.nodes) {
    const StoredNode* node = nodes.find(id);
    if (node == nullptr)
      throw Error(Errc::corrupt_store, "commit of source \"" + owner.row.record.id + "\": a node of group \"" +
                                           columns.group + "\" is missing; verify the store, then recover it");
    contents.push_back(node->content);
  }
  add_columns(owner, columns, contents, group);
  put_fields(owner, stored_metadata(group), group);
  return group;
}

void Draft::renew_fields(const SourceRow& source) {
  const Owner owner{source, source.record.metadata};
  std::vector<Group> groups = load_groups(source);
  bool changed = false;
  for (Group& group : groups) changed = put_fields(owner, stored_metadata(group), group) || changed;
  if (changed) write_groups(database_, source.number, format(source.number, groups));
}

std::function<Metadata(std::size_t)> Draft::stored_metadata(const Group& group) const {
  return [this, nodes = group.row.nodes, finder = NodeFinder(database_)](std::size_t number) mutable {
    StoredNode* node = finder.find(nodes[number]);
    if (node == nullptr || !node->has_metadata) return Metadata();
    read_extra(database_, *node);
    return std::move(node->metadata);
  };
}

bool Draft::put_fields(const Owner& owner, const std::function<Metadata(std::size_t)>& own, Group& to) {
  const FieldSettings& settings = *base_.fields;
  ColumnDefinition definition;
  definition.group = to.definition.name;
  definition.key = kFieldKey;
  definition.signature = settings.signature();
  bool is_there = false;
  bool is_stale = false;
  bool has_others = false;
  for (const DefinitionNumber number : to.row.columns) {
    const ColumnDefinition& column = catalog_.column(number);
    has_others = has_others || !column.is_fields();
    const bool is_good = column.identity() == definition.identity() && !lost_->has(number, owner.row.number);
    (is_good ? is_there : is_stale) |= column.is_fields();
  }
  const bool is_wanted = has_others && !settings.declared.empty();
  if (is_there == is_wanted && !is_stale) return false;
  drop_column(owner.row.number, kFieldKey, to);
  if (!is_wanted) return true;

  const DefinitionNumber number = catalog_.add_source(std::move(definition));
  to.row.columns.push_back(number);
  ColumnRows& rows = new_rows_[number];
  rows.field_names = settings.names();
  for (std::size_t i = 0; i < to.row.nodes.size(); ++i) {
    rows.keys.push_back({to.row.nodes[i], static_cast<segment::SourceNumber>(owner.row.number), Hash128()});
    const Metadata metadata = own(i);
    const OverlayFields visible(metadata, owner.row.record.metadata);
    for (const std::string& name : rows.field_names) {
      const Scalar* value = visible.find(name);
      rows.fields.push_back(value ? std::optional(*value) : std::nullopt);
    }
  }
  return true;
}

void Draft::add_columns(const Owner& owner, GroupRows& columns, std::span<const Hash128> contents, Group& to) {
  const auto add_keys = [&](ColumnRows& rows) {
    for (std::size_t i = 0; i < to.row.nodes.size(); ++i)
      rows.keys.push_back({to.row.nodes[i], static_cast<segment::SourceNumber>(owner.row.number), contents[i]});
  };
  for (DenseRows& dense : columns.dense) {
    ColumnDefinition definition;
    definition.group = to.definition.name;
    definition.key = dense.key;
    definition.signature = dense.signature;
    definition.dimension = dense.dimension;
    check_dimension(definition);
    const DefinitionNumber number = catalog_.add_source(std::move(definition));
    to.row.columns.push_back(number);
    ColumnRows& rows = new_rows_[number];
    add_keys(rows);
    rows.values.insert(rows.values.end(), dense.values.begin(), dense.values.end());
  }
  for (SparseRows& sparse : columns.sparse) {
    ColumnDefinition definition;
    definition.group = to.definition.name;
    definition.key = sparse.key;
    definition.signature = sparse.signature;
    const DefinitionNumber number = catalog_.add_source(std::move(definition));
    to.row.columns.push_back(number);
    ColumnRows& rows = new_rows_[number];
    add_keys(rows);
    rows.vectors.push_back(std::move(sparse.rows));
    rows.lengths.insert(rows.lengths.end(), sparse.lengths.begin(), sparse.lengths.end());
  }
}

void Draft::drop_column(std::int64_t source, std::string_view key, Group& from) {
  std::erase_if(from.row.columns, [&](DefinitionNumber number) {
    if (catalog_.column(number).key != key) return false;
    kill(number, from.row.nodes);
    catalog_.remove_source_of_column(number);
    forget_loss(number, source);
    return true;
  });
}

void Draft::forget_loss(DefinitionNumber column, std::int64_t source) {
  if (!lost_->has(column, source)) return;
  LostColumns lost = *lost_;
  lost.remove(database_, column, source);
  lost_ = std::make_shared<const LostColumns>(std::move(lost));
}

void Draft::drop_rows(std::int64_t source, const Group& old) {
  for (const DefinitionNumber number : old.row.columns) {
    kill(number, old.row.nodes);
    catalog_.remove_source_of_column(number);
    forget_loss(number, source);
  }
  catalog_.remove_source_of_group(old.row.definition);
}

void Draft::drop_group(std::int64_t source, const Group& old) {
  drop_rows(source, old);
  GroupChange& changed = change(old.definition.name);
  NodeFinder nodes(database_);
  for (const NodeId id : old.row.nodes) {
    changed.removed.push_back(id);
    const StoredNode* node = nodes.find(id);
    if (node == nullptr) continue;
    if (node->has_metadata) catalog_.count_own_metadata(old.row.definition, -1);
    erase_extra(database_, *node);
  }
  erase_nodes(database_, old.row.nodes);
}

void Draft::kill(DefinitionNumber definition, std::span<const NodeId> nodes) {
  auto thinned = thinned_.find(definition);
  if (thinned == thinned_.end()) {
    const Column* column = base_.column(definition);
    if (!column) return;
    thinned = thinned_.emplace(definition, *column).first;
  }
  const std::vector<Part>& parts = thinned->second.parts;
  auto& killed = killed_[definition];
  for (const NodeId node : nodes)
    for (std::size_t i = parts.size(); i-- > 0;) {
      const std::optional<std::uint32_t> row = parts[i].find(node);
      if (!row || parts[i].dead.contains(*row)) continue;
      killed[i].push_back(*row);
      break;
    }
}

}  // namespace ragstone::sqlite
