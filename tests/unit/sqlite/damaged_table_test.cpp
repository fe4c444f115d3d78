#include "store/sqlite/damaged_table.hpp"

#include "support/temporary_folder.hpp"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

using Numbers = std::vector<std::int64_t>;
using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;

/// A table whose leaf pages hold a few rows each, some of which are scribbled over.
class DamagedTable : public testing::Test {
 protected:
  static constexpr int kPage = 4096;

  void make(const Numbers& numbers) const {
    sqlite::Database database(file_, sqlite::OpenMode::create);
    database.execute("CREATE TABLE item(number INTEGER PRIMARY KEY, bytes BLOB) STRICT");
    sqlite::Statement& insert = database.statement("INSERT INTO item VALUES(?1, zeroblob(1500))");
    for (const std::int64_t number : numbers) {
      insert.bind_integer(1, number);
      insert.run();
    }
  }

  /// Where a leaf begins in the file; `leaf`: counted from 0, in the order of the rows.
  std::streamoff place_of(int leaf) const {
    sqlite::Database database(file_, sqlite::OpenMode::read);
    sqlite::Statement& read = database.statement(
        "SELECT pageno FROM dbstat WHERE name = 'item' AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET ?1");
    const sqlite::Rows guard(read);
    read.bind_integer(1, leaf);
    EXPECT_TRUE(read.step());
    return static_cast<std::streamoff>((read.integer(0) - 1) * kPage);
  }

  void write(std::streamoff at, const std::string& bytes) const {
    std::fstream file(file_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file << bytes;
  }

  void scribble(int leaf) const { write(place_of(leaf), std::string(kPage, 'x')); }

  /// Gives the last row of a leaf another number; both are below 128.
  void renumber_last_of(int leaf, std::int64_t number) const {
    const std::streamoff page = place_of(leaf);
    std::string bytes(kPage, '\0');
    std::ifstream file(file_, std::ios::binary);
    file.seekg(page);
    file.read(bytes.data(), kPage);
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes.at(at)); };
    const std::size_t cells = byte(3) * 256u + byte(4);
    const std::size_t pointer = 8 + 2 * (cells - 1);
    std::size_t at = byte(pointer) * 256u + byte(pointer + 1);
    while (byte(at) >= 128) ++at;  // The size of the row, a varint.
    write(page + static_cast<std::streamoff>(at) + 1, std::string(1, static_cast<char>(number)));
  }

  std::pair<Numbers, Ranges> walk() const {
    sqlite::Database database(file_, sqlite::OpenMode::read);
    std::pair<Numbers, Ranges> seen;
    sqlite::RowNumbers(database, "number", "item")
        .for_each(
            [&](std::int64_t number) { seen.first.push_back(number); },
            [&](std::int64_t first, std::int64_t last, const std::string&) { seen.second.emplace_back(first, last); });
    return seen;
  }

  TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_.path() / "items.db";
};

// F7
TEST_F(DamagedTable, AllNumbersOfASoundOneAreVisited) {
  const Numbers numbers = {INT64_MIN + 1, -7, 0, 1, 5, INT64_MAX - 1, INT64_MAX};
  make(numbers);
  EXPECT_EQ(walk(), std::make_pair(numbers, Ranges()));
}

// F7
TEST_F(DamagedTable, ItsReadableRowsAreVisitedOnBothSidesOfAPageThatIsNot) {
  make({1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  scribble(1);
  const auto [numbers, ranges] = walk();
  ASSERT_EQ(ranges.size(), 1u);
  Numbers expected;
  for (std::int64_t number = 1; number <= 10; ++number)
    if (number < ranges[0].first || number > ranges[0].second) expected.push_back(number);
  EXPECT_EQ(numbers, expected);
  EXPECT_LT(numbers.front(), ranges[0].first);
  EXPECT_GT(numbers.back(), ranges[0].second);
}

// F7
TEST_F(DamagedTable, AWalkEndsHoweverFarApartItsNumbersAre) {
  constexpr std::int64_t kFar = std::int64_t{1} << 61;
  make({1, 2, kFar, kFar + 1, kFar + 2, kFar + 3, kFar + 4, INT64_MAX - 1, INT64_MAX});
  scribble(1);
  const auto [numbers, ranges] = walk();
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_EQ(numbers.front(), 1);
  EXPECT_EQ(numbers.back(), INT64_MAX);
  EXPECT_GT(numbers.size(), 5u);
}

// F7
TEST_F(DamagedTable, ARowThatIsThereAgainAtTheEndIsNoEndOfTheWalk) {
  make({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  renumber_last_of(5, 3);
  scribble(2);
  const auto [numbers, ranges] = walk();
  ASSERT_FALSE(ranges.empty());
  EXPECT_LE(ranges[0].first, 6);
  EXPECT_EQ(std::count(numbers.begin(), numbers.end(), 9), 1);
  EXPECT_EQ(std::count(numbers.begin(), numbers.end(), 11), 1);
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
}

// F7
TEST_F(DamagedTable, AWalkEndsWhereTheLastRowsCannotBeRead) {
  make({1, 2, 3, 4, 5, 6, 7, 8, 9, INT64_MAX});
  scribble(4);
  const auto [numbers, ranges] = walk();
  EXPECT_EQ(numbers.size(), 8u);
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_EQ(ranges[0], std::make_pair(std::int64_t{9}, INT64_MAX));
  EXPECT_EQ(sqlite::name_of_rows("part", ranges[0].first, ranges[0].second), "parts from 9 on");
}

}  // namespace
}  // namespace ragstone::test
