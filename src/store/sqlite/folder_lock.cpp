#include "store/sqlite/folder_lock.hpp"

#include "store/segment/file_system.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ragstone::sqlite {
namespace {

constexpr std::chrono::milliseconds kPause{10};

[[noreturn]] void fail(const std::filesystem::path& file, const char* operation) {
  const int error = errno;
  throw Error(segment::medium_errc(error),
              std::string(operation) + " \"" + file.string() + "\": " + std::generic_category().message(error));
}

/// What the holder writes: its process number, and a time that tells it from a process that has the same number in
/// another container.
std::string own_mark() {
  static const auto begin = std::chrono::system_clock::now().time_since_epoch().count();
  return std::to_string(getpid()) + '\n' + std::to_string(begin) + '\n';
}

constexpr std::string_view kDoubt = "a sync failed\n";

std::string mark_in(int file) {
  char bytes[96];
  return std::string(bytes, static_cast<std::size_t>(std::max<ssize_t>(pread(file, bytes, sizeof bytes, 0), 0)));
}

/// Who has the lock, and what to do about it.
std::string told_holder(int file) {
  const std::string mark = mark_in(file);
  if (mark.starts_with(own_mark()))
    return "this process itself has it open; close the Document or engine that has it, and drop no Document unclosed";
  const std::string number = mark.substr(0, mark.find_first_not_of("0123456789"));
  return "it is locked by " + (number.empty() ? "another process" : "process " + number) +
         "; close it there, raise lock_timeout, or open it read-only";
}

int open_lock(const std::filesystem::path& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (file < 0) fail(path, "open store for writing: lock file");
  return file;
}

}  // namespace

bool is_still_there(int file, const std::filesystem::path& path) noexcept {
  struct stat opened = {};
  struct stat named = {};
  return fstat(file, &opened) == 0 && stat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

FolderLock::FolderLock(const std::filesystem::path& path) : path_(path), file_(open_lock(path)) {}

// What throws here runs the destructor: the object is made by the other constructor.
FolderLock::FolderLock(const std::filesystem::path& path, std::chrono::milliseconds timeout) : FolderLock(path) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    if (flock(file_, LOCK_EX | LOCK_NB) == 0) {
      if (is_held()) break;
      // Removed meanwhile: who comes next would lock another file of that name.
      close(std::exchange(file_, -1));
      file_ = open_lock(path);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) fail(path, "lock");
    if (std::chrono::steady_clock::now() >= deadline)
      throw Error(Errc::locked,
                  "open store \"" + path.parent_path().string() + "\" for writing: " + told_holder(file_));
    std::this_thread::sleep_for(kPause);
  }
  // Behind it there may be the end of a longer mark.
  doubts_log_ = mark_in(file_).find(kDoubt) != std::string::npos;
  write_mark();
}

void FolderLock::write_mark() noexcept {
  try {
    const std::string mark = own_mark() + std::string(doubts_log_ ? kDoubt : "");
    // The doubt is never cut off before it is written again.
    if (pwrite(file_, mark.data(), mark.size(), 0) < 0 || ftruncate(file_, static_cast<off_t>(mark.size())) != 0) {
      // Only the message of a second writer is poorer for it, and the doubt about a log on a medium that fails.
    }
  } catch (const std::exception&) {
    // The same.
  }
}

void FolderLock::doubt_log(bool doubted) noexcept {
  if (doubted == doubts_log_) return;
  doubts_log_ = doubted;
  write_mark();
}

FolderLock::~FolderLock() {
  if (file_ < 0) return;
  // A forked process that still has the file open would keep the lock otherwise.
  if (getpid() == process_) flock(file_, LOCK_UN);
  close(file_);
}

void FolderLock::expect_held(const char* operation) const {
  if (!is_held())
    throw Error(Errc::io_error, std::string(operation) + ": the folder \"" + path_.parent_path().string() +
                                    "\" is not the one that was opened any more: it was moved or replaced, or its " +
                                    "lock file removed; put it back, or close the store and open it anew");
}

}  // namespace ragstone::sqlite
