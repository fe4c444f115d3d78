#include "store/sqlite/renew_log.hpp"

#include "store/sqlite/database.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include <sqlite3.h>

namespace ragstone::sqlite {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::milliseconds kPause{10};

fs::path log_of(const fs::path& database) { return database.string() + "-wal"; }

fs::path copy_of(const fs::path& log) { return log.string() + ".new"; }

/// While it lives, nobody else has the database open: who reads a log would not notice that it has a new file.
class Alone {
 public:
  Alone(const fs::path& file, const char* vfs, std::chrono::milliseconds timeout)
      : database_(file, OpenMode::write, vfs) {
    int code = sqlite3_file_control(database_.handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file_);
    if (code != SQLITE_OK) raise(code, database_.handle(), "Cannot find the database's file");
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while ((code = lock()) == SQLITE_BUSY && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(kPause);
    if (code == SQLITE_OK) return;
    if (code == SQLITE_BUSY)
      throw Error(Errc::locked, "open store: a sync of \"" + file.string() +
                                    "-wal\" failed, so that it must be written anew, which cannot be done while others "
                                    "read the store; close it there");
    raise(code, database_.handle(), "Cannot lock the database");
  }
  ~Alone() { file_->pMethods->xUnlock(file_, SQLITE_LOCK_NONE); }
  Alone(const Alone&) = delete;
  Alone& operator=(const Alone&) = delete;

 private:
  /// All or nothing.
  int lock() {
    int code = file_->pMethods->xLock(file_, SQLITE_LOCK_SHARED);
    if (code == SQLITE_OK) code = file_->pMethods->xLock(file_, SQLITE_LOCK_EXCLUSIVE);
    if (code != SQLITE_OK) file_->pMethods->xUnlock(file_, SQLITE_LOCK_NONE);
    return code;
  }

  Database database_;
  sqlite3_file* file_ = nullptr;
};

void remove_or_leave(segment::FileSystem& files, const fs::path& file) noexcept {
  try {
    files.remove(file);
  } catch (const std::exception&) {
    // The next opening removes it.
  }
}

}  // namespace

void renew_log(segment::FileSystem& files, const fs::path& database, const char* vfs,
               std::chrono::milliseconds lock_timeout) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  const fs::path log = log_of(database);
  const fs::path copy = copy_of(log);
  if (files.type_of(database) == segment::FileType::none) return;
  if (files.type_of(log) == segment::FileType::none) return;
  const Alone alone(database, vfs, std::max(lock_timeout, kMomentaryLocks));
  try {
    const std::shared_ptr<const segment::Image> image = files.open(log, false);
    const std::string_view bytes(reinterpret_cast<const char*>(image->bytes().data()), image->bytes().size());
    const std::unique_ptr<segment::OutputFile> out = files.create(copy);
    // Who may not read the store may not read its log either.
    fs::permissions(copy, fs::status(log).permissions());
    for (std::size_t at = 0; at < bytes.size(); at += kPiece) out->write(at, bytes.substr(at, kPiece));
    out->sync();
    files.rename(copy, log);
  } catch (...) {
    remove_or_leave(files, copy);
    throw;
  }
  files.sync_directory(database.parent_path());
}

void remove_unfinished_log(segment::FileSystem& files, const fs::path& database) {
  files.remove(copy_of(log_of(database)));
}

}  // namespace ragstone::sqlite
