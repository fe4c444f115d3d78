#include "store/sqlite/engine.hpp"

#include "store/sqlite/access.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/schema.hpp"
#include <ragstone/base/error.hpp>

#include <string>
#include <system_error>
#include <utility>

namespace ragstone {
namespace sqlite {
namespace {

/// So that it also holds where the program's working folder changes.
std::filesystem::path whole_path(const std::filesystem::path& folder) {
  if (folder.empty()) throw Error(Errc::invalid_argument, "open store: the path is empty; name a folder");
  std::error_code error;
  std::filesystem::path whole = std::filesystem::absolute(folder, error);
  if (error)
    throw Error(segment::medium_errc(error.value()), "open store \"" + folder.string() + "\": " + error.message());
  return whole;
}

/// Nothing is to be made beside another program's database. A store that is open has its lock and its segments, so that
/// it is not looked at, and needs no locks.
void refuse_foreign_database(const std::filesystem::path& folder, const EngineHooks& hooks) {
  segment::FileSystem& files = *hooks.files;
  if (files.type_of(folder / kDatabaseFile) == segment::FileType::none) return;
  if (files.type_of(folder / kLockFile) != segment::FileType::none &&
      files.type_of(folder / kPartFolder) == segment::FileType::directory)
    return;
  // A transaction that a crash broke off is rolled back, and what is there is checked, by whoever opens it for writing.
  if (files.type_of(folder / (std::string(kDatabaseFile) + "-journal")) != segment::FileType::none) return;
  Database database(folder / kDatabaseFile, has_log(folder) ? OpenMode::read : OpenMode::immutable, hooks.vfs_name(),
                    kMomentaryLocks);
  check_application(database);
}

}  // namespace

std::shared_ptr<StoreEngine> make_engine(const std::filesystem::path& folder, const SqliteOptions& options,
                                         EngineHooks hooks) {
  const std::filesystem::path whole = whole_path(folder);
  if (options.access != StoreAccess::read_write) return reading_engine(whole, options, std::move(hooks));
  refuse_foreign_database(whole, hooks);
  return writing_engine(whole, options, std::move(hooks));
}

StoreCapabilities sqlite_capabilities() {
  StoreCapabilities capabilities;
  capabilities.name = "sqlite";
  capabilities.persistent = true;
  capabilities.snapshots = true;
  capabilities.dense = true;
  capabilities.sparse = true;
  capabilities.filters = true;
  capabilities.change_log = true;
  capabilities.indexes = true;
  capabilities.backup = true;
  return capabilities;
}

}  // namespace sqlite

std::shared_ptr<StoreEngine> sqlite_engine(const std::filesystem::path& folder, SqliteOptions options) {
  return sqlite::make_engine(folder, options, sqlite::EngineHooks());
}

}  // namespace ragstone
