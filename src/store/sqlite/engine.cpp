#include "store/sqlite/engine.hpp"

#include <utility>

namespace ragstone {
namespace sqlite {

std::shared_ptr<StoreEngine> make_engine(const std::filesystem::path& folder, const SqliteOptions& options,
                                         EngineHooks hooks) {
  // Also where the program's working folder changes.
  const std::filesystem::path whole = std::filesystem::absolute(folder);
  return options.access == StoreAccess::read_write ? writing_engine(whole, options, std::move(hooks))
                                                   : reading_engine(whole, options, std::move(hooks));
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
