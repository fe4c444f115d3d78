#pragma once

#include <chrono>
#include <filesystem>

#include <unistd.h>

namespace ragstone::sqlite {

/// The right to write to a store's folder, held by one process at a time, and once in it; released by the destructor
/// and by the end of the process.
class FolderLock {
 public:
  /// Errors: Errc::locked, naming the process that has it, if it is not free within `timeout`; Errc::io_error.
  FolderLock(const std::filesystem::path& file, std::chrono::milliseconds timeout);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  const pid_t process_ = getpid();
  int file_ = -1;
};

}  // namespace ragstone::sqlite
