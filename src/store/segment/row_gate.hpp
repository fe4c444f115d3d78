#pragma once

#include "index/row_bitmap.hpp"
#include "kernel/simd.hpp"
#include "store/segment/dense_part.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace ragstone::segment {

/// Which rows of a part may be hits: live ones that the filter allows.
class RowGate {
 public:
  /// `view` and `filter` (null: all) outlive the gate. Asks the filter about all rows at once if it does that quickly.
  RowGate(const DenseView& view, const RowFilter* filter, const StopToken& stop) : view_(view), filter_(filter) {
    if (filter != nullptr && filter->selects_quickly()) {
      selected_ = filter->select(view.part->nodes(), view.part->sources(), stop);
      // Of millions of rows, this is much of what a search among few of them costs.
      count_ = kernel::simd().count_bits(selected_->words().data(), selected_->words().size());
    }
  }

  bool admits(std::uint32_t row) const {
    if (view_.dead.contains(row)) return false;
    if (selected_) return selected_->contains(row);
    return filter_ == nullptr || filter_->allows(view_.part->node(row), view_.part->source(row));
  }

  /// Null where the filter tells row by row, or there is none.
  const RowBitmap* selected() const noexcept { return selected_ ? &*selected_ : nullptr; }
  /// Whether rows pass without a look at the filter.
  bool is_open() const noexcept { return filter_ == nullptr; }
  bool asks_each_row() const noexcept { return filter_ != nullptr && !selected_; }
  /// At most so many rows pass.
  std::size_t most() const noexcept {
    const std::size_t live = view_.part->rows() - std::min(view_.part->rows(), view_.dead.count());
    return selected_ ? std::min(count_, live) : live;
  }

 private:
  const DenseView& view_;
  const RowFilter* filter_;
  std::optional<RowBitmap> selected_;
  std::size_t count_ = 0;
};

}  // namespace ragstone::segment
