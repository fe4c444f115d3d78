#include "store/sqlite/statement.hpp"

#include "store/sqlite/error.hpp"
#include <ragstone/base/error.hpp>

#include <climits>
#include <new>
#include <string>

#include <sqlite3.h>

namespace ragstone::sqlite {
namespace {

/// Tells statements apart in messages without their values, which are bound.
std::string described(const char* sql) {
  constexpr std::size_t kShown = 60;
  const std::string_view text(sql ? sql : "");
  return "SQL \"" + std::string(text.substr(0, kShown)) + (text.size() > kShown ? "...\"" : "\"");
}

}  // namespace

Statement::Statement(sqlite3* db, std::string_view sql) : db_(db) {
  if (sql.size() > INT_MAX) throw Error(Errc::internal, "Cannot prepare a statement: its text is too long");
  const int code =
      sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  // The text is the program's own: what it does not fit are the tables.
  if (code == SQLITE_ERROR)
    throw Error(Errc::corrupt_store, "Cannot prepare " + described(std::string(sql).c_str()) + ": " +
                                         sqlite3_errmsg(db) + "; verify the store, then recover it");
  if (code != SQLITE_OK) raise(code, db, "Cannot prepare " + described(std::string(sql).c_str()));
  if (!statement_) throw Error(Errc::internal, "Cannot prepare a statement: its text is empty");
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::check_binding(int code) {
  if (code != SQLITE_OK) raise(code, db_, "Cannot bind a value of " + described(sqlite3_sql(statement_)));
}

void Statement::bind_integer(int parameter, std::int64_t value) {
  check_binding(sqlite3_bind_int64(statement_, parameter, value));
}

void Statement::bind_real(int parameter, double value) {
  check_binding(sqlite3_bind_double(statement_, parameter, value));
}

// A null pointer would bind NULL, which an empty view does not mean.
void Statement::bind_text(int parameter, std::string_view value) {
  check_binding(sqlite3_bind_text64(statement_, parameter, value.data() ? value.data() : "", value.size(),
                                    SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::bind_blob(int parameter, std::string_view value) {
  check_binding(
      sqlite3_bind_blob64(statement_, parameter, value.data() ? value.data() : "", value.size(), SQLITE_STATIC));
}

void Statement::bind_null(int parameter) { check_binding(sqlite3_bind_null(statement_, parameter)); }

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  const Rows resets_at_the_end(*this);
  if (code != SQLITE_DONE) raise(code, db_, "Cannot run " + described(sqlite3_sql(statement_)));
  return false;
}

void Statement::run() {
  while (step()) {
  }
}

void Statement::reset() noexcept {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

int Statement::columns() const noexcept { return sqlite3_column_count(statement_); }

bool Statement::is_null(int column) const noexcept { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

std::int64_t Statement::integer(int column) const noexcept { return sqlite3_column_int64(statement_, column); }

double Statement::real(int column) const noexcept { return sqlite3_column_double(statement_, column); }

std::string_view Statement::text(int column) const {
  if (is_null(column)) return {};
  const unsigned char* bytes = sqlite3_column_text(statement_, column);
  if (!bytes) raise(sqlite3_errcode(db_), db_, "Cannot read a text of " + described(sqlite3_sql(statement_)));
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Statement::blob(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  if (!bytes && size != 0)
    raise(sqlite3_errcode(db_), db_, "Cannot read a blob of " + described(sqlite3_sql(statement_)));
  // Null for an empty blob, and where the row could not be read into memory.
  if (!bytes && (sqlite3_errcode(db_) & 0xff) == SQLITE_NOMEM) throw std::bad_alloc();
  return {static_cast<const char*>(bytes), size};
}

}  // namespace ragstone::sqlite
