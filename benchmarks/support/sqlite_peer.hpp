#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

/// SQLite as a program without Ragstone uses it. Everything throws std::runtime_error.
namespace ragstone::bench {

class PlainRow {
 public:
  explicit PlainRow(sqlite3_stmt* statement) : statement_(statement) {}
  std::string text(int column) const;
  std::int64_t integer(int column) const;

 private:
  sqlite3_stmt* statement_;
};

class PlainDatabase {
 public:
  enum class Access { read, write };
  PlainDatabase(const std::filesystem::path& path, Access access);

  void execute(const std::string& sql);
  void each(const std::string& sql, const std::function<void(const PlainRow&)>& visit);
  sqlite3* handle() const noexcept { return db_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* db) const noexcept;
  };
  std::unique_ptr<sqlite3, Close> db_;
};

/// Texts in one table of a database in WAL mode with synchronous=FULL: a plain one, or an FTS5 one (unicode61).
class SqlitePeer {
 public:
  enum class Kind { plain, fts5 };
  SqlitePeer(const std::filesystem::path& path, Kind kind);
  ~SqlitePeer();
  SqlitePeer(const SqlitePeer&) = delete;
  SqlitePeer& operator=(const SqlitePeer&) = delete;

  /// One transaction.
  void add(const std::vector<std::pair<std::string, std::string>>& texts);
  void add(std::string_view id, std::string_view text);

 private:
  void insert(std::string_view id, std::string_view text);

  PlainDatabase database_;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
};

}  // namespace ragstone::bench
