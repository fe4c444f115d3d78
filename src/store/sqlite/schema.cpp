#include "store/sqlite/schema.hpp"

#include "store/sqlite/commit_log.hpp"
#include <ragstone/base/error.hpp>

#include <array>
#include <string>

namespace ragstone::sqlite {
namespace {

// Numbers of sources, definitions and parts are the store's own and never reused; src/store/FORMAT.md explains every
// table and blob.
constexpr char kTables[] = R"sql(
CREATE TABLE commit_log(
  generation INTEGER PRIMARY KEY,
  ids INTEGER NOT NULL,
  changes BLOB NOT NULL,
  changes_digest INTEGER NOT NULL,
  counters BLOB NOT NULL,
  counters_digest INTEGER NOT NULL,
  parts BLOB NOT NULL,
  sources BLOB NOT NULL
) STRICT;

CREATE TABLE source(
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  generation INTEGER NOT NULL,
  content BLOB NOT NULL,
  size INTEGER,
  modified_ns INTEGER,
  text_bytes INTEGER NOT NULL,
  text_block INTEGER NOT NULL,
  text_offset INTEGER NOT NULL,
  state INTEGER NOT NULL,
  stage INTEGER NOT NULL,
  failed_as_stored INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  reason TEXT NOT NULL,
  reader TEXT NOT NULL,
  metadata BLOB NOT NULL,
  offset_map BLOB NOT NULL,
  text_digest INTEGER NOT NULL,
  digest INTEGER NOT NULL,
  groups BLOB NOT NULL
) STRICT;
CREATE INDEX source_failed ON source(id) WHERE state = 1;

CREATE TABLE text_block(number INTEGER PRIMARY KEY, sources BLOB NOT NULL, bytes BLOB NOT NULL) STRICT;
CREATE TABLE text_use(block INTEGER PRIMARY KEY, live INTEGER NOT NULL, size INTEGER NOT NULL) STRICT;
CREATE INDEX text_use_sparse ON text_use(live) WHERE live * 2 < size;

CREATE TABLE group_definition(
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  parent TEXT NOT NULL,
  signature TEXT NOT NULL
) STRICT;
CREATE TABLE column_definition(
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  key TEXT NOT NULL,
  signature TEXT NOT NULL,
  dimension INTEGER NOT NULL
) STRICT;

CREATE TABLE node_run(
  first INTEGER PRIMARY KEY,
  source INTEGER NOT NULL,
  definition INTEGER NOT NULL,
  nodes BLOB NOT NULL
) STRICT;
CREATE TABLE node_extra(id INTEGER PRIMARY KEY, text TEXT NOT NULL, metadata BLOB NOT NULL) STRICT;

CREATE TABLE part(
  number INTEGER PRIMARY KEY,
  definition INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  file TEXT NOT NULL,
  dead_tokens INTEGER NOT NULL,
  digest INTEGER NOT NULL,
  dead BLOB NOT NULL,
  image BLOB
) STRICT;
CREATE TABLE dead_row(part INTEGER NOT NULL, row INTEGER NOT NULL, PRIMARY KEY(part, row)) STRICT, WITHOUT ROWID;

CREATE TABLE field(name TEXT PRIMARY KEY, kind INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE field_rebuild(one INTEGER PRIMARY KEY CHECK(one = 1), next_source INTEGER NOT NULL) STRICT;
CREATE TABLE lost_column(
  definition INTEGER NOT NULL,
  source INTEGER NOT NULL,
  PRIMARY KEY(definition, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE vector_index(
  key TEXT PRIMARY KEY,
  metric_type TEXT NOT NULL,
  index_type TEXT NOT NULL,
  m INTEGER NOT NULL,
  ef_construction INTEGER NOT NULL,
  recall REAL NOT NULL,
  ef INTEGER NOT NULL,
  exact INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

void create(Database& database) {
  database.execute(kTables);
  start_log(database, Catalog());
  database.execute(("PRAGMA application_id=" + std::to_string(kApplicationId)).c_str());
}

/// The first one leads away from kOldestSchemaVersion.
constexpr std::array<MigrationStep, kSchemaVersion - kOldestSchemaVersion> kSteps{};

std::int64_t pragma(Database& database, const char* sql) {
  Statement& statement = database.statement(sql);
  const std::int64_t value = statement.step() ? statement.integer(0) : 0;
  statement.reset();
  return value;
}

/// 0 for an empty database.
std::int64_t own_version(Database& database) {
  const std::int64_t application = pragma(database, "PRAGMA application_id");
  const std::int64_t version = pragma(database, "PRAGMA user_version");
  if (application == 0 && version == 0 && pragma(database, "SELECT count(*) FROM sqlite_schema") == 0) return 0;
  if (application != kApplicationId || version < 1)
    throw Error(Errc::corrupt_store, "open store: its database was not made by Ragstone; name another folder");
  return version;
}

/// The database's version, which is not below `oldest`; 0 for an empty one.
std::int64_t known_version(Database& database, std::int64_t oldest = kOldestSchemaVersion) {
  const std::int64_t version = own_version(database);
  if (version == 0) return 0;
  if (version < oldest)
    throw Error(Errc::unsupported, "open store: it has schema version " + std::to_string(version) +
                                       ", this library knows versions from " + std::to_string(oldest) +
                                       " on; sync its dataset into a new store");
  if (version > kSchemaVersion)
    throw Error(Errc::unsupported, "open store: it has schema version " + std::to_string(version) +
                                       ", this library knows versions up to " + std::to_string(kSchemaVersion) +
                                       "; use a newer Ragstone");
  return version;
}

}  // namespace

void migrate(Database& database) { migrate(database, kSteps); }

void migrate(Database& database, std::span<const MigrationStep> steps) {
  const std::int64_t oldest = kSchemaVersion - static_cast<std::int64_t>(steps.size());
  while (known_version(database, oldest) != kSchemaVersion) {
    Transaction transaction(database);
    const std::int64_t version = known_version(database, oldest);
    if (version == 0) {
      create(database);
    } else {
      steps[static_cast<std::size_t>(version - oldest)](database);
    }
    const std::int64_t reached = version == 0 ? kSchemaVersion : version + 1;
    database.execute(("PRAGMA user_version=" + std::to_string(reached)).c_str());
    transaction.commit();
  }
}

void check_application(Database& database) { own_version(database); }

void check_schema(Database& database) {
  const std::int64_t version = known_version(database);
  if (version == 0)
    throw Error(Errc::not_found,
                "open store: its database is empty; put it back, or, if the store is a new one, open it for writing");
  if (version != kSchemaVersion)
    throw Error(Errc::unsupported, "open store: it has schema version " + std::to_string(version) +
                                       "; open it once for writing to bring it to version " +
                                       std::to_string(kSchemaVersion));
}

}  // namespace ragstone::sqlite
