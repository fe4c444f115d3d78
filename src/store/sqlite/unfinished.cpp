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
      target_(std::move(target)),
      path_(target_.string() + ".unfinished"),
      lock_(path_.string() + ".lock"),
      what_(std::move(what) + " \"" + target_.string() + "\"") {
  refuse_existing();
  claim();
  try {
    // It may have been finished meanwhile.
    refuse_existing();
    remove_or_leave(path_);
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
    files_.sync_directory(target_.has_parent_path() ? target_.parent_path() : ".");
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

void Unfinished::refuse_existing() const {
  if (files_.is_taken(target_)) throw Error(Errc::already_exists, what_ + ": it exists; name another one");
}

}  // namespace ragstone::sqlite
