#pragma once

#include "store/sqlite/error.hpp"
#include "store/sqlite/statement.hpp"
#include <ragstone/base/stop.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_file;

namespace ragstone::sqlite {

enum class OpenMode {
  create,     ///< Read and write; made if it is not there.
  write,      ///< Read and write; must be there.
  read,       ///< Read beside a writer.
  immutable,  ///< Read a file that nobody changes, without locks: it may be on a read-only medium.
};

/// SQLite locks a database for moments while another connection is opened or closed, or reads what a crash left in the
/// log. For these whoever opens a store waits so long at least.
inline constexpr std::chrono::milliseconds kMomentaryLocks{5000};

/// One connection to an SQLite database. Movable; not thread-safe; statements and transactions end before it.
///
/// A database is data, never code: extensions, triggers, views and application-defined functions in the schema are off,
/// and so is SQLite's own mapping of files. The file itself must not be a symbolic link.
class Database {
 public:
  /// `vfs`: the name of a registered file layer; null: the default one. `lock_timeout`: see set_lock_timeout(). Errors:
  /// see raise().
  Database(const std::filesystem::path& file, OpenMode mode, const char* vfs = nullptr,
           std::chrono::milliseconds lock_timeout = {});
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  /// How long a statement waits for locks of other connections before it fails with Errc::locked.
  void set_lock_timeout(std::chrono::milliseconds timeout);

  /// From now on reads what there is of a damaged database, where SQLite refuses all of it otherwise: of a file that is
  /// shorter than its header says, or a schema of which some cannot be read. A missing table is Errc::corrupt_store
  /// then.
  void read_damaged();

  /// Runs one statement or several.
  void execute(const char* sql);
  /// Prepared once for each text, and returned reset and unbound. A text must not be asked for again while its rows are
  /// being read.
  Statement& statement(std::string_view sql);
  /// Appends some bytes of the blob in a row of that number to `to`, without reading the bytes before them. False, and
  /// nothing is appended, where the row is missing or its blob too short.
  bool append_blob(const char* table, const char* column, std::int64_t row, std::uint64_t offset, std::uint64_t size,
                   std::string& to);

  // Of the write-ahead log; the database must have been read in WAL mode.
  /// Has what it holds survive a loss of power.
  void sync_log();
  /// What its header says that no other log of the database says: it changes when the log begins anew. 0: no log.
  std::uint64_t log_salt();
  /// How many of its frames are valid and committed.
  std::size_t log_frames();
  /// Writes what follows its first frames again as it is read, for the next sync. Where a sync failed, the system may
  /// never write what it was told before, though it still shows it, and reports success from then on: commits behind
  /// such a gap would be lost with power.
  void rewrite_log(std::size_t frames);

  /// Rows that the last INSERT, UPDATE or DELETE changed.
  std::int64_t changes() const noexcept;
  std::int64_t last_row_id() const noexcept;
  bool in_transaction() const noexcept;

  sqlite3* handle() const noexcept;

 private:
  /// The write-ahead log; null, or without methods, where none is open.
  sqlite3_file* log_file() const;
  std::int64_t size_of(sqlite3_file* log) const;

  struct Connection;
  std::unique_ptr<Connection> connection_;
};

/// While it lives, statements of the connection that run long end with the cancellation error once `stop` asks for it.
class Interruption {
 public:
  /// Both outlive it.
  Interruption(Database& database, const StopToken& stop);
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

 private:
  Database& database_;
};

/// A writing transaction: begun at once (BEGIN IMMEDIATE), rolled back unless it was committed.
class Transaction {
 public:
  /// Errors: Errc::locked while another connection writes.
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// If it throws, the destructor rolls back and the changes are gone; but after a crash that follows they may be
  /// there, all of them, because they may have reached the log.
  void commit();

 private:
  Database& database_;
};

}  // namespace ragstone::sqlite
