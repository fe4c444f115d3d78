#pragma once

#include <cstddef>

namespace ragstone {

/// How a filter is asked about candidates that come one after the other: about few of them one by one; when they become
/// many, about all rows at once.
class SingleChecks {
 public:
  /// `rows_for_one`: rows that a selection among all goes through in the time of a single check.
  explicit SingleChecks(std::size_t rows_for_one) noexcept : rows_for_one_(rows_for_one) {}

  /// Whether to ask about one more candidate alone, where there are about `rows` rows; it is counted.
  bool may_have_another(std::size_t rows) noexcept {
    if (made_ >= rows / rows_for_one_ + kLeast) return false;
    ++made_;
    return true;
  }

 private:
  static constexpr std::size_t kLeast = 64;

  std::size_t rows_for_one_;
  std::size_t made_ = 0;
};

}  // namespace ragstone
