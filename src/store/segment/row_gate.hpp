#pragma once

#include "index/selected_rows.hpp"
#include "store/segment/dense_part.hpp"

#include <cstddef>
#include <cstdint>

namespace ragstone::segment {

/// Which rows of a part may be hits: live ones that the filter allows.
class RowGate {
 public:
  /// `view` and `filter` (null: all) outlive the gate. Asks the filter about all rows at once if it does that quickly.
  RowGate(const DenseView& view, const RowFilter* filter, const StopToken& stop) : view_(view), filter_(filter) {
    if (filter != nullptr && filter->selects_quickly()) {
      selected_ = filter->select(view.part->nodes(), view.part->sources(), stop);
    }
  }

  bool admits(std::uint32_t row) const {
    if (view_.dead.contains(row)) return false;
    if (selected_) return selected_->contains(row);
    return filter_ == nullptr || filter_->allows(view_.part->node(row), view_.part->source(row));
  }

  /// Null where the filter tells row by row, or there is none.
  const SelectedRows* selected() const noexcept { return selected_.get(); }
  /// Whether rows pass without a look at the filter.
  bool is_open() const noexcept { return filter_ == nullptr; }
  bool asks_each_row() const noexcept { return filter_ != nullptr && !selected_; }
  /// At most so many rows pass.
  std::size_t most() const noexcept {
    const std::size_t live = view_.part->rows() - std::min(view_.part->rows(), view_.dead.count());
    return selected_ ? std::min(selected_->count(), live) : live;
  }

 private:
  const DenseView& view_;
  const RowFilter* filter_;
  Selection selected_;
};

}  // namespace ragstone::segment
