#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ragstone {

/// A set of row numbers below a fixed size, one bit each.
class RowBitmap {
 public:
  RowBitmap() = default;
  /// Empty.
  explicit RowBitmap(std::size_t rows) : rows_(rows), words_((rows + 63) / 64) {}

  /// The rows for which `holds(row)` is true.
  template <class Holds>
  static RowBitmap of(std::size_t rows, Holds holds) {
    RowBitmap bitmap(rows);
    for (std::size_t first = 0; first < rows; first += 64) {
      const std::size_t count = rows - first < 64 ? rows - first : 64;
      std::uint64_t word = 0;
      for (std::size_t i = 0; i < count; ++i) word |= std::uint64_t{holds(first + i)} << i;
      bitmap.words_[first / 64] = word;
    }
    return bitmap;
  }

  std::size_t rows() const noexcept { return rows_; }
  bool contains(std::size_t row) const noexcept { return (words_[row / 64] >> (row % 64) & 1) != 0; }
  void insert(std::size_t row) noexcept { words_[row / 64] |= std::uint64_t{1} << (row % 64); }
  void erase(std::size_t row) noexcept { words_[row / 64] &= ~(std::uint64_t{1} << (row % 64)); }

  std::size_t count() const noexcept {
    std::size_t sum = 0;
    for (const std::uint64_t word : words_) sum += static_cast<std::size_t>(std::popcount(word));
    return sum;
  }

  /// Calls visit(row) for the rows from `begin` to `end`, ascending.
  template <class Visit>
  void for_each(std::size_t begin, std::size_t end, Visit visit) const {
    for (std::size_t w = begin / 64; w < words_.size() && w * 64 < end; ++w) {
      // Of few rows among many, most of the work is to pass over those that are not there.
      if (w + 4 <= words_.size() && (words_[w] | words_[w + 1] | words_[w + 2] | words_[w + 3]) == 0) {
        w += 3;
        continue;
      }
      std::uint64_t word = words_[w];
      if (w == begin / 64) word &= ~std::uint64_t{0} << (begin % 64);
      for (; word != 0; word &= word - 1) {
        const std::size_t row = w * 64 + static_cast<std::size_t>(std::countr_zero(word));
        if (row >= end) return;
        visit(row);
      }
    }
  }

  /// Of the rows from `row` on, `count` become what those of `from`, from `first` on, are. Both have so many.
  void assign(std::size_t row, const RowBitmap& from, std::size_t first, std::size_t count) noexcept {
    for (std::size_t step = 0; count > 0; row += step, first += step, count -= step) {
      step = std::min(count, 64 - row % 64);
      const std::uint64_t mask = (~std::uint64_t{0} >> (64 - step)) << (row % 64);
      std::uint64_t bits = from.words_[first / 64] >> (first % 64);
      if (first % 64 != 0 && first / 64 + 1 < from.words_.size())
        bits |= from.words_[first / 64 + 1] << (64 - first % 64);
      std::uint64_t& word = words_[row / 64];
      word = (word & ~mask) | ((bits << (row % 64)) & mask);
    }
  }
  /// `count` rows from `row` on.
  void erase(std::size_t row, std::size_t count) noexcept {
    for (std::size_t step = 0; count > 0; row += step, count -= step) {
      step = std::min(count, 64 - row % 64);
      words_[row / 64] &= ~((~std::uint64_t{0} >> (64 - step)) << (row % 64));
    }
  }

  /// Both are of the same size.
  RowBitmap& operator&=(const RowBitmap& other) noexcept {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
    return *this;
  }
  RowBitmap& operator|=(const RowBitmap& other) noexcept {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
  }
  /// The rows that were not in it.
  void complement() noexcept {
    for (std::uint64_t& word : words_) word = ~word;
    if (rows_ % 64 != 0) words_.back() &= (std::uint64_t{1} << (rows_ % 64)) - 1;
  }

  /// Row r is bit r % 64 of word r / 64; bits above the last row are 0.
  std::span<const std::uint64_t> words() const noexcept { return words_; }

 private:
  std::size_t rows_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace ragstone
