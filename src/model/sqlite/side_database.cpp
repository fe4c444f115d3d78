#include "model/sqlite/side_database.hpp"

#include "store/segment/file_system.hpp"
#include <ragstone/base/error.hpp>

#include <string>

namespace ragstone::sqlite {
namespace {

std::int64_t pragma(Database& database, const char* sql) {
  Statement& statement = database.statement(sql);
  const Rows resets_at_the_end(statement);
  return statement.step() ? statement.integer(0) : 0;
}

/// False for an empty database.
bool has_tables(Database& database, const SideSchema& schema) {
  const std::int64_t application = pragma(database, "PRAGMA application_id");
  const std::int64_t version = pragma(database, "PRAGMA user_version");
  if (application == 0 && version == 0 && pragma(database, "SELECT count(*) FROM sqlite_schema") == 0) return false;
  if (application != schema.application_id)
    throw Error(Errc::already_exists, std::string("open ") + schema.file + ": another program made it; move it away");
  if (version != schema.version)
    throw Error(Errc::unsupported, std::string("open ") + schema.file + ": it has version " + std::to_string(version) +
                                       ", this library knows " + std::to_string(schema.version));
  return true;
}

std::filesystem::path made(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    throw Error(segment::medium_errc(error.value()),
                "Cannot make the folder " + folder.string() + ": " + error.message());
  return folder;
}

}  // namespace

SideDatabase::SideDatabase(const std::filesystem::path& folder, const SideSchema& schema)
    : database_(made(folder) / schema.file, OpenMode::create) {
  database_.execute(kSideBusyTimeout);
  const bool is_there = has_tables(database_, schema);  // before anything is changed
  database_.execute("PRAGMA journal_mode = TRUNCATE");
  database_.execute((std::string("PRAGMA synchronous = ") + schema.synchronous).c_str());
  if (is_there) return;
  Transaction transaction(database_);
  if (!has_tables(database_, schema)) {
    database_.execute(schema.tables);
    database_.execute(("PRAGMA application_id = " + std::to_string(schema.application_id) +
                       "; PRAGMA user_version = " + std::to_string(schema.version))
                          .c_str());
  }
  transaction.commit();
}

}  // namespace ragstone::sqlite
