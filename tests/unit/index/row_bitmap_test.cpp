#include "index/row_bitmap.hpp"

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

}  // namespace
}  // namespace ragstone
