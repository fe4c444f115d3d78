#pragma once

#include "store/segment/part.hpp"
#include <ragstone/base/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

namespace ragstone::segment {

/// What an error number of the system means to who stores something: Errc::storage_full or Errc::io_error.
Errc medium_errc(int error) noexcept;

/// What a name stands for.
enum class FileType { none, directory, other };

/// A file being written. Errors of all functions: Errc::storage_full, Errc::io_error, std::bad_alloc.
class OutputFile {
 public:
  virtual ~OutputFile() = default;  ///< Closes; what was not synced may be lost.
  virtual void write(std::uint64_t offset, std::string_view bytes) = 0;
  /// Returns when everything written is on the medium.
  virtual void sync() = 0;
};

/// What a store does with files other than its databases. Tests put another one in place to make calls fail, and to
/// lose what was not synced. Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  /// Errors: Errc::already_exists.
  virtual std::unique_ptr<OutputFile> create(const std::filesystem::path& path) = 0;
  virtual void rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  /// A missing file is no error.
  virtual void remove(const std::filesystem::path& path) = 0;
  /// Of what a link leads to. None also where a folder of the path is missing, or is no folder.
  virtual FileType type_of(const std::filesystem::path& path) = 0;
  /// True also for a link that leads nowhere.
  virtual bool is_taken(const std::filesystem::path& path) = 0;
  /// No error if it is there already.
  virtual void create_directory(const std::filesystem::path& path) = 0;
  /// Makes the names in a folder durable.
  virtual void sync_directory(const std::filesystem::path& path) = 0;
  /// The names of the files in a folder.
  virtual std::vector<std::string> list(const std::filesystem::path& folder) = 0;
  /// The whole file, mapped, or read into memory. Errors: Errc::not_found, Errc::io_error.
  virtual std::shared_ptr<const Image> open(const std::filesystem::path& path, bool map) = 0;
};

std::shared_ptr<FileSystem> posix_file_system();

}  // namespace ragstone::segment
