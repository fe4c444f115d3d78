#include "reader/dataset.hpp"

#include "reader/dataset_id.hpp"
#include "reader/file_stamp.hpp"
#include "reader/posix.hpp"
#include "reader/store_files.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

namespace ragstone {
namespace {

constexpr std::size_t kMaxIdBytes = 4096;                 // what Source allows
constexpr std::string_view kLostAndFound = "lost+found";  // a file system's own, and not to be opened

using Inode = std::pair<dev_t, ino_t>;
using Directory = std::unique_ptr<DIR, decltype([](DIR* directory) { ::closedir(directory); })>;

Inode inode_of(const struct stat& status) { return {status.st_dev, status.st_ino}; }

/// The path without links; empty with errno set if it leads nowhere.
std::string resolve(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr), &std::free);
  return resolved ? std::string(resolved.get()) : std::string();
}

const char* kind_of(mode_t mode) noexcept {
  if (S_ISFIFO(mode)) return "is a FIFO";
  if (S_ISSOCK(mode)) return "is a socket";
  return "is a device";
}

/// Walks the real tree first and follows links after it, smallest id first, so that what is found under which name
/// depends on the tree alone and not on the order in which the system lists it.
class Scan {
 public:
  Scan(std::string root, const std::function<bool(std::string_view)>& accepts, const StopToken& stop)
      : root_(std::move(root)), accepts_(accepts), stop_(stop) {}

  DatasetListing run() {
    walk({root_, ""});
    while (!links_.empty()) follow(links_.extract(links_.begin()));
    const auto by_id = [](const auto& a, const auto& b) { return a.id < b.id; };
    std::sort(listing_.files.begin(), listing_.files.end(), by_id);
    std::sort(listing_.problems.begin(), listing_.problems.end(), by_id);
    return std::move(listing_);
  }

 private:
  struct Place {
    std::string path;  // canonical, but for the last part of a link
    std::string id;
  };
  using Links = std::map<std::string, std::string>;

  void problem(const std::string& id, std::string reason) { listing_.problems.push_back({id, std::move(reason)}); }
  void unseen(const std::string& id, std::string reason) { listing_.problems.push_back({id, std::move(reason), true}); }

  void walk(Place start) {
    std::vector<Place> folders{std::move(start)};
    while (!folders.empty()) {
      const Place folder = std::move(folders.back());
      folders.pop_back();
      enter(folder, folders);
    }
  }

  /// Looks at everything directly in `folder`; folders in it go to `folders`.
  void enter(const Place& folder, std::vector<Place>& folders) {
    throw_if_stopped(stop_);
    FileDescriptor descriptor = open_without_links(folder.path, O_DIRECTORY);
    struct stat status {};
    if (!descriptor || ::fstat(descriptor.get(), &status) != 0) return cannot_open(folder.id, errno);
    if (!entered_.insert(inode_of(status)).second) return;
    const Directory directory(::fdopendir(descriptor.get()));
    if (!directory) return cannot_open(folder.id, errno);
    descriptor.release();  // closed by closedir()

    for (;;) {
      throw_if_stopped(stop_);
      errno = 0;
      const dirent* const entry = ::readdir(directory.get());
      if (!entry) break;
      if (entry->d_name[0] != '.') look_at(folder, entry->d_name, ::dirfd(directory.get()), folders);
    }
    if (errno != 0) unseen(folder.id, "cannot be read to its end: " + system_message(errno));
  }

  void cannot_open(const std::string& id, int error_number) {
    if (id.empty())
      throw Error(Errc::io_error, "scan dataset \"" + root_ + "\": cannot open: " + system_message(error_number));
    if (error_number != ENOENT) unseen(id, "cannot be opened: " + system_message(error_number));
  }

  void look_at(const Place& folder, const std::string& name, int folder_descriptor, std::vector<Place>& folders) {
    if (name == kLostAndFound || is_of_store(folder.path, name)) return;
    Place place{folder.path + (folder.path.back() == '/' ? "" : "/") + name,
                folder.id.empty() ? dataset_id(name) : folder.id + '/' + dataset_id(name)};
    if (place.path.size() >= PATH_MAX || place.id.size() > kMaxIdBytes) return unseen(place.id, "path is too long");
    struct stat status {};
    if (::fstatat(folder_descriptor, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) unseen(place.id, system_message(errno));
    } else if (S_ISDIR(status.st_mode)) {
      folders.push_back(std::move(place));
    } else if (S_ISLNK(status.st_mode)) {
      links_.emplace(std::move(place.id), std::move(place.path));
    } else if (!S_ISREG(status.st_mode)) {
      problem(place.id, kind_of(status.st_mode));
    } else if (!accepts_(place.id)) {
      ++listing_.ignored;
    } else {
      listed_.insert(inode_of(status));
      listing_.files.push_back({std::move(place.id), std::move(place.path), stamp_of(status)});
    }
  }

  void follow(Links::node_type link) {
    throw_if_stopped(stop_);
    const std::string& id = link.key();
    const std::string target = resolve(link.mapped());
    if (target.empty())
      return problem(id, errno == ENOENT ? "link leads nowhere" : "link cannot be followed: " + system_message(errno));
    if (!is_below_root(target)) return problem(id, "link leads out of the dataset");
    if (is_of_store(target)) return;
    struct stat status {};
    if (::lstat(target.c_str(), &status) != 0) {
      problem(id, "link cannot be followed: " + system_message(errno));
    } else if (S_ISDIR(status.st_mode)) {
      walk({target, id});
    } else if (!S_ISREG(status.st_mode)) {
      problem(id, kind_of(status.st_mode));
    } else if (!accepts_(id)) {
      ++listing_.ignored;
    } else if (listed_.insert(inode_of(status)).second) {
      listing_.files.push_back({id, target, stamp_of(status)});
    }
  }

  bool is_below_root(const std::string& path) const {
    if (path == root_ || root_ == "/") return true;
    return path.starts_with(root_) && path[root_.size()] == '/';
  }

  std::string root_;
  const std::function<bool(std::string_view)>& accepts_;
  const StopToken& stop_;
  std::set<Inode> entered_;
  std::set<Inode> listed_;
  Links links_;
  DatasetListing listing_;
};

}  // namespace

DatasetListing list_dataset(const std::filesystem::path& root, const std::function<bool(std::string_view)>& accepts,
                            const StopToken& stop) {
  const auto fail = [&](Errc code, const std::string& reason) {
    throw Error(code, "scan dataset \"" + root.native() + "\": " + reason);
  };
  std::string canonical = resolve(root.native());
  if (canonical.empty()) {
    const bool missing = errno == ENOENT || errno == ENOTDIR;
    fail(missing ? Errc::not_found : Errc::io_error, system_message(errno));
  }
  struct stat status {};
  if (::stat(canonical.c_str(), &status) != 0) fail(Errc::io_error, system_message(errno));
  if (!S_ISDIR(status.st_mode)) fail(Errc::invalid_argument, "is no folder; add a single file as a source");
  return Scan(std::move(canonical), accepts, stop).run();
}

}  // namespace ragstone
