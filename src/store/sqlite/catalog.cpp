#include "store/sqlite/catalog.hpp"

#include "store/sqlite/digest.hpp"
#include <ragstone/base/error.hpp>

#include <utility>

namespace ragstone::sqlite {
namespace {

void save(Database& database, DefinitionNumber number, const GroupDefinition& definition) {
  Statement& put = database.statement(
      "INSERT OR REPLACE INTO group_definition(number, name, parent, signature, sources, own_metadata) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  put.bind_integer(1, number);
  put.bind_text(2, definition.name);
  put.bind_text(3, definition.parent);
  put.bind_text(4, definition.signature);
  put.bind_integer(5, definition.sources);
  put.bind_integer(6, definition.own_metadata);
  put.run();
}

void save(Database& database, DefinitionNumber number, const ColumnDefinition& definition) {
  Statement& put = database.statement(
      "INSERT OR REPLACE INTO column_definition(number, name, key, signature, dimension, sources) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  put.bind_integer(1, number);
  put.bind_text(2, definition.group);
  put.bind_text(3, definition.key);
  put.bind_text(4, definition.signature);
  put.bind_integer(5, definition.dimension);
  put.bind_integer(6, definition.sources);
  put.run();
}

void erase(Database& database, const char* sql, DefinitionNumber number) {
  Statement& statement = database.statement(sql);
  statement.bind_integer(1, number);
  statement.run();
}

template <class Definition>
void save_changes(Database& database, const std::map<DefinitionNumber, Definition>& now,
                  const std::map<DefinitionNumber, Definition>& before, const char* erase_sql,
                  bool (*same)(const Definition&, const Definition&)) {
  for (const auto& [number, definition] : now) {
    const auto old = before.find(number);
    if (old == before.end() || !same(old->second, definition)) save(database, number, definition);
  }
  for (const auto& [number, definition] : before)
    if (!now.contains(number)) erase(database, erase_sql, number);
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

Catalog Catalog::load(Database& database) {
  Catalog catalog = load_definitions(database);
  Statement& state = database.statement(
      "SELECT generation, stored, next_source, next_node, next_block, next_part, oldest_change, logged_ids, "
      "next_definition, digest FROM state");
  const Rows guard(state);
  if (!state.step()) throw Error(Errc::corrupt_store, "open store: the table of its state is empty; recover the store");
  catalog.generation = static_cast<Generation>(state.integer(0));
  catalog.stored = state.integer(1);
  catalog.next_source = state.integer(2);
  catalog.next_node = static_cast<NodeId>(state.integer(3));
  catalog.next_block = state.integer(4);
  catalog.next_part = state.integer(5);
  catalog.oldest_change = static_cast<Generation>(state.integer(6));
  catalog.logged_ids = state.integer(7);
  catalog.next_definition = state.integer(8);
  Digest digest;
  for (const std::int64_t value : catalog.counters()) digest.integer(value);
  if (std::move(digest).value() != state.integer(9))
    throw Error(Errc::corrupt_store, "open store: the row of its state is damaged; recover the store");
  return catalog;
}

Catalog Catalog::load_definitions(Database& database) {
  Catalog catalog;
  Statement& groups =
      database.statement("SELECT number, name, parent, signature, sources, own_metadata FROM group_definition");
  const Rows guard_groups(groups);
  while (groups.step()) {
    GroupDefinition& definition = catalog.groups_[groups.integer(0)];
    definition.name = groups.text(1);
    definition.parent = groups.text(2);
    definition.signature = groups.text(3);
    definition.sources = groups.integer(4);
    definition.own_metadata = groups.integer(5);
  }
  Statement& columns =
      database.statement("SELECT number, name, key, signature, dimension, sources FROM column_definition");
  const Rows guard_columns(columns);
  while (columns.step()) {
    ColumnDefinition& definition = catalog.columns_[columns.integer(0)];
    definition.group = columns.text(1);
    definition.key = columns.text(2);
    definition.signature = columns.text(3);
    definition.dimension = static_cast<std::uint32_t>(columns.integer(4));
    definition.sources = columns.integer(5);
  }
  return catalog;
}

void Catalog::insert(Database& database) const {
  save_state(database, "INSERT INTO state VALUES(1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
}

void Catalog::save_state(Database& database, const char* sql) const {
  Statement& state = database.statement(sql);
  const std::array<std::int64_t, 9> values = counters();
  Digest digest;
  for (std::size_t i = 0; i < values.size(); ++i) {
    state.bind_integer(static_cast<int>(i + 1), values[i]);
    digest.integer(values[i]);
  }
  state.bind_integer(static_cast<int>(values.size() + 1), std::move(digest).value());
  state.run();
}

std::array<std::int64_t, 9> Catalog::counters() const {
  return {static_cast<std::int64_t>(generation),    stored,     next_source,
          static_cast<std::int64_t>(next_node),     next_block, next_part,
          static_cast<std::int64_t>(oldest_change), logged_ids, next_definition};
}

void Catalog::save(Database& database, const Catalog& before) const {
  save_state(database,
             "UPDATE state SET generation = ?1, stored = ?2, next_source = ?3, next_node = ?4, next_block = ?5, "
             "next_part = ?6, oldest_change = ?7, logged_ids = ?8, next_definition = ?9, digest = ?10");
  save_changes<GroupDefinition>(database, groups_, before.groups_, "DELETE FROM group_definition WHERE number = ?1",
                                [](const GroupDefinition& a, const GroupDefinition& b) {
                                  return a.identity() == b.identity() && a.sources == b.sources &&
                                         a.own_metadata == b.own_metadata;
                                });
  save_changes<ColumnDefinition>(database, columns_, before.columns_, "DELETE FROM column_definition WHERE number = ?1",
                                 [](const ColumnDefinition& a, const ColumnDefinition& b) {
                                   return a.identity() == b.identity() && a.sources == b.sources;
                                 });
}

const GroupDefinition& Catalog::group(DefinitionNumber number) const { return find(groups_, number); }

const ColumnDefinition& Catalog::column(DefinitionNumber number) const { return find(columns_, number); }

DefinitionNumber Catalog::add_source(GroupDefinition definition) {
  return add(groups_, std::move(definition), next_definition);
}

DefinitionNumber Catalog::add_source(ColumnDefinition definition) {
  return add(columns_, std::move(definition), next_definition);
}

void Catalog::remove_source_of_group(DefinitionNumber number) { --groups_.at(number).sources; }

void Catalog::remove_source_of_column(DefinitionNumber number) { --columns_.at(number).sources; }

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
