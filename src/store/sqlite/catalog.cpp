#include "store/sqlite/catalog.hpp"

#include "store/coding.hpp"
#include "store/sqlite/blobs.hpp"
#include <ragstone/base/error.hpp>

#include <utility>

namespace ragstone::sqlite {
namespace {

void save(Database& database, DefinitionNumber number, const GroupDefinition& definition) {
  Statement& put =
      database.statement("INSERT INTO group_definition(number, name, parent, signature) VALUES(?1, ?2, ?3, ?4)");
  put.bind_integer(1, number);
  put.bind_text(2, definition.name);
  put.bind_text(3, definition.parent);
  put.bind_text(4, definition.signature);
  put.run();
}

void save(Database& database, DefinitionNumber number, const ColumnDefinition& definition) {
  Statement& put = database.statement(
      "INSERT INTO column_definition(number, name, key, signature, dimension) VALUES(?1, ?2, ?3, ?4, ?5)");
  put.bind_integer(1, number);
  put.bind_text(2, definition.group);
  put.bind_text(3, definition.key);
  put.bind_text(4, definition.signature);
  put.bind_integer(5, definition.dimension);
  put.run();
}

void erase(Database& database, const char* sql, DefinitionNumber number) {
  Statement& statement = database.statement(sql);
  statement.bind_integer(1, number);
  statement.run();
}

template <class Definition>
void save_changes(Database& database, const std::map<DefinitionNumber, Definition>& now,
                  const std::map<DefinitionNumber, Definition>& before, const char* erase_sql) {
  for (const auto& [number, definition] : now)
    if (!before.contains(number)) save(database, number, definition);
  for (const auto& [number, definition] : before)
    if (!now.contains(number)) erase(database, erase_sql, number);
}

/// Calls `visit(definition)` where the counters of each definition follow; all of them have some, in order.
template <class Definition, class Visit>
void for_each_counted(ByteReader& bytes, std::map<DefinitionNumber, Definition>& definitions, Visit visit) {
  if (bytes.varint() != definitions.size()) bytes.fail();
  for (auto& [number, definition] : definitions) {
    if (bytes.zigzag() != number) bytes.fail();
    visit(definition);
  }
}

template <class Definition>
DefinitionNumber add(std::map<DefinitionNumber, Definition>& definitions, Definition definition,
                     DefinitionNumber& next) {
  for (auto& [number, known] : definitions)
    if (known.identity() == definition.identity()) return ++known.sources, number;
  definition.sources = 1;
  definitions.emplace(next, std::move(definition));
  return next++;
}

template <class Definition>
const Definition& find(const std::map<DefinitionNumber, Definition>& definitions, DefinitionNumber number) {
  const auto found = definitions.find(number);
  if (found == definitions.end())
    throw Error(Errc::corrupt_store, "store: a row names definition " + std::to_string(number) +
                                         ", which does not exist; verify the store, then recover it");
  return found->second;
}

}  // namespace

Catalog Catalog::load_definitions(Database& database) {
  Catalog catalog;
  Statement& groups = database.statement("SELECT number, name, parent, signature FROM group_definition");
  const Rows guard_groups(groups);
  while (groups.step()) {
    GroupDefinition& definition = catalog.groups_[groups.integer(0)];
    definition.name = groups.text(1);
    definition.parent = groups.text(2);
    definition.signature = groups.text(3);
  }
  Statement& columns = database.statement("SELECT number, name, key, signature, dimension FROM column_definition");
  const Rows guard_columns(columns);
  while (columns.step()) {
    ColumnDefinition& definition = catalog.columns_[columns.integer(0)];
    definition.group = columns.text(1);
    definition.key = columns.text(2);
    definition.signature = columns.text(3);
    definition.dimension = static_cast<std::uint32_t>(columns.integer(4));
  }
  return catalog;
}

void Catalog::save_definitions(Database& database, const Catalog& before) const {
  save_changes(database, groups_, before.groups_, "DELETE FROM group_definition WHERE number = ?1");
  save_changes(database, columns_, before.columns_, "DELETE FROM column_definition WHERE number = ?1");
}

std::string Catalog::counters() const {
  ByteWriter bytes;
  for (const std::int64_t value : {stored, next_source, static_cast<std::int64_t>(next_node), next_block, next_part,
                                   next_definition, static_cast<std::int64_t>(oldest_change), logged_ids})
    bytes.zigzag(value);
  bytes.varint(groups_.size());
  for (const auto& [number, definition] : groups_) {
    bytes.zigzag(number);
    bytes.zigzag(definition.sources);
    bytes.zigzag(definition.own_metadata);
  }
  bytes.varint(columns_.size());
  for (const auto& [number, definition] : columns_) {
    bytes.zigzag(number);
    bytes.zigzag(definition.sources);
  }
  bytes.string(write_ids(staged));
  bytes.varint(fresh_commits);
  return std::move(bytes).take();
}

void Catalog::set_counters(std::string_view counters) {
  ByteReader bytes(counters, "counters of a commit");
  stored = bytes.zigzag();
  next_source = bytes.zigzag();
  next_node = static_cast<NodeId>(bytes.zigzag());
  next_block = bytes.zigzag();
  next_part = bytes.zigzag();
  next_definition = bytes.zigzag();
  oldest_change = static_cast<Generation>(bytes.zigzag());
  logged_ids = bytes.zigzag();
  for_each_counted(bytes, groups_, [&bytes](GroupDefinition& definition) {
    definition.sources = bytes.zigzag();
    definition.own_metadata = bytes.zigzag();
  });
  for_each_counted(bytes, columns_, [&bytes](ColumnDefinition& definition) { definition.sources = bytes.zigzag(); });
  staged = read_ids(bytes.string());
  fresh_commits = bytes.varint(generation);
  bytes.expect_end();
}

const GroupDefinition& Catalog::group(DefinitionNumber number) const { return find(groups_, number); }

const ColumnDefinition& Catalog::column(DefinitionNumber number) const { return find(columns_, number); }

DefinitionNumber Catalog::add_source(GroupDefinition definition) {
  return add(groups_, std::move(definition), next_definition);
}

DefinitionNumber Catalog::add_source(ColumnDefinition definition) {
  return add(columns_, std::move(definition), next_definition);
}

void Catalog::remove_source_of_group(DefinitionNumber number) {
  find(groups_, number);
  --groups_.at(number).sources;
}

void Catalog::remove_source_of_column(DefinitionNumber number) {
  find(columns_, number);
  --columns_.at(number).sources;
}

void Catalog::prune() {
  std::erase_if(groups_, [](const auto& item) { return item.second.sources <= 0; });
  std::erase_if(columns_, [](const auto& item) { return item.second.sources <= 0; });
}

std::vector<GroupInfo> Catalog::group_infos() const {
  struct Found {
    std::int64_t sources = 0;  // of the definition that most have
    std::string parent;
    std::map<std::pair<std::string, std::string>, std::int64_t> forms;  // by key and signature
  };
  std::map<std::string, Found> found;
  for (const auto& [number, definition] : groups_) {
    Found& group = found[definition.name];
    group.forms[{std::string(), definition.signature}] += definition.sources;
    if (definition.sources <= group.sources) continue;
    group.sources = definition.sources;
    group.parent = definition.parent;
  }
  for (const auto& [number, definition] : columns_)
    if (!definition.is_fields())
      found[definition.group].forms[{definition.key, definition.signature}] += definition.sources;
  std::vector<GroupInfo> infos;
  for (auto& [name, group] : found) {
    GroupInfo& info = infos.emplace_back();
    info.group = name;
    info.parent = std::move(group.parent);
    for (const auto& [form, sources] : group.forms)
      info.forms.push_back({form.first, form.second, static_cast<std::size_t>(sources)});
  }
  return infos;
}

}  // namespace ragstone::sqlite
