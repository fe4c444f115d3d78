#pragma once

#include "store/segment/file_system.hpp"

#include <filesystem>

namespace ragstone::sqlite {

/// Makes a folder and its name durable.
void create_folders(segment::FileSystem& files, const std::filesystem::path& folder);

/// A store without its database is not a new one, whose segment files would be removed as nobody's.
/// Errors: Errc::not_found.
void refuse_lost_database(segment::FileSystem& files, const std::filesystem::path& folder);

}  // namespace ragstone::sqlite
