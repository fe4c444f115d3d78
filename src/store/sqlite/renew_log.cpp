#include "store/sqlite/renew_log.hpp"

#include "store/sqlite/database.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <sqlite3.h>

namespace ragstone::sqlite {
namespace fs = std::filesystem;
namespace {

/// While it lives, nobody else has the database open: who reads a log would not notice that it has a new file.
class Alone {
 public:
  Alone(const fs::path& file, const char* vfs) : database_(file, OpenMode::write, vfs) {
    int code = sqlite3_file_control(database_.handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file_);
    if (code != SQLITE_OK) raise(code, database_.handle(), "Cannot find the database's file");
    code = file_->pMethods->xLock(file_, SQLITE_LOCK_SHARED);
    if (code == SQLITE_OK) code = file_->pMethods->xLock(file_, SQLITE_LOCK_EXCLUSIVE);
    if (code == SQLITE_OK) return;
    file_->pMethods->xUnlock(file_, SQLITE_LOCK_NONE);
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
  Database database_;
  sqlite3_file* file_ = nullptr;
};

}  // namespace

void renew_log(segment::FileSystem& files, const fs::path& database, const char* vfs) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  const fs::path log = database.string() + "-wal";
  const fs::path copy = log.string() + ".new";
  if (files.type_of(database) == segment::FileType::none) return;
  if (files.type_of(log) == segment::FileType::none) return;
  const Alone alone(database, vfs);
  if (files.is_taken(copy)) files.remove(copy);
  {
    const std::shared_ptr<const segment::Image> image = files.open(log, false);
    const std::string_view bytes(reinterpret_cast<const char*>(image->bytes().data()), image->bytes().size());
    const std::unique_ptr<segment::OutputFile> out = files.create(copy);
    for (std::size_t at = 0; at < bytes.size(); at += kPiece) out->write(at, bytes.substr(at, kPiece));
    out->sync();
  }
  files.rename(copy, log);
  files.sync_directory(database.parent_path());
}

}  // namespace ragstone::sqlite
