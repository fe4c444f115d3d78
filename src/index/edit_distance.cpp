#include "index/edit_distance.hpp"

#include <ragstone/text/utf8.hpp>

#include <algorithm>

namespace ragstone {

EditDistance::EditDistance(std::string_view query, std::size_t max_edits) : max_edits_(max_edits) {
  for (const utf8::CodePoint c : utf8::CodePoints(query)) query_.push_back(c.value);
  Row first;
  for (std::size_t k = 0; k < kCells; ++k) {
    const bool inside = k >= kMaxEdits && k - kMaxEdits <= query_.size();
    first[k] = inside ? static_cast<std::uint8_t>(k - kMaxEdits) : kFar;
  }
  rows_.push_back(first);
}

void EditDistance::push(char32_t code_point) {
  const Row before = rows_.back();
  const std::size_t i = rows_.size();
  Row row;
  for (std::size_t k = 0; k < kCells; ++k) {
    row[k] = kFar;
    if (i + k < kMaxEdits || i + k - kMaxEdits > query_.size()) continue;
    const std::size_t j = i + k - kMaxEdits;
    unsigned best = kFar;
    if (j > 0) best = before[k] + (query_[j - 1] == code_point ? 0u : 1u);
    if (k + 1 < kCells) best = std::min(best, before[k + 1] + 1u);
    if (j > 0 && k > 0) best = std::min(best, row[k - 1] + 1u);
    row[k] = static_cast<std::uint8_t>(std::min<unsigned>(best, kFar));
  }
  rows_.push_back(row);
}

bool EditDistance::can_match() const noexcept {
  const Row& row = rows_.back();
  return *std::min_element(row.begin(), row.end()) <= max_edits_;
}

std::size_t EditDistance::distance() const noexcept {
  if (query_.size() + kMaxEdits < size() || query_.size() > size() + kMaxEdits) return kFar;
  return rows_.back()[query_.size() + kMaxEdits - size()];
}

}  // namespace ragstone
