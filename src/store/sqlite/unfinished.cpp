#include "store/sqlite/unfinished.hpp"

#include "store/sqlite/folder_lock.hpp"
#include <ragstone/base/error.hpp>

#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace ragstone::sqlite {
namespace {

/// Without slashes at its end: a name behind them would be one in the target.
std::filesystem::path without_slashes(std::filesystem::path path) {
  while (!path.has_filename() && path.has_relative_path()) path = path.parent_path();
  return path;
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : ".";
}

/// What is left is removed by whoever makes the same the next time.
void remove_or_leave(const std::filesystem::path& path) noexcept {
  try {
    std::filesystem::remove_all(path);
  } catch (const std::exception&) {
  }
}

}  // namespace

Unfinished::Unfinished(segment::FileSystem& files, std::filesystem::path target, std::string what)
    : files_(files),
      target_(without_slashes(std::move(target))),
      path_(target_.string() + ".unfinished"),
      lock_(path_.string() + ".lock"),
      what_(std::move(what) + " \"" + target_.string() + "\"") {
  if (target_.empty()) throw Error(Errc::invalid_argument, what_ + ": the path is empty; name what is to be made");
  refuse_existing();
  if (files_.type_of(folder_of(target_)) != segment::FileType::directory)
    throw Error(Errc::io_error, what_ + ": there is no folder \"" + folder_of(target_).string() + "\"; make it first");
  claim();
  try {
    // It may have been finished meanwhile.
    refuse_existing();
    remove_left();
    files_.create_directory(path_);
  } catch (...) {
    give_up();
    throw;
  }
}

Unfinished::~Unfinished() { give_up(); }

void Unfinished::give_up() noexcept {
  remove_or_leave(path_);
  ::unlink(lock_.c_str());
  ::close(claim_);
}

void Unfinished::become_target(const std::filesystem::path& made) {
  refuse_existing();
  files_.rename(made, target_);
  try {
    files_.sync_directory(folder_of(target_));
  } catch (...) {
    remove_or_leave(target_);
    throw;
  }
}

void Unfinished::claim() {
  for (;;) {
    claim_ = ::open(lock_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (claim_ >= 0 && flock(claim_, LOCK_EX | LOCK_NB) == 0) {
      // Whoever held the lock may have removed the file since it was opened.
      if (is_still_there(claim_, lock_)) return;
      ::close(claim_);
      continue;
    }
    const int error = errno;
    if (claim_ >= 0) ::close(claim_);
    if (error == EINTR) continue;
    if (error == EWOULDBLOCK)
      throw Error(Errc::locked, what_ + ": it is being made already; wait until that is done, or name another one");
    throw Error(segment::medium_errc(error),
                what_ + ": \"" + lock_.string() + "\": " + std::error_code(error, std::generic_category()).message());
  }
}

void Unfinished::remove_left() const {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  if (error)
    throw Error(segment::medium_errc(error.value()), what_ + ": cannot remove \"" + path_.string() +
                                                         "\", which another one left: " + error.message() +
                                                         "; remove it, or name another one");
}

void Unfinished::refuse_existing() const {
  if (files_.is_taken(target_)) throw Error(Errc::already_exists, what_ + ": it exists; name another one");
}

}  // namespace ragstone::sqlite
