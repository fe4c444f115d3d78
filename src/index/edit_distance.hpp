#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ragstone {

/// Levenshtein distance from a query to words that are given code point by code point, as far as it is at most
/// kMaxEdits: the rows of the usual table, of which only the cells near the diagonal can count. Going back to a shared
/// beginning costs nothing, which is what makes it fit for sorted words.
class EditDistance {
 public:
  static constexpr std::size_t kMaxEdits = 2;

  /// `max_edits` is at most kMaxEdits.
  EditDistance(std::string_view query, std::size_t max_edits);

  /// Code points of the present word.
  std::size_t size() const noexcept { return rows_.size() - 1; }
  void push(char32_t code_point);
  /// Back to the first `size` code points.
  void cut(std::size_t size) noexcept { rows_.resize(size + 1); }
  /// Whether some word that begins like the present one is near enough.
  bool can_match() const noexcept;
  /// Of the present word; more than max_edits stands for any larger number.
  std::size_t distance() const noexcept;

 private:
  // Cell k of row i is the distance between the first i code points of the word and the first i + k - kMaxEdits of
  // the query; kFar for more edits than count, and outside of the query.
  static constexpr std::size_t kCells = 2 * kMaxEdits + 1;
  static constexpr std::uint8_t kFar = 100;
  using Row = std::array<std::uint8_t, kCells>;

  std::vector<char32_t> query_;
  std::size_t max_edits_;
  std::vector<Row> rows_;
};

}  // namespace ragstone
