#pragma once

#include <cstdint>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace ragstone::sqlite {

/// A prepared statement of one connection. Parameters count from 1, columns from 0. Errors: see raise().
class Statement {
 public:
  /// Takes the whole text, which holds one statement. Errors: Errc::corrupt_store also if tables or columns are
  /// missing.
  Statement(sqlite3* db, std::string_view sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  void bind_integer(int parameter, std::int64_t value);
  void bind_real(int parameter, double value);
  /// The bytes must stay as they are until the statement has run or is reset. Text is valid UTF-8.
  void bind_text(int parameter, std::string_view value);
  void bind_blob(int parameter, std::string_view value);
  void bind_null(int parameter);

  /// True: a row can be read. False: there are no more, and the statement is reset. After an error it is reset too.
  bool step();
  /// Steps through all rows.
  void run();
  /// Ends a statement that has rows left: until then it holds a read lock. Bindings are forgotten too.
  void reset() noexcept;

  int columns() const noexcept;
  bool is_null(int column) const noexcept;
  std::int64_t integer(int column) const noexcept;
  double real(int column) const noexcept;
  /// Views are good until the next step or reset. A null gives an empty view.
  std::string_view text(int column) const;
  std::string_view blob(int column) const;

 private:
  void check_binding(int code);

  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
};

/// Reads a statement's rows and resets it at the end of the scope:
/// `for (Rows rows(statement); rows.next();) use(statement.integer(0));`
class Rows {
 public:
  explicit Rows(Statement& statement) noexcept : statement_(statement) {}
  ~Rows() { statement_.reset(); }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  bool next() { return statement_.step(); }

 private:
  Statement& statement_;
};

}  // namespace ragstone::sqlite
