#include "store/sqlite/database.hpp"

#include <ragstone/base/error.hpp>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>

#include <sqlite3.h>

namespace ragstone::sqlite {
namespace fs = std::filesystem;
namespace {

// https://www.sqlite.org/fileformat2.html#walformat
constexpr sqlite3_int64 kLogHeader = 32;
constexpr sqlite3_int64 kLogSalt = 16;
constexpr sqlite3_int64 kFrameHeader = 24;
// Of its index in shared memory, whose numbers have the machine's order of bytes
// (https://www.sqlite.org/walformat.html, sections 2.1 and 4.1).
constexpr int kIndexRegion = 32 << 10;
constexpr std::size_t kIndexFrames = 16;

struct Closer {
  void operator()(sqlite3* db) const noexcept { sqlite3_close(db); }
};

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
};

/// SQLite refuses a symbolic link anywhere in the path; only the last name is to be refused.
std::string without_links(const fs::path& file) {
  std::error_code error;
  const fs::path folder = fs::canonical(file.has_parent_path() ? file.parent_path() : fs::path("."), error);
  return (error ? file : folder / file.filename()).native();
}

std::string immutable_uri(std::string_view file) {
  constexpr std::string_view plain = "/-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::string uri = "file:";
  for (const char c : file) {
    if (plain.find(c) != std::string_view::npos) {
      uri += c;
    } else {
      char escaped[4];
      std::snprintf(escaped, sizeof escaped, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
      uri += escaped;
    }
  }
  return uri + "?immutable=1";
}

/// Throws if a database could not be opened since SQLite, which does not say so, has no room for names in its folder.
void refuse_too_long(const std::string& path, const char* vfs) {
  constexpr std::string_view beside = "-journal";
  const sqlite3_vfs* const layer = sqlite3_vfs_find(vfs);
  if (layer == nullptr || path.size() + beside.size() <= static_cast<std::size_t>(layer->mxPathname)) return;
  const std::size_t most = static_cast<std::size_t>(layer->mxPathname) - beside.size();
  throw Error(Errc::io_error, "Cannot open the database " + path + ": the path is too long, SQLite takes " +
                                  std::to_string(most) + " bytes; take a folder with a shorter path");
}

int flags_of(OpenMode mode) {
  constexpr int common = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW;
  switch (mode) {
    case OpenMode::create:
      return common | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case OpenMode::write:
      return common | SQLITE_OPEN_READWRITE;
    case OpenMode::read:
      return common | SQLITE_OPEN_READONLY;
    case OpenMode::immutable:
      break;
  }
  return common | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
}

void set(sqlite3* db, int setting, int value) {
  if (const int code = sqlite3_db_config(db, setting, value, nullptr); code != SQLITE_OK)
    raise(code, db, "Cannot configure a connection");
}

void configure(sqlite3* db, OpenMode mode) {
  const bool writes = mode == OpenMode::create || mode == OpenMode::write;
  const std::pair<int, int> settings[] = {{SQLITE_DBCONFIG_DEFENSIVE, 1},
                                          {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                                          {SQLITE_DBCONFIG_DQS_DML, 0},
                                          {SQLITE_DBCONFIG_DQS_DDL, 0},
                                          {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
                                          {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
                                          {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
                                          {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
                                          {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, writes ? 0 : 1}};
  for (const auto& [setting, value] : settings) set(db, setting, value);
}

}  // namespace

struct Database::Connection {
  std::unique_ptr<sqlite3, Closer> db;
  std::unordered_map<std::string, Statement, TextHash, std::equal_to<>> statements;
};

Database::Database(const fs::path& file, OpenMode mode, const char* vfs, std::chrono::milliseconds lock_timeout)
    : connection_(std::make_unique<Connection>()) {
  const std::string path = without_links(file);
  sqlite3* db = nullptr;
  const int code =
      sqlite3_open_v2((mode == OpenMode::immutable ? immutable_uri(path) : path).c_str(), &db, flags_of(mode), vfs);
  connection_->db.reset(db);
  if (code != SQLITE_OK) refuse_too_long(path, vfs);
  if (code != SQLITE_OK) raise(code, db, "Cannot open the database " + path);
  // Without the right to write SQLite opens for reading instead, and the first change would fail.
  if (mode != OpenMode::read && mode != OpenMode::immutable && sqlite3_db_readonly(db, "main") == 1)
    raise(SQLITE_READONLY, db, "Cannot open the database for writing");
  configure(db, mode);
  set_lock_timeout(lock_timeout);
  // Debian builds SQLite with secure_delete on, which writes every freed page once more.
  execute("PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; PRAGMA secure_delete = OFF; PRAGMA temp_store = MEMORY");
}

Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

void Database::set_lock_timeout(std::chrono::milliseconds timeout) {
  const auto most = std::chrono::milliseconds(INT_MAX);
  sqlite3_busy_timeout(handle(), static_cast<int>(std::clamp(timeout, std::chrono::milliseconds(0), most).count()));
}

void Database::read_damaged() {
  // So SQLite's own shell recovers; a connection that reads changes nothing by it.
  set(handle(), SQLITE_DBCONFIG_DEFENSIVE, 0);
  set(handle(), SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1);
}

void Database::execute(const char* sql) {
  if (const int code = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr); code != SQLITE_OK)
    raise(code, handle(), "Cannot run SQL \"" + std::string(std::string_view(sql).substr(0, 60)) + "\"");
}

Statement& Database::statement(std::string_view sql) {
  auto found = connection_->statements.find(sql);
  if (found == connection_->statements.end())
    found = connection_->statements
                .emplace(std::piecewise_construct, std::forward_as_tuple(sql), std::forward_as_tuple(handle(), sql))
                .first;
  found->second.reset();
  return found->second;
}

bool Database::append_blob(const char* table, const char* column, std::int64_t row, std::uint64_t offset,
                           std::uint64_t size, std::string& to) {
  sqlite3_blob* opened = nullptr;
  const int code = sqlite3_blob_open(handle(), "main", table, column, row, 0, &opened);
  const std::unique_ptr<sqlite3_blob, int (*)(sqlite3_blob*)> blob(opened, &sqlite3_blob_close);
  if (code == SQLITE_ERROR) return false;  // No such row.
  if (code != SQLITE_OK) raise(code, handle(), "Cannot read a blob");
  const auto bytes = static_cast<std::uint64_t>(sqlite3_blob_bytes(opened));
  if (offset > bytes || size > bytes - offset) return false;
  std::string piece(size, '\0');
  const int read = sqlite3_blob_read(opened, piece.data(), static_cast<int>(size), static_cast<int>(offset));
  if (read != SQLITE_OK) raise(read, handle(), "Cannot read a blob");
  to += piece;
  return true;
}

void Database::sync_log() {
  sqlite3_file* const log = log_file();
  if (size_of(log) == 0) return;
  if (const int code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL); code != SQLITE_OK)
    raise(code, handle(), "Cannot sync the write-ahead log");
}

std::uint64_t Database::log_salt() {
  sqlite3_file* const log = log_file();
  if (log == nullptr || log->pMethods == nullptr) return 0;
  std::uint64_t salt = 0;
  const int code = log->pMethods->xRead(log, &salt, sizeof salt, kLogSalt);
  if (code == SQLITE_IOERR_SHORT_READ) return 0;
  if (code != SQLITE_OK) raise(code, handle(), "Cannot read the write-ahead log");
  return salt;
}

std::size_t Database::log_frames() {
  sqlite3_file* file = nullptr;
  const int found = sqlite3_file_control(handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (found != SQLITE_OK) raise(found, handle(), "Cannot find the database's file");
  void volatile* index = nullptr;
  const int code = file->pMethods->xShmMap(file, 0, kIndexRegion, 0, &index);
  if (code != SQLITE_OK) raise(code, handle(), "Cannot read the index of the write-ahead log");
  if (index == nullptr) return 0;
  return *reinterpret_cast<const std::uint32_t volatile*>(static_cast<const char volatile*>(index) + kIndexFrames);
}

void Database::rewrite_log(std::size_t frames) {
  constexpr sqlite3_int64 kPiece = 1 << 16;  // SQLite's layer takes less than 128 KiB.
  Statement& page_size = statement("PRAGMA page_size");
  page_size.step();
  const sqlite3_int64 frame = kFrameHeader + page_size.integer(0);
  page_size.reset();
  sqlite3_file* const log = log_file();
  const sqlite3_int64 size = size_of(log);
  std::string piece(static_cast<std::size_t>(kPiece), '\0');
  const auto durable = static_cast<sqlite3_int64>(frames);
  for (sqlite3_int64 at = durable == 0 ? 0 : kLogHeader + durable * frame; at < size; at += kPiece) {
    const int length = static_cast<int>(std::min(size - at, kPiece));
    int code = log->pMethods->xRead(log, piece.data(), length, at);
    if (code == SQLITE_OK) code = log->pMethods->xWrite(log, piece.data(), length, at);
    if (code != SQLITE_OK) raise(code, handle(), "Cannot write the write-ahead log again");
  }
}

sqlite3_file* Database::log_file() const {
  sqlite3_file* log = nullptr;
  const int code = sqlite3_file_control(handle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (code != SQLITE_OK) raise(code, handle(), "Cannot find the write-ahead log");
  return log;
}

std::int64_t Database::size_of(sqlite3_file* log) const {
  if (log == nullptr || log->pMethods == nullptr) return 0;
  sqlite3_int64 size = 0;
  const int code = log->pMethods->xFileSize(log, &size);
  if (code != SQLITE_OK) raise(code, handle(), "Cannot read the size of the write-ahead log");
  return size;
}

std::int64_t Database::changes() const noexcept { return sqlite3_changes64(handle()); }

std::int64_t Database::last_row_id() const noexcept { return sqlite3_last_insert_rowid(handle()); }

bool Database::in_transaction() const noexcept { return sqlite3_get_autocommit(handle()) == 0; }

sqlite3* Database::handle() const noexcept { return connection_->db.get(); }

Interruption::Interruption(Database& database, const StopToken& stop) : database_(database) {
  // About every 10 us of work: a virtual machine instruction takes a few nanoseconds to a microsecond.
  constexpr int kInstructions = 1000;
  const auto stopped = [](void* token) { return static_cast<const StopToken*>(token)->stop_requested() ? 1 : 0; };
  sqlite3_progress_handler(database.handle(), kInstructions, stopped, const_cast<StopToken*>(&stop));
}

Interruption::~Interruption() { sqlite3_progress_handler(database_.handle(), 0, nullptr, nullptr); }

Transaction::Transaction(Database& database) : database_(database) {
  // One that could not be rolled back, for want of memory, must not become part of this one.
  if (database_.in_transaction()) database_.execute("ROLLBACK");
  database_.statement("BEGIN IMMEDIATE").run();
}

Transaction::~Transaction() {
  // A full disk or a failed write may have rolled back already. If the rollback fails as well, SQLite keeps the
  // connection from reading what is half written, and rolls back from its journal or log.
  if (database_.in_transaction()) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() { database_.statement("COMMIT").run(); }

}  // namespace ragstone::sqlite
