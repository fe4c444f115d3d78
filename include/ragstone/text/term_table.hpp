#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone {

/// Different terms, numbered from 0 in the order in which they first came.
class TermTable {
 public:
  TermTable() = default;

  /// Takes a new term in. Errors: Errc::limit_exceeded above 4 GiB of terms.
  std::uint32_t number_of(std::string_view term);
  /// kNoNumber for a term that was not taken in.
  std::uint32_t find(std::string_view term) const noexcept;
  static constexpr std::uint32_t kNoNumber = UINT32_MAX;

  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  /// Valid until a term is taken in. `number` is below size().
  std::string_view operator[](std::uint32_t number) const noexcept {
    return {bytes_.data() + entries_[number].begin, entries_[number].size};
  }
  /// All numbers, ascending by the bytes of their terms.
  std::vector<std::uint32_t> sorted() const;

 private:
  struct Entry {
    std::uint64_t prefix = 0;  ///< The first eight bytes as a number that ascends with terms.
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
  };

  class Place {
   public:
    std::size_t slot = 0;
    std::uint32_t number = kNoNumber;
  };

  /// Where a term is, or where it would be; there must be a free slot.
  Place place_of(std::string_view term, std::uint64_t prefix, std::uint64_t hash) const noexcept;
  void grow();

  std::vector<std::uint64_t> slots_;  ///< Open-addressed: upper half of the hash, number + 1; 0: free.
  std::vector<Entry> entries_;
  std::string bytes_;
};

}  // namespace ragstone
