#include "reader/store_files.hpp"

#include <algorithm>

#include <sys/stat.h>

namespace ragstone {
namespace {

// src/store/FORMAT.md describes a store's folder, and what is made beside one that is unfinished.
constexpr std::string_view kStoreDatabase = "store.db";
constexpr std::string_view kLock = "lock";
constexpr std::string_view kSegments = "segments";
constexpr std::string_view kNames[] = {kLock, kSegments, "indexes"};
constexpr std::string_view kDatabases[] = {kStoreDatabase, "sessions.db", "cache.db"};
constexpr std::string_view kBesideDatabases[] = {"", "-wal", "-shm", "-journal"};
constexpr std::string_view kUnfinished = ".unfinished";
constexpr std::string_view kUnfinishedLock = ".unfinished.lock";

bool is_in(const std::string& folder, std::string_view name) {
  struct stat status {};
  return ::lstat((folder + '/' + std::string(name)).c_str(), &status) == 0;
}

bool is_store(const std::string& folder) {
  return is_in(folder, kStoreDatabase) && (is_in(folder, kSegments) || is_in(folder, kLock));
}

bool is_name_in_store(std::string_view name) {
  for (const std::string_view database : kDatabases) {
    if (!name.starts_with(database)) continue;
    const std::string_view rest = name.substr(database.size());
    return std::find(std::begin(kBesideDatabases), std::end(kBesideDatabases), rest) != std::end(kBesideDatabases);
  }
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

}  // namespace

bool is_of_store(const std::string& folder, std::string_view name) {
  if (name.ends_with(kUnfinishedLock)) return true;
  if (name.ends_with(kUnfinished)) return is_in(folder, std::string(name) + ".lock");
  return is_name_in_store(name) && is_store(folder);
}

bool is_of_store(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return is_of_store(".", path);
  return is_of_store(path.substr(0, slash), std::string_view(path).substr(slash + 1));
}

}  // namespace ragstone
