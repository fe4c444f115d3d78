#pragma once

#include "store/sqlite/database.hpp"

#include <cstdint>
#include <span>

namespace ragstone::sqlite {

/// The version of the tables that this code reads and writes, in SQLite's user_version.
inline constexpr std::int64_t kSchemaVersion = 5;
/// The oldest version that migrate() can begin with.
inline constexpr std::int64_t kOldestSchemaVersion = 5;
/// In SQLite's application_id: what the database is.
inline constexpr std::int64_t kApplicationId = 0x52414753;

/// Makes the tables of an empty database, or brings those of an older version up to date, one version at a time, each
/// in a transaction of its own: what is interrupted goes on at the next opening.
/// Errors: Errc::unsupported for a version that is newer or too old, Errc::corrupt_store for a database of another
/// application.
void migrate(Database& database);

/// What makes a database of one version one of the next. Once released, a step stays as it is: it writes out what it
/// needs rather than use code that serves the present version.
using MigrationStep = void (*)(Database&);

/// The same by these steps, of which the last one leads to kSchemaVersion.
void migrate(Database& database, std::span<const MigrationStep> steps);

/// The same checks, for a database that is only read; an older version is Errc::unsupported too.
void check_schema(Database& database);

/// The last of them alone: Errc::corrupt_store for a database of another application, which an empty one is not.
void check_application(Database& database);

}  // namespace ragstone::sqlite
