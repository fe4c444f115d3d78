#include "store/sqlite/draft.hpp"

#include "store/commit_rules.hpp"
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

void Draft::remove(std::string id, std::optional<Generation> as_of, CommitResult& result) {
  const std::optional<SourceRow> source = find_source(database_, id);
  if (!source) return;
  if (as_of && source->record.generation > *as_of && !is_damaged(source)) {
    result.skipped.push_back(std::move(id));
    return;
  }
  for (const Group& group : load_groups(*source)) drop_group(source->number, group);
  if (source->has_content()) {
    free_text(*source);
    --catalog_.stored;
  }
  erase_source(database_, source->number);
  result.removed.push_back(std::move(id));
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
