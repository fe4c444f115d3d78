#pragma once

#include "store/sqlite/database.hpp"
#include <ragstone/base/ids.hpp>
#include <ragstone/store/snapshot.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace ragstone::sqlite {

using DefinitionNumber = std::int64_t;

/// How some sources' nodes of a group were made.
struct GroupDefinition {
  std::string name;
  std::string parent;
  std::string signature;
  std::int64_t sources = 0;       ///< How many sources have it.
  std::int64_t own_metadata = 0;  ///< How many of their nodes have metadata of their own.

  auto identity() const { return std::tie(name, parent, signature); }
};

/// How some sources' rows of a column were made.
struct ColumnDefinition {
  std::string group;
  std::string key;
  std::string signature;
  std::uint32_t dimension = 0;  ///< 0: not dense.
  std::int64_t sources = 0;

  bool is_dense() const noexcept { return dimension > 0; }
  /// The declared fields of metadata: see FieldSettings.
  bool is_fields() const noexcept { return key.empty(); }
  auto identity() const { return std::tie(group, key, signature, dimension); }
};

/// The few definitions and counters that describe the whole store; a value, kept in memory.
class Catalog {
 public:
  /// Without the counters.
  static Catalog load_definitions(Database& database);
  /// Writes the definitions that `before`, what is in the database, does not have, and erases those that are gone.
  void save_definitions(Database& database, const Catalog& before) const;

  /// All numbers that commits change, but the generation.
  std::string counters() const;
  /// Errors: Errc::corrupt_store where the numbers do not fit the definitions.
  void set_counters(std::string_view counters);

  const std::map<DefinitionNumber, GroupDefinition>& groups() const noexcept { return groups_; }
  const std::map<DefinitionNumber, ColumnDefinition>& columns() const noexcept { return columns_; }
  /// Errors: Errc::corrupt_store for a number that is not there.
  const GroupDefinition& group(DefinitionNumber number) const;
  const ColumnDefinition& column(DefinitionNumber number) const;

  /// Counts one more source; gives the definition's number, which is never used for another one.
  DefinitionNumber add_source(GroupDefinition definition);
  DefinitionNumber add_source(ColumnDefinition definition);
  /// Counts one source less.
  void remove_source_of_group(DefinitionNumber number);
  void remove_source_of_column(DefinitionNumber number);
  /// Forgets the definitions that no source has; to be called at the end of a commit.
  void prune();
  void count_own_metadata(DefinitionNumber number, std::int64_t difference) {
    groups_.at(number).own_metadata += difference;
  }

  /// See StoreSnapshot::groups().
  std::vector<GroupInfo> group_infos() const;

  Generation generation = 0;
  std::int64_t stored = 0;  ///< Sources that have content.
  std::int64_t next_source = 1;
  NodeId next_node = 1;
  std::int64_t next_block = 1;
  std::int64_t next_part = 1;
  DefinitionNumber next_definition = 1;
  Generation oldest_change = 0;  ///< The change log knows what came after this generation.
  std::int64_t logged_ids = 0;
  std::vector<Generation> staged;   ///< Commits whose rows of the log hold parts; ascending.
  std::uint64_t fresh_commits = 0;  ///< How many of the newest commits hold their sources in the log.

 private:
  std::map<DefinitionNumber, GroupDefinition> groups_;
  std::map<DefinitionNumber, ColumnDefinition> columns_;
};

}  // namespace ragstone::sqlite
