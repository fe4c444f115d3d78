#pragma once

#include <ragstone/index/term_weight.hpp>
#include <ragstone/text/term_table.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ragstone {

/// Sparse vectors one after the other. Their terms are kept once, and a vector holds numbers of terms.
class SparseVectors {
 public:
  struct Element {
    std::uint32_t term = 0;  ///< Its number in terms().
    float weight = 0;
  };

  SparseVectors() = default;

  /// Adds to the weight of a term in the vector that is being made.
  /// Errors: Errc::limit_exceeded above 2^32 - 2 elements, or as TermTable::number_of().
  void add(std::string_view term, float weight = 1);
  /// Ends the vector that is being made, which may be empty; the next one begins.
  void end_vector() { ends_.push_back(elements_.size()); }
  /// A whole vector. Errors: as add().
  void append(std::span<const TermWeight> vector);

  /// How many vectors were ended.
  std::size_t size() const noexcept { return ends_.size(); }
  bool empty() const noexcept { return ends_.empty(); }
  /// Each term once, in any order. `n` is below size().
  std::span<const Element> operator[](std::size_t n) const noexcept {
    const std::size_t begin = n == 0 ? 0 : ends_[n - 1];
    return std::span(elements_).subspan(begin, ends_[n] - begin);
  }
  /// Elements of all vectors.
  std::size_t elements() const noexcept { return ends_.empty() ? 0 : ends_.back(); }
  const TermTable& terms() const noexcept { return terms_; }

 private:
  TermTable terms_;
  std::vector<std::uint32_t> last_;  ///< The element that each term came in last, by the term's number.
  std::vector<Element> elements_;
  std::vector<std::size_t> ends_;
};

}  // namespace ragstone
