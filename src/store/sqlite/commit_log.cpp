#include "store/sqlite/commit_log.hpp"

#include "store/change_log.hpp"
#include "store/coding.hpp"
#include "store/sqlite/blobs.hpp"
#include "store/sqlite/digest.hpp"
#include "store/sqlite/staged_parts.hpp"
#include <ragstone/base/error.hpp>

#include <string>
#include <utility>

namespace ragstone::sqlite {
namespace {

constexpr std::int64_t kLoggedCommits = 4096;
constexpr std::int64_t kLoggedIds = 1'000'000;
// Forgotten at once: each time other pages are touched than those that the commit writes anyway.
constexpr std::int64_t kForgottenCommits = 256;

std::string write_changes(std::span<const GroupChange> changes) {
  ByteWriter bytes;
  for (const GroupChange& change : changes) {
    bytes.string(change.group);
    bytes.string(write_ids(change.upserts));
    bytes.string(write_ids(change.removed));
  }
  return std::move(bytes).take();
}

std::int64_t digest_of(Generation generation, std::string_view changes) {
  Digest digest;
  digest.integer(static_cast<std::int64_t>(generation));
  digest.text(changes);
  return std::move(digest).value();
}

void insert_row(Database& database, const Catalog& catalog, std::int64_t ids, std::string_view changes,
                std::string_view parts, std::string_view sources) {
  const std::string counters = catalog.counters();
  Statement& insert = database.statement(
      "INSERT INTO commit_log(generation, ids, changes, changes_digest, counters, counters_digest, parts, sources) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  insert.bind_integer(1, static_cast<std::int64_t>(catalog.generation));
  insert.bind_integer(2, ids);
  insert.bind_blob(3, changes);
  insert.bind_integer(4, digest_of(catalog.generation, changes));
  insert.bind_blob(5, counters);
  insert.bind_integer(6, digest_of(catalog.generation, counters));
  insert.bind_blob(7, parts);
  insert.bind_blob(8, sources);
  insert.run();
}

void forget_to(Database& database, Catalog& catalog, Generation last) {
  move_staged(database, catalog, last);
  Statement& erase = database.statement("DELETE FROM commit_log WHERE generation <= ?1 RETURNING ids");
  const Rows guard(erase);
  erase.bind_integer(1, static_cast<std::int64_t>(last));
  while (erase.step()) catalog.logged_ids -= erase.integer(0);
  catalog.oldest_change = last;
}

/// Before the row of the generation is written, which stays in any case. So do rows that hold sources.
void forget_old(Database& database, Catalog& catalog) {
  const Generation newest = catalog.generation - 1 - catalog.fresh_commits;
  const auto commits = static_cast<std::int64_t>(newest - catalog.oldest_change);
  if (commits >= kLoggedCommits + kForgottenCommits)
    forget_to(database, catalog, newest - static_cast<Generation>(kLoggedCommits));
  while (catalog.logged_ids > kLoggedIds && catalog.oldest_change < newest)
    forget_to(database, catalog, catalog.oldest_change + 1);
}

}  // namespace

Catalog load_catalog(Database& database) {
  Catalog catalog = Catalog::load_definitions(database);
  Statement& read = database.statement(
      "SELECT generation, counters, counters_digest FROM commit_log ORDER BY generation DESC LIMIT 1");
  const Rows guard(read);
  if (!read.step()) throw Error(Errc::corrupt_store, "open store: the log of its commits is empty; recover the store");
  catalog.generation = static_cast<Generation>(read.integer(0));
  const std::string_view counters = read.blob(1);
  if (digest_of(catalog.generation, counters) != read.integer(2))
    throw Error(Errc::corrupt_store, "open store: the counters of its last commit are damaged; recover the store");
  catalog.set_counters(counters);
  return catalog;
}

void start_log(Database& database, const Catalog& catalog) { insert_row(database, catalog, 0, {}, {}, {}); }

void log_commit(Database& database, Catalog& catalog, std::span<const GroupChange> changes, std::string_view parts,
                std::string_view sources) {
  std::int64_t ids = 0;
  for (const GroupChange& change : changes)
    ids += static_cast<std::int64_t>(change.upserts.size() + change.removed.size());
  catalog.logged_ids += ids;
  forget_old(database, catalog);
  if (!parts.empty()) catalog.staged.push_back(catalog.generation);
  if (!sources.empty()) ++catalog.fresh_commits;
  insert_row(database, catalog, ids, write_changes(changes), parts, sources);
}

void update_counters(Database& database, const Catalog& catalog) {
  const std::string counters = catalog.counters();
  Statement& update =
      database.statement("UPDATE commit_log SET counters = ?2, counters_digest = ?3 WHERE generation = ?1");
  update.bind_integer(1, static_cast<std::int64_t>(catalog.generation));
  update.bind_blob(2, counters);
  update.bind_integer(3, digest_of(catalog.generation, counters));
  update.run();
}

std::optional<GroupChange> fold_changes(Database& database, std::string_view group, Generation since) {
  ChangeFold fold;
  Statement& read = database.statement(
      "SELECT generation, changes, changes_digest FROM commit_log WHERE generation > ?1 ORDER BY generation");
  const Rows guard(read);
  read.bind_integer(1, static_cast<std::int64_t>(since));
  while (read.step()) {
    const std::string_view changes = read.blob(1);
    if (digest_of(static_cast<Generation>(read.integer(0)), changes) != read.integer(2)) return std::nullopt;
    ByteReader bytes(changes, "change log");
    while (!bytes.at_end()) {
      const std::string_view name = bytes.string();
      const std::string_view upserts = bytes.string();
      const std::string_view removed = bytes.string();
      if (name == group) fold.add(read_ids(upserts), read_ids(removed));
    }
  }
  return fold.take(group);
}

std::vector<LogEntry> read_log(Database& database) {
  std::vector<LogEntry> entries;
  Statement& read = database.statement("SELECT generation, ids, changes, changes_digest FROM commit_log");
  const Rows guard(read);
  while (read.step()) {
    LogEntry& entry = entries.emplace_back();
    entry.generation = static_cast<Generation>(read.integer(0));
    entry.ids = read.integer(1);
    entry.is_damaged = digest_of(entry.generation, read.blob(2)) != read.integer(3);
  }
  return entries;
}

}  // namespace ragstone::sqlite
