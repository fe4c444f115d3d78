#pragma once

#include "store/sqlite/catalog.hpp"
#include "store/sqlite/database.hpp"
#include <ragstone/store/commit.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

/// The table `commit_log`: one row for each of the last commits with what it did to the groups. The newest row also
/// holds the counters of the whole store, so that a commit changes one page for both.
namespace ragstone::sqlite {

/// The definitions and counters as the newest row has them. Errors: Errc::corrupt_store.
Catalog load_catalog(Database& database);

/// The row that an empty store begins with.
void start_log(Database& database, const Catalog& catalog);

/// Adds the row of the generation `catalog.generation`; rows that are old enough are forgotten. `parts`: what the
/// commit stages, see staged_parts.hpp; `sources`: those that stay fresh, see fresh_sources.hpp.
void log_commit(Database& database, Catalog& catalog, std::span<const GroupChange> changes, std::string_view parts,
                std::string_view sources);

/// Writes the counters again, which something else than a commit changed.
void update_counters(Database& database, const Catalog& catalog);

/// What the commits after `since` did to a group; none if an entry is damaged.
std::optional<GroupChange> fold_changes(Database& database, std::string_view group, Generation since);

/// An entry of the log as verify() sees it.
struct LogEntry {
  Generation generation = 0;
  std::int64_t ids = 0;
  bool is_damaged = false;
};
std::vector<LogEntry> read_log(Database& database);

}  // namespace ragstone::sqlite
