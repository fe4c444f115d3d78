#include "store/sqlite/draft.hpp"

#include "store/commit_rules.hpp"
#include "store/overlay.hpp"
#include "store/sqlite/digest.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace ragstone::sqlite {
namespace {

const GroupRows* find_rows(const std::vector<GroupRows>& groups, std::string_view name) {
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const GroupRows& g) { return g.group == name; });
  return found == groups.end() ? nullptr : &*found;
}

template <class Group>
Group* find_group(std::vector<Group>& groups, std::string_view name) {
  const auto found =
      std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.definition.name == name; });
  return found == groups.end() ? nullptr : &*found;
}

template <class Group>
const Group* find_group(const std::vector<Group>& groups, std::string_view name) {
  return find_group(const_cast<std::vector<Group>&>(groups), name);
}

bool is_damaged(const std::optional<SourceRow>& source) { return source && digest_of(*source) != source->digest; }

bool holds(const std::optional<SourceRow>& source, const Hash128& content) {
  return source && source->has_content() && source->record.content == content;
}

void set_ready(SourceRecord& record, Generation generation, std::uint64_t text_bytes) {
  record.text_bytes = text_bytes;
  record.state = SourceState::ready;
  record.stage = Stage::done;
  record.reason.clear();
  record.failed_as_stored = false;
  record.attempts = 0;
  record.generation = generation;
}

}  // namespace

/// The source whose rows are written.
struct Draft::Owner {
  const SourceRow& row;
  const Metadata& metadata_before;  ///< Of the source as it was.
};

Draft::Draft(Database& database, const State& base, Generation generation, std::vector<FreshSources::Pointer>* fresh)
    : database_(database),
      base_(base),
      catalog_(base.catalog),
      lost_(base.lost),
      text_(database, catalog_.next_block),
      fresh_(fresh) {
  catalog_.generation = generation;
}

bool Draft::write(SourceWrite write) {
  const std::optional<SourceRow> old = fresh_ == nullptr ? find_source(database_, write.record.id) : std::nullopt;
  if (write.replaces && !holds(old, *write.replaces)) return false;
  const std::vector<Group> old_groups = old ? load_groups(*old) : std::vector<Group>();

  SourceRow row;
  row.number = old ? old->number : new_source_number();
  row.record = std::move(write.record);
  set_ready(row.record, catalog_.generation, write.text.size());
  if (old && old->has_content()) {
    free_text(*old);
  } else {
    ++catalog_.stored;
  }
  if (fresh_ == nullptr) row.text = text_.add(write.text, row.number);
  row.text_digest = digest_of(write.text);

  const Owner owner{row, old ? old->record.metadata : row.record.metadata};
  for (const Group& group : old_groups)
    if (!find_rows(write.groups, group.definition.name)) drop_group(row.number, group);
  std::vector<Group> groups;
  groups.reserve(write.groups.size());
  for (GroupRows& rows : write.groups) {
    const Group* parent = find_group(groups, rows.parent);
    groups.push_back(write_rows(owner, rows, find_group(old_groups, rows.group), parent));
  }
  row.groups = format(row.number, groups);
  if (fresh_ == nullptr) {
    write_source(database_, row);
    return true;
  }
  auto source = std::make_shared<FreshSource>();
  row.text.size = write.text.size();
  row.digest = digest_of(row);
  source->row = std::move(row);
  source->text = std::move(write.text);
  source->nodes = std::exchange(fresh_nodes_, {});
  fresh_->push_back(std::move(source));
  return true;
}

bool Draft::write(GroupWrite write) {
  const std::optional<SourceRow> source = find_source(database_, write.source);
  const std::vector<Group> before = source ? load_groups(*source) : std::vector<Group>();
  if (!fits(write, source, before)) return false;
  const Owner owner{*source, source->record.metadata};
  std::vector<Group> groups = before;
  const auto put = [&groups](Group group) {
    if (Group* place = find_group(groups, group.definition.name)) {
      *place = std::move(group);
    } else {
      groups.push_back(std::move(group));
    }
  };
  const std::string text =
      write.groups.empty() ? std::string() : read_text(database_, source->text, {0, source->text.size});
  for (GroupRows& rows : write.groups) {
    check_spans(rows, write.source, text);
    std::vector<GroupPlace> places;
    for (const Group& group : groups) places.push_back({group.definition.name, group.definition.parent});
    check_place(rows, write.source, places);
    const Group* parent = find_group(groups, rows.parent);
    if (parent) check_parents(rows, write.source, parent->row.nodes.size());
    put(write_rows(owner, rows, find_group(before, rows.group), parent));
  }
  check_children(groups, write);
  for (GroupRows& columns : write.columns) put(write_columns(owner, columns, *find_group(before, columns.group)));
  write_groups(database_, source->number, format(source->number, groups));
  return true;
}

void Draft::fail(SourceFailure failure) {
  std::optional<SourceRow> source = find_source(database_, failure.source);
  if (failure.content && !holds(source, *failure.content)) return;
  // A new digest would hide the damage. It stays for verify() to find, until the source is written anew.
  if (is_damaged(source)) return;
  SourceRow row;
  if (source) {
    row = std::move(*source);
  } else {
    row.number = new_source_number();
    row.record.id = std::move(failure.source);
  }
  row.record.failed_as_stored = failure.content.has_value();
  row.record.state = SourceState::failed;
  row.record.stage = failure.stage;
  if (!row.has_content()) row.record.stamp = failure.stamp;
  row.record.reason = std::move(failure.reason);
  ++row.record.attempts;
  write_source(database_, row);
}

void Draft::touch(const SourceTouch& touch) {
  std::optional<SourceRow> source = find_source(database_, touch.source);
  if (!source || is_damaged(source)) return;
  source->record.stamp = touch.stamp;
  write_source(database_, *source);
}

bool Draft::remove(const std::string& id) {
  const std::optional<SourceRow> source = find_source(database_, id);
  if (!source) return false;
  for (const Group& group : load_groups(*source)) drop_group(source->number, group);
  if (source->has_content()) {
    free_text(*source);
    --catalog_.stored;
  }
  erase_source(database_, source->number);
  return true;
}

void Draft::free_text(const SourceRow& source) {
  // A damaged record may name the blocks of others. What it took is lost until the store is recovered.
  if (digest_of(source) == source.digest) text_.remove(source.text);
}

void Draft::finish() {
  text_.finish();
  for (auto& [definition, parts] : killed_) {
    Column& column = thinned_.at(definition);
    for (auto& [number, rows] : parts) kill_rows(database_, column.parts[number], rows);
  }
  for (auto& [name, change] : change_of_) {
    if (change.upserts.empty() && change.removed.empty()) continue;
    std::sort(change.upserts.begin(), change.upserts.end());
    std::sort(change.removed.begin(), change.removed.end());
    changes_.push_back(std::move(change));
  }
}

std::vector<Draft::Group> Draft::load_groups(const SourceRow& source) const {
  std::vector<Group> groups;
  for (SourceGroup& row : parse_groups(source.groups, catalog_.next_node)) {
    Group& group = groups.emplace_back();
    group.definition = catalog_.group(row.definition);
    group.is_damaged = digest_of(source.number, row, catalog_) != row.digest;
    group.row = std::move(row);
  }
  return groups;
}

std::string Draft::format(std::int64_t source, std::vector<Group>& groups) const {
  std::vector<SourceGroup> rows;
  rows.reserve(groups.size());
  for (Group& group : groups) {
    SourceGroup& row = rows.emplace_back(std::move(group.row));
    if (!group.is_damaged) row.digest = digest_of(source, row, catalog_);
  }
  return format_groups(rows);
}

bool Draft::fits(const GroupWrite& write, const std::optional<SourceRow>& source,
                 const std::vector<Group>& groups) const {
  if (!holds(source, write.content)) return false;
  const bool parents = std::all_of(write.groups.begin(), write.groups.end(), [&](const GroupRows& rows) {
    return rows.parent.empty() || find_rows(write.groups, rows.parent) || find_group(groups, rows.parent);
  });
  return parents && std::all_of(write.columns.begin(), write.columns.end(), [&](const GroupRows& columns) {
           const Group* group = find_group(groups, columns.group);
           return group && group->definition.signature == columns.signature;
         });
}

void Draft::check_children(const std::vector<Group>& groups, const GroupWrite& write) const {
  for (const Group& child : groups) {
    if (find_rows(write.groups, child.definition.name) || !find_rows(write.groups, child.definition.parent)) continue;
    const Group& parent = *find_group(groups, child.definition.parent);
    const std::unordered_set<NodeId> parents(parent.row.nodes.begin(), parent.row.nodes.end());
    NodeFinder nodes(database_);
    for (const NodeId id : child.row.nodes) {
      const StoredNode* node = nodes.find(id);
      if (!node || !parents.contains(node->parent))
        refuse_orphans(write.source, child.definition.name, child.definition.parent);
    }
  }
}

void Draft::check_dimension(const ColumnDefinition& definition) const {
  for (const auto& [number, known] : catalog_.columns())
    if (known.sources > 0 && known.dimension > 0 && known.key == definition.key &&
        known.signature == definition.signature && known.dimension != definition.dimension)
      refuse_dimension(definition.key, definition.dimension, known.group, known.dimension);
}

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

GroupChange& Draft::change(const std::string& group) {
  GroupChange& change = change_of_[group];
  if (change.group.empty()) change.group = group;
  return change;
}

std::int64_t Draft::new_source_number() {
  if (catalog_.next_source > UINT32_MAX)
    throw Error(Errc::limit_exceeded, "commit: the store has counted 4294967295 sources; start a new one");
  return catalog_.next_source++;
}

}  // namespace ragstone::sqlite
