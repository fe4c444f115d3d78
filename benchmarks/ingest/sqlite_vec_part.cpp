#include "ingest/parts.hpp"
#include "support/fixed_embedder.hpp"
#include "support/generated_rows.hpp"
#include "support/process.hpp"
#include "support/sqlite_peer.hpp"
#include "support/stores.hpp"
#include "support/temporary_folder.hpp"

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <vector>

#include <sqlite3.h>

namespace ragstone::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// A database with the extension vec0 from the file that RAGSTONE_SQLITE_VEC names.
class VecDatabase {
 public:
  explicit VecDatabase(const std::filesystem::path& path) : database_(path, PlainDatabase::Access::write) {
    const char* extension = std::getenv("RAGSTONE_SQLITE_VEC");
    if (extension == nullptr) throw std::runtime_error("RAGSTONE_SQLITE_VEC names no extension");
    ::sqlite3_db_config(database_.handle(), SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, nullptr);
    if (::sqlite3_load_extension(database_.handle(), extension, nullptr, nullptr) != SQLITE_OK)
      throw std::runtime_error(std::string("cannot load ") + extension);
    database_.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=OFF;");
  }
  ~VecDatabase() {
    for (sqlite3_stmt* statement : statements_) ::sqlite3_finalize(statement);
  }
  VecDatabase(const VecDatabase&) = delete;
  VecDatabase& operator=(const VecDatabase&) = delete;

  void execute(const char* sql) { database_.execute(sql); }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (::sqlite3_prepare_v2(database_.handle(), sql, -1, &statement, nullptr) != SQLITE_OK)
      throw std::runtime_error(::sqlite3_errmsg(database_.handle()));
    statements_.push_back(statement);
    return statement;
  }

 private:
  PlainDatabase database_;
  std::vector<sqlite3_stmt*> statements_;
};

void bind_vector(sqlite3_stmt* statement, int index, const std::vector<float>& vector) {
  ::sqlite3_bind_blob(statement, index, vector.data(), static_cast<int>(vector.size() * sizeof(float)), SQLITE_STATIC);
}

void run(sqlite3_stmt* statement) {
  if (::sqlite3_step(statement) != SQLITE_DONE)
    throw std::runtime_error(::sqlite3_errmsg(::sqlite3_db_handle(statement)));
  ::sqlite3_reset(statement);
}

void fill(const std::filesystem::path& path, std::size_t count) {
  VecDatabase database(path);
  database.execute(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, text TEXT);"
      "CREATE VIRTUAL TABLE v USING vec0(id INTEGER PRIMARY KEY, embedding float[384] distance_metric=cosine)");
  sqlite3_stmt* text = database.prepare("INSERT INTO t(id, text) VALUES(?1, ?2)");
  sqlite3_stmt* vector = database.prepare("INSERT INTO v(id, embedding) VALUES(?1, ?2)");
  std::vector<float> row(kGeneratedDimension);
  double seconds = 0;
  for (std::size_t source = 0; source * kRowsPerSource < count; ++source) {
    const std::string lines = generated_text(source);
    const auto start = Clock::now();
    database.execute("BEGIN IMMEDIATE");
    std::size_t begin = 0;
    for (std::size_t i = 0; i < kRowsPerSource; ++i) {
      const std::size_t end = lines.find('\n', begin);
      const auto id = static_cast<sqlite3_int64>(source * kRowsPerSource + i);
      ::sqlite3_bind_int64(text, 1, id);
      ::sqlite3_bind_text(text, 2, lines.data() + begin, static_cast<int>(end - begin), SQLITE_STATIC);
      run(text);
      fill_unit_vector(static_cast<std::uint64_t>(id), row);
      ::sqlite3_bind_int64(vector, 1, id);
      bind_vector(vector, 2, row);
      run(vector);
      begin = end + 1;
    }
    database.execute("COMMIT");
    seconds += seconds_since(start);
  }
  print_value("seconds", seconds);
}

}  // namespace

void ingest_vectors_by_sqlite_vec(std::size_t count) {
  const test::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "vec.db";
  fill(path, count);
  print_value("disk", static_cast<double>(folder_bytes(folder.path())));
  const auto opening = Clock::now();
  VecDatabase database(path);
  sqlite3_stmt* search = database.prepare("SELECT id, distance FROM v WHERE embedding MATCH ?1 AND k = 10");
  print_value("open", seconds_since(opening) * 1e3);
  std::vector<float> query(kGeneratedDimension);
  fill_unit_vector(77, query);
  bind_vector(search, 1, query);
  const auto searching = Clock::now();
  std::size_t hits = 0;
  while (::sqlite3_step(search) == SQLITE_ROW) ++hits;
  print_value("first search", seconds_since(searching) * 1e3);
  if (hits != 10) throw std::runtime_error("sqlite-vec found too little");
}

}  // namespace ragstone::bench
