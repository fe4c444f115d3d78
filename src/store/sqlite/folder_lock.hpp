#pragma once

#include <chrono>
#include <filesystem>

#include <unistd.h>

namespace ragstone::sqlite {

/// Whether a file that was opened is still what its path names.
bool is_still_there(int file, const std::filesystem::path& path) noexcept;

/// The right to write to a store's folder, held by one process at a time, and once in it; released by the destructor
/// and by the end of the process.
class FolderLock {
 public:
  /// Errors: Errc::locked, naming the process that has it, or telling that it is this one, if it is not free within
  /// `timeout`; Errc::io_error.
  FolderLock(const std::filesystem::path& file, std::chrono::milliseconds timeout);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  /// False once the folder was moved or replaced, or the lock's file removed: what its path names is then another's.
  bool is_held() const noexcept { return is_still_there(file_, path_); }
  /// Errors: Errc::io_error, telling what to do, unless it is held.
  void expect_held(const char* operation) const;

 private:
  explicit FolderLock(const std::filesystem::path& file);

  const std::filesystem::path path_;
  const pid_t process_ = getpid();
  int file_ = -1;
};

}  // namespace ragstone::sqlite
