#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone::test {

/// One change that programs made to a disk, or a promise that they asked of it.
struct DiskChange {
  enum class Kind { create, write, truncate, sync, failed_sync, remove, rename, make_directory, sync_directory };
  Kind kind = Kind::write;
  std::size_t file = 0;      ///< create, write, truncate, sync, failed_sync.
  std::uint64_t offset = 0;  ///< write: where; truncate: the new size.
  std::string bytes = {};    ///< write.
  std::string path = {};     ///< Below the root: create, remove, rename (from), make_directory, sync_directory.
  std::string to = {};       ///< rename.
};

/// Applies a change of names.
void apply_name(const DiskChange& change, std::map<std::string, std::size_t>& names);
bool changes_names(const DiskChange& change);

/// Notes all changes below a folder, in order, so that DiskReplay can tell what could be on the disk after a power
/// loss. Files are known by a number, as by an inode: it stays through renames. Thread-safe.
class PowerLossDisk {
 public:
  static constexpr std::size_t kOutside = 0;  ///< The number of files that are not below the root.

  /// What is below `root` now counts as durable.
  explicit PowerLossDisk(const std::filesystem::path& root);

  /// A copy of the other's folder when it had made that many changes, which goes on after a crash that spared the
  /// system's cache. `root` is an image of it, with what was not synced kept.
  PowerLossDisk(const PowerLossDisk& before, std::size_t position, const std::filesystem::path& root);

  std::size_t opened(const std::filesystem::path& path);   ///< The number of a file that is there.
  std::size_t created(const std::filesystem::path& path);  ///< The number of a new, empty file.
  void written(std::size_t file, std::uint64_t offset, std::string_view bytes);
  void truncated(std::size_t file, std::uint64_t size);
  void synced(std::size_t file);
  void sync_failed(std::size_t file);
  void removed(const std::filesystem::path& path);
  void renamed(const std::filesystem::path& from, const std::filesystem::path& to);
  void directory_made(const std::filesystem::path& path);
  void directory_synced(const std::filesystem::path& path);

  /// The number of changes so far.
  std::size_t position() const;
  /// Where changes of a kind were made.
  std::vector<std::size_t> positions_of(DiskChange::Kind kind) const;

 private:
  friend class DiskReplay;

  std::optional<std::string> below_root(const std::filesystem::path& path) const;
  void add(DiskChange change);

  mutable std::mutex mutex_;
  std::filesystem::path root_;
  std::deque<DiskChange> changes_;                  ///< References stay valid.
  std::map<std::string, std::size_t> names_;        ///< As programs see them; 0: a folder.
  std::map<std::string, std::size_t> first_names_;  ///< When recording began.
  std::map<std::size_t, std::string> first_bytes_;
  std::size_t files_ = 0;
};

/// Makes folders as they could be after a power loss: what was synced is there; of the rest any part, in any order.
///
/// Contents: each sector of 512 bytes holds what it held after some write since the last sync of its file, and the size
/// is one that the file had since then. What a failed sync should have saved is lost even if a later sync succeeds, as
/// it is on Linux. Names: a folder that was not synced shows an earlier state of each name; a rename happened or did
/// not.
class DiskReplay {
 public:
  explicit DiskReplay(const PowerLossDisk& disk);

  /// Goes forward to where the disk had made that many changes.
  void advance(std::size_t position);

  enum class Unsynced { kept, lost, mixed };
  /// Writes an image into an empty or missing folder. The same seed gives the same image.
  void write_image(const std::filesystem::path& folder, Unsynced unsynced, std::uint64_t seed) const;

 private:
  struct File {
    std::string bytes;                        ///< At the last sync.
    std::vector<const DiskChange*> unsynced;  ///< Since.
  };

  std::map<std::string, std::size_t> names_after(Unsynced unsynced, std::uint64_t seed) const;
  static std::string bytes_after(const File& file, Unsynced unsynced, std::uint64_t seed);

  const PowerLossDisk& disk_;
  std::size_t position_ = 0;
  std::map<std::size_t, File> files_;
  std::map<std::string, std::size_t> names_;     ///< Durable.
  std::vector<const DiskChange*> name_changes_;  ///< Not durable.
};

}  // namespace ragstone::test
