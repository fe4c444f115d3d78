#include "store/sqlite/damaged_table.hpp"

#include <ragstone/base/error.hpp>

#include <algorithm>
#include <numeric>

namespace ragstone::sqlite {
namespace {

// Many more than the rows of a page.
constexpr std::uint64_t kTriedSingly = std::uint64_t{1} << 14;

std::int64_t value_of(Database& database, const std::string& sql) {
  Statement& read = database.statement(sql);
  const Rows guard(read);
  return read.step() ? read.integer(0) : 0;
}

std::uint64_t distance(std::int64_t from, std::int64_t to) {
  return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
}

std::int64_t advanced(std::int64_t number, std::uint64_t step, std::int64_t last) {
  if (step >= distance(number, last)) return last;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(number) + step);
}

}  // namespace

RowNumbers::RowNumbers(Database& database, std::string_view column, std::string_view table)
    : database_(database),
      next_("SELECT " + std::string(column) + " FROM " + std::string(table) + " WHERE " + std::string(column) +
            " > ?1 ORDER BY " + std::string(column) + " LIMIT 1"),
      lowest_("SELECT min(" + std::string(column) + ") FROM " + std::string(table)),
      highest_("SELECT max(" + std::string(column) + ") FROM " + std::string(table)) {}

std::int64_t RowNumbers::before_first() const {
  try {
    const std::int64_t lowest = value_of(database_, lowest_);
    return lowest > INT64_MIN ? std::min<std::int64_t>(lowest - 1, 0) : lowest;
  } catch (const Error&) {
    return 0;
  }
}

std::int64_t RowNumbers::last() const { return value_of(database_, highest_); }

std::optional<std::int64_t> RowNumbers::next(std::int64_t number) const {
  Statement& read = database_.statement(next_);
  const Rows guard(read);
  read.bind_integer(1, number);
  if (!read.step()) return std::nullopt;
  const std::int64_t found = read.integer(0);
  // In a damaged table the next row may be one that was read before.
  if (found <= number) throw Error(Errc::corrupt_store, "rows are out of order");
  return found;
}

bool RowNumbers::is_readable(std::int64_t after) const {
  try {
    next(after);
    return true;
  } catch (const Error& error) {
    if (error.errc() == Errc::corrupt_store) return false;
    throw;
  }
}

std::int64_t RowNumbers::end_of_damage(std::int64_t number, std::int64_t last, const StopToken& stop) const {
  const std::int64_t near = advanced(number, kTriedSingly, last);
  while (number < near) {
    throw_if_stopped(stop);
    if (is_readable(++number)) return number;
  }
  std::int64_t unreadable = number;
  for (std::uint64_t step = 1; number < last; step *= 2) {
    number = advanced(number, step, last);
    if (is_readable(number)) break;
    unreadable = number;
  }
  while (distance(unreadable, number) > 1) {
    const std::int64_t middle = std::midpoint(unreadable, number);
    (is_readable(middle) ? number : unreadable) = middle;
  }
  return number;
}

void RowNumbers::for_each(const std::function<void(std::int64_t)>& visit,
                          const std::function<void(std::int64_t, std::int64_t, const std::string&)>& on_damage) const {
  std::int64_t number = before_first();
  std::int64_t last = last_or_highest_possible();
  for (;;) {
    const std::int64_t before = number;
    try {
      const std::optional<std::int64_t> found = next(number);
      if (!found) return;
      number = *found;
    } catch (const Error& error) {
      if (last == INT64_MAX && number == last) return;
      // A row that is there again may be taken for the last one.
      if (number >= last) last = INT64_MAX;
      number = end_of_damage(number, last, {});
      on_damage(before + 1, number, error.what());
      continue;
    }
    visit(number);
  }
}

std::int64_t RowNumbers::last_or_highest_possible() const {
  try {
    return last();
  } catch (const Error&) {
    return INT64_MAX;
  }
}

std::string name_of_rows(const std::string& what, std::int64_t first, std::int64_t last) {
  if (first == last) return what + ' ' + std::to_string(first);
  if (last == INT64_MAX) return what + "s from " + std::to_string(first) + " on";
  return what + "s " + std::to_string(first) + " to " + std::to_string(last);
}

}  // namespace ragstone::sqlite
