#include "store/sqlite/store_folder.hpp"

#include "store/sqlite/access.hpp"
#include "store/sqlite/engine.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

#include <unistd.h>

namespace ragstone::sqlite {

void create_folders(segment::FileSystem& files, const std::filesystem::path& folder) {
  const std::filesystem::path parent = folder.has_parent_path() ? folder.parent_path() : ".";
  if (files.type_of(folder) != segment::FileType::directory) {
    create_folders(files, parent);
    files.create_directory(folder);
  } else {
    // It is synced too: who made it may have crashed before that. A parent that must not be read is another user's.
    if (::access(parent.c_str(), R_OK) != 0 && errno == EACCES) return;
  }
  files.sync_directory(parent);
}

void refuse_lost_database(segment::FileSystem& files, const std::filesystem::path& folder) {
  const std::filesystem::path database = folder / kDatabaseFile;
  std::error_code missing;
  const std::uintmax_t size = std::filesystem::file_size(database, missing);
  if (!missing && size > 0) return;
  const std::vector<std::string> parts = files.list(folder / kPartFolder);
  const bool has_parts = std::any_of(parts.begin(), parts.end(), [](const std::string& name) {
    return name.starts_with("part-") && name.ends_with(".seg");
  });
  if (has_parts || has_log(folder))
    throw Error(Errc::not_found, "open store: \"" + database.string() +
                                     "\" is missing or empty, but other files of the store are there; put it back, or "
                                     "name another folder");
}

}  // namespace ragstone::sqlite
