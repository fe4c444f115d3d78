#pragma once

#include "index/sparse_index.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// The stored form of a posting list; src/store/FORMAT.md describes it.
namespace ragstone::segment {

/// `postings` ascend by row.
void append_postings(std::string& to, std::span<const Posting> postings);

/// Reads a posting list whose bytes may be damaged: rows ascend and are below `rows` whatever they hold.
class PostingCursor {
 public:
  PostingCursor(std::string_view bytes, std::uint64_t count, std::size_t rows)
      : bytes_(bytes), left_(count), rows_(rows) {}

  /// False at the end. Errors: Errc::corrupt_store.
  bool next() {
    if (left_ == 0) return false;
    --left_;
    const std::uint64_t head = varint();
    const std::uint64_t gap = head >> 1;
    if (gap >= rows_ - next_row_) fail();
    posting_.row = static_cast<std::uint32_t>(next_row_ + gap);
    next_row_ = posting_.row + std::size_t{1};
    posting_.weight = (head & 1) == 0 ? 1 : long_weight();
    return true;
  }
  const Posting& posting() const noexcept { return posting_; }
  /// Whether all bytes were read.
  bool at_end() const noexcept { return at_ == bytes_.size(); }

 private:
  std::uint64_t varint() {
    if (at_ < bytes_.size() && static_cast<unsigned char>(bytes_[at_]) < 0x80)
      return static_cast<unsigned char>(bytes_[at_++]);
    return long_varint();
  }
  std::uint64_t long_varint();
  float long_weight();
  [[noreturn]] static void fail();

  std::string_view bytes_;
  std::size_t at_ = 0;
  std::uint64_t left_;
  std::size_t rows_;
  std::size_t next_row_ = 0;  ///< The lowest row that may come.
  Posting posting_;
};

}  // namespace ragstone::segment
