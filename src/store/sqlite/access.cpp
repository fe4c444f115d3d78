#include "store/sqlite/access.hpp"

#include "store/sqlite/engine.hpp"

#include <cstdint>
#include <string>
#include <system_error>

#include <unistd.h>

namespace ragstone::sqlite {
namespace fs = std::filesystem;
namespace {

fs::path beside_database(const fs::path& folder, const char* suffix) {
  return folder / (std::string(kDatabaseFile) + suffix);
}

/// Whoever has the database open has shared memory in this file.
bool has_shared_memory(const fs::path& folder) {
  std::error_code error;
  return fs::exists(beside_database(folder, "-shm"), error) || error;
}

}  // namespace

bool has_log(const fs::path& folder) {
  std::error_code missing;
  const std::uintmax_t bytes = fs::file_size(beside_database(folder, "-wal"), missing);
  return !missing && bytes > 0;
}

StoreAccess access_to_read(const fs::path& folder) {
  const bool is_at_rest = !has_log(folder) && !has_shared_memory(folder);
  return is_at_rest && ::access(folder.c_str(), W_OK) != 0 ? StoreAccess::immutable : StoreAccess::read_only;
}

}  // namespace ragstone::sqlite
