#pragma once

#include "index/selected_rows.hpp"
#include "store/overlay.hpp"
#include "store/segment/field_part.hpp"
#include <ragstone/base/filter.hpp>
#include <ragstone/base/stop.hpp>

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace ragstone::memory {

/// The columns of declared fields over the rows of an immutable segment, made when a filter first asks for them, and
/// what the last few filters allowed. Thread-safe.
class SegmentFields {
 public:
  /// The metadata of the row of that number.
  using RowFields = std::function<OverlayFields(std::size_t)>;

  /// The rows that the filter allows; null if it asks for other than the declared fields (ascending).
  Selection select(const std::vector<std::string>& declared, const Filter& filter, std::size_t rows,
                   const RowFields& fields_of, const StopToken& stop) const;

 private:
  static constexpr std::size_t kRemembered = 8;

  mutable std::mutex mutex_;
  mutable std::shared_ptr<const segment::FieldPart> columns_;
  mutable std::list<std::pair<std::string, Selection>> remembered_;  ///< The newest in front.
};

}  // namespace ragstone::memory
