#pragma once

#include "index/row_bitmap.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace ragstone {

/// The rows of a part that a filter allows, with what each search would otherwise find out anew. Immutable.
class SelectedRows {
 public:
  explicit SelectedRows(RowBitmap rows);

  const RowBitmap& bitmap() const noexcept { return rows_; }
  std::size_t count() const noexcept { return count_; }
  bool contains(std::size_t row) const noexcept { return rows_.contains(row); }

  /// Calls visit(row) for the rows from `begin` to `end`, ascending.
  template <class Visit>
  void for_each(std::size_t begin, std::size_t end, Visit visit) const {
    if (few_.size() < count_) return rows_.for_each(begin, end, visit);
    for (auto row = std::lower_bound(few_.begin(), few_.end(), begin); row != few_.end() && *row < end; ++row)
      visit(std::size_t{*row});
  }

  std::size_t bytes() const noexcept { return rows_.words().size_bytes() + few_.size() * sizeof(std::uint32_t); }

 private:
  RowBitmap rows_;
  std::size_t count_ = 0;
  std::vector<std::uint32_t> few_;  ///< All of them, where the bitmap would mostly be passed over; else empty.
};

using Selection = std::shared_ptr<const SelectedRows>;

}  // namespace ragstone
