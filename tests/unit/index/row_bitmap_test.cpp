#include "index/row_bitmap.hpp"

#include "index/selected_rows.hpp"

#include <cstddef>
#include <random>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

TEST(RowBitmap, RangesAreAssignedAndErasedAsRowByRow) {
  std::mt19937 random(1);
  const auto some = [&](std::size_t rows) {
    return RowBitmap::of(rows, [&](std::size_t) { return random() % 3 == 0; });
  };
  for (int round = 0; round < 2000; ++round) {
    const RowBitmap from = some(1 + random() % 300);
    const RowBitmap before = some(1 + random() % 300);
    const std::size_t first = random() % from.rows();
    const std::size_t row = random() % before.rows();
    const std::size_t count = random() % (std::min(from.rows() - first, before.rows() - row) + 1);
    RowBitmap assigned = before;
    assigned.assign(row, from, first, count);
    RowBitmap erased = before;
    erased.erase(row, count);
    for (std::size_t r = 0; r < before.rows(); ++r) {
      const bool is_in = r >= row && r < row + count;
      ASSERT_EQ(assigned.contains(r), is_in ? from.contains(first + r - row) : before.contains(r));
      ASSERT_EQ(erased.contains(r), !is_in && before.contains(r));
    }
  }
}

TEST(SelectedRows, AreThoseOfTheBitmapFewOrMany) {
  std::mt19937 random(5);
  for (const std::size_t rows : {0U, 1U, 63U, 64U, 1000U, 70'000U})
    for (const std::size_t one_in : {1U, 3U, 64U, 1000U, 100'000U}) {
      RowBitmap bitmap(rows);
      for (std::size_t row = 0; row < rows; ++row)
        if (random() % one_in == 0) bitmap.insert(row);
      const SelectedRows selected(bitmap);
      EXPECT_EQ(selected.count(), bitmap.count());
      const std::size_t begin = rows / 3;
      const std::size_t end = rows - rows / 5;
      std::vector<std::size_t> expected, seen;
      for (std::size_t row = begin; row < end; ++row)
        if (bitmap.contains(row)) expected.push_back(row);
      selected.for_each(begin, end, [&](std::size_t row) { seen.push_back(row); });
      EXPECT_EQ(seen, expected) << rows << " rows, one in " << one_in;
    }
}

}  // namespace
}  // namespace ragstone
