#include "store/sqlite/error.hpp"

#include <ragstone/base/error.hpp>

#include <cerrno>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>

#include <boost/system/errc.hpp>
#include <sqlite3.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace ragstone::sqlite {
namespace {

struct Meaning {
  Errc code;
  const char* way_out;
};

bool is_full(int code, int system_error) {
  // SHMSIZE: the index of the log could not be allocated, which SQLite reports without the system's error.
  return system_error == ENOSPC || system_error == EDQUOT || code == SQLITE_IOERR_SHMSIZE;
}

/// A log that could not be made is then looked for, so that SQLite tells of the looking: whether there was room to make
/// it must be asked.
bool is_without_room(int system_error, const char* file) {
  struct statvfs disk {};
  if (system_error != ENOENT || file == nullptr || *file == '\0' || ::statvfs(file, &disk) != 0) return false;
  if ((disk.f_flag & ST_RDONLY) != 0) return false;
  return disk.f_bavail == 0 || (disk.f_files > 0 && disk.f_favail == 0);
}

/// Whether a connection only reads, in a folder where SQLite may not make the files that it needs beside a database.
bool only_reads_in_closed_folder(sqlite3* db, const char* file) {
  return db && file && sqlite3_db_readonly(db, "main") == 1 &&
         ::access(std::filesystem::path(file).parent_path().c_str(), W_OK) != 0;
}

/// See Database::read_damaged().
bool reads_damaged(sqlite3* db) {
  int is_on = 0;
  return db && sqlite3_db_config(db, SQLITE_DBCONFIG_WRITABLE_SCHEMA, -1, &is_on) == SQLITE_OK && is_on != 0;
}

Meaning meaning_of(int code, sqlite3* db, int system_error, const char* file) {
  constexpr Meaning full{Errc::storage_full, "free some space and repeat; nothing acknowledged was lost"};
  constexpr Meaning damaged{Errc::corrupt_store, "verify the store, then recover it or restore a backup"};
  constexpr Meaning internal{Errc::internal, "please report this"};
  constexpr Meaning closed_folder{
      Errc::io_error,
      "its folder may not be written, as it must be to read beside a writer: open a store that was closed with "
      "StoreAccess::immutable, and of another one a copy that may be written"};
  switch (code & 0xff) {
    case SQLITE_FULL:
      return full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_CONSTRAINT:  // What a store writes fits the rows of a sound database.
      return damaged;
    case SQLITE_ERROR:  // No such table, for one.
      return reads_damaged(db) ? damaged : internal;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return {Errc::locked, "close the other connection, or repeat"};
    case SQLITE_IOERR:
      if (is_full(code, system_error)) return full;
      return {Errc::io_error, "check the medium, then open the store again"};
    case SQLITE_CANTOPEN:
      if (is_full(code, system_error) || is_without_room(system_error, file)) return full;
      if (only_reads_in_closed_folder(db, file)) return closed_folder;
      return {Errc::io_error, "check that the folder exists and may be written"};
    case SQLITE_READONLY:
      if (code != SQLITE_READONLY && only_reads_in_closed_folder(db, file)) return closed_folder;
      [[fallthrough]];
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_NOLFS:
      return {Errc::io_error, "check the permissions of the file and its folder"};
    case SQLITE_TOOBIG:
      return {Errc::limit_exceeded, "store it in smaller pieces"};
    default:
      return internal;
  }
}

}  // namespace

void raise(int code, sqlite3* db, std::string_view operation) {
  if ((code & 0xff) == SQLITE_NOMEM) throw std::bad_alloc();
  if ((code & 0xff) == SQLITE_INTERRUPT)
    throw boost::system::system_error(boost::system::errc::make_error_code(boost::system::errc::operation_canceled));

  const int system_error = db ? sqlite3_system_errno(db) : 0;
  const char* const file = db ? sqlite3_db_filename(db, "main") : nullptr;
  const Meaning meaning = meaning_of(code, db, system_error, file);
  std::string message(operation);
  if (file && *file) message += std::string(" in ") + file;
  message += std::string(": ") + sqlite3_errstr(code);
  // The connection may have moved on to another error; its text belongs to this one only if the codes agree.
  if (db && sqlite3_extended_errcode(db) == code && sqlite3_errmsg(db) != std::string_view(sqlite3_errstr(code)))
    message += std::string(", ") + sqlite3_errmsg(db);
  const int family = code & 0xff;
  if (system_error != 0 && (family == SQLITE_IOERR || family == SQLITE_CANTOPEN))
    message += ", " + std::generic_category().message(system_error);
  message += " (SQLite " + std::to_string(code) + "); " + meaning.way_out;
  throw Error(meaning.code, message);
}

}  // namespace ragstone::sqlite
