#pragma once

#include "store/sqlite/database.hpp"
#include <ragstone/base/stop.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ragstone::sqlite {

/// The column that is the key of a table's rows, in a table that may be damaged.
class RowNumbers {
 public:
  RowNumbers(Database& database, std::string_view column, std::string_view table);

  /// Below all that can be read, and below 1.
  std::int64_t before_first() const;
  /// The highest. Errors: Errc::corrupt_store.
  std::int64_t last() const;

  /// The least number above `number`, at most `last`, after which a row or the end can be read. Tries one after the
  /// other, since rows that can be read may lie between such that cannot; far from `number` it takes larger steps.
  std::int64_t end_of_damage(std::int64_t number, std::int64_t last, const StopToken& stop) const;

  /// Calls `visit` with each that can be read, ascending, and `on_damage` with the first and the last of those in
  /// between that cannot, and why.
  void for_each(const std::function<void(std::int64_t)>& visit,
                const std::function<void(std::int64_t, std::int64_t, const std::string&)>& on_damage) const;

 private:
  /// The next above `number`; none at the end.
  std::optional<std::int64_t> next(std::int64_t number) const;
  bool is_readable(std::int64_t after) const;
  std::int64_t last_or_highest_possible() const;

  Database& database_;
  const std::string next_;
  const std::string lowest_;
  const std::string highest_;
};

/// What findings call rows by their numbers: "part 7", "parts 7 to 9".
std::string name_of_rows(const std::string& what, std::int64_t first, std::int64_t last);

}  // namespace ragstone::sqlite
