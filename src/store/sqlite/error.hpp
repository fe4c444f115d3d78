#pragma once

#include <string_view>

struct sqlite3;

namespace ragstone::sqlite {

/// Throws what an (extended) result code of SQLite means: Errc::storage_full, corrupt_store, locked, io_error or
/// internal; std::bad_alloc; the cancellation error for an interrupted statement. `db` (may be null) tells the file and
/// the reason; `operation` says what was tried.
[[noreturn]] void raise(int code, sqlite3* db, std::string_view operation);

}  // namespace ragstone::sqlite
