#pragma once

#include "store/segment/file_system.hpp"

#include <chrono>
#include <filesystem>

namespace ragstone::sqlite {

/// Puts a durable copy in place of a database's write-ahead log. After a failed sync the system may never write what it
/// was told before, and still reports success from then on: nothing but a new file is surely synced then.
/// The database must not be open anywhere: Errc::locked, after `lock_timeout`, kMomentaryLocks at least. Other errors:
/// the medium's own.
void renew_log(segment::FileSystem& files, const std::filesystem::path& database, const char* vfs,
               std::chrono::milliseconds lock_timeout);

/// Removes a copy that did not come to its place.
void remove_unfinished_log(segment::FileSystem& files, const std::filesystem::path& database);

}  // namespace ragstone::sqlite
