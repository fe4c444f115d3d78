#include "index/selected_rows.hpp"

#include "kernel/simd.hpp"

#include <utility>

namespace ragstone {
namespace {

// A list of so few takes at most half of the bitmap's bytes.
constexpr std::size_t kRowsForOne = 64;

}  // namespace

SelectedRows::SelectedRows(RowBitmap rows)
    : rows_(std::move(rows)), count_(kernel::simd().count_bits(rows_.words().data(), rows_.words().size())) {
  if (count_ > rows_.rows() / kRowsForOne) return;
  few_.reserve(count_);
  rows_.for_each(0, rows_.rows(), [this](std::size_t row) { few_.push_back(static_cast<std::uint32_t>(row)); });
}

}  // namespace ragstone
