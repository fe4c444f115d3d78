#include "support/sqlite_peer.hpp"

#include <stdexcept>

#include <sqlite3.h>

namespace ragstone::bench {
namespace {

[[noreturn]] void fail(sqlite3* db, const std::string& what) {
  throw std::runtime_error("SQLite: " + what + ": " + (db ? ::sqlite3_errmsg(db) : "no memory"));
}

sqlite3_stmt* prepare(sqlite3* db, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (::sqlite3_prepare_v3(db, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
    fail(db, sql);
  return statement;
}

void run(sqlite3_stmt* statement) {
  if (::sqlite3_step(statement) != SQLITE_DONE) fail(::sqlite3_db_handle(statement), ::sqlite3_sql(statement));
  ::sqlite3_reset(statement);
}

}  // namespace

std::string PlainRow::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(::sqlite3_column_text(statement_, column));
  return bytes ? bytes : "";
}

std::int64_t PlainRow::integer(int column) const { return ::sqlite3_column_int64(statement_, column); }

void PlainDatabase::Close::operator()(sqlite3* db) const noexcept { ::sqlite3_close(db); }

PlainDatabase::PlainDatabase(const std::filesystem::path& path, Access access) {
  const int flags = access == Access::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* db = nullptr;
  const int code = ::sqlite3_open_v2(path.c_str(), &db, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  db_.reset(db);
  if (code != SQLITE_OK) fail(db, "open " + path.string());
}

void PlainDatabase::execute(const std::string& sql) {
  if (::sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail(db_.get(), sql);
}

void PlainDatabase::each(const std::string& sql, const std::function<void(const PlainRow&)>& visit) {
  sqlite3_stmt* statement = prepare(db_.get(), sql);
  int code = SQLITE_OK;
  while ((code = ::sqlite3_step(statement)) == SQLITE_ROW) visit(PlainRow(statement));
  ::sqlite3_finalize(statement);
  if (code != SQLITE_DONE) fail(db_.get(), sql);
}

SqlitePeer::SqlitePeer(const std::filesystem::path& path, Kind kind) : database_(path, PlainDatabase::Access::write) {
  database_.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=OFF;");
  database_.execute(kind == Kind::plain ? "CREATE TABLE t(id TEXT PRIMARY KEY, text TEXT)"
                                        : "CREATE VIRTUAL TABLE t USING fts5(id UNINDEXED, text)");
  begin_ = prepare(database_.handle(), "BEGIN IMMEDIATE");
  insert_ = prepare(database_.handle(), "INSERT INTO t(id, text) VALUES(?1, ?2)");
  commit_ = prepare(database_.handle(), "COMMIT");
}

SqlitePeer::~SqlitePeer() {
  for (sqlite3_stmt* statement : {begin_, insert_, commit_}) ::sqlite3_finalize(statement);
}

void SqlitePeer::insert(std::string_view id, std::string_view text) {
  ::sqlite3_bind_text(insert_, 1, id.data(), static_cast<int>(id.size()), SQLITE_STATIC);
  ::sqlite3_bind_text(insert_, 2, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  run(insert_);
}

void SqlitePeer::add(const std::vector<std::pair<std::string, std::string>>& texts) {
  run(begin_);
  for (const auto& [id, text] : texts) insert(id, text);
  run(commit_);
}

void SqlitePeer::add(std::string_view id, std::string_view text) {
  run(begin_);
  insert(id, text);
  run(commit_);
}

}  // namespace ragstone::bench
