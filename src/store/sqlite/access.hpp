#pragma once

#include <ragstone/store/sqlite_engine.hpp>

#include <filesystem>

namespace ragstone::sqlite {

/// Whether commits may be in the log of a store alone, which who reads it without locks does not see.
bool has_log(const std::filesystem::path& folder);

/// How who copies a store reads it: as StoreAccess::read_only, for which SQLite makes files beside the database if they
/// are not there; or, where the folder may not be written, as StoreAccess::immutable, if nobody has the store open and
/// the last who had has closed it.
StoreAccess access_to_read(const std::filesystem::path& folder);

}  // namespace ragstone::sqlite
