#pragma once

#include <ragstone/base/source.hpp>
#include <ragstone/base/stop.hpp>
#include <ragstone/store/commit.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace ragstone {

/// A regular file found in a dataset.
struct DatasetFile {
  std::string id;    ///< dataset_id() of the path below the dataset, '/' between its parts.
  std::string path;  ///< Absolute and without links.
  FileStamp stamp;
};

/// Something in a dataset that can't be read: a folder without permission, a FIFO, a link that leads nowhere or out.
struct DatasetProblem {
  std::string id;
  std::string reason;
  bool may_hold_files = false;  ///< A folder, or what may be one: what is below it is unknown, not gone.
};

struct DatasetListing {
  std::vector<DatasetFile> files;  ///< Ascending by id.
  std::vector<DatasetProblem> problems;
  std::uint64_t ignored = 0;  ///< Regular files that no reader accepts.
};

/// Lists the regular files below `root` for which `accepts(id)` holds. Names that begin with a dot are left out, below
/// the root only, and so are the files of stores (is_of_store()) and `lost+found`. Links are followed as long as they
/// stay below the root; a folder is entered once and a link adds no second entry for a file that is listed, so that
/// what a link shows appears under its own name unless that is hidden. Nothing below the root ends the scan; what
/// vanishes meanwhile is left out. Blocking: for pool threads. Errors: Errc::not_found if `root` does not exist;
/// Errc::invalid_argument if it is no folder; Errc::io_error if it can't be opened.
DatasetListing list_dataset(const std::filesystem::path& root, const std::function<bool(std::string_view)>& accepts,
                            const StopToken& stop);

/// A file's bytes and the stamp that they had.
struct LoadedFile {
  std::string bytes;
  FileStamp stamp;
};

/// Reads a whole file; repeats once if it changed while it was read. Never opens anything but a regular file, and
/// follows no link anywhere in `path` (list_dataset() gives paths without any).
/// Errors: Errc::not_found; Errc::invalid_argument (a file of a store); Errc::io_error (unreadable, no regular file, a
/// link); Errc::limit_exceeded (larger than `max_bytes`); Errc::transient (still changing).
LoadedFile load_file(const std::filesystem::path& path, std::uint64_t max_bytes, const StopToken& stop);

}  // namespace ragstone
