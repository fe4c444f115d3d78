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

  /// Whether a sync of the store's log failed, in this process or in one before it, and nothing has made up for it. The
  /// lock's file holds that, unsynced: the doubt is about what the system has in memory, and ends with it.
  bool doubts_log() const noexcept { return doubts_log_; }
  void doubt_log(bool doubted) noexcept;

 private:
  explicit FolderLock(const std::filesystem::path& file);
  void write_mark() noexcept;

  const std::filesystem::path path_;
  const pid_t process_ = getpid();
  int file_ = -1;
  bool doubts_log_ = false;
};

}  // namespace ragstone::sqlite
