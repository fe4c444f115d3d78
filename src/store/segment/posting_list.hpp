#pragma once

#include "index/posting.hpp"
#include "store/segment/packed_block.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The stored form of a posting list; src/store/FORMAT.md describes it.
namespace ragstone::segment {

/// What bounds every score that the postings of a block can give: each has a weight of at most `low_weight` and a
/// length of at least `low_length`, or at most `high_weight` and at least `high_length`.
struct BlockImpact {
  float low_weight = 0;
  float high_weight = 0;
  std::uint16_t low_length = 0;  ///< Longer rows count as 65,535.
  std::uint16_t high_length = 0;
};

/// What the table of a list says of a block, as it is stored.
struct BlockEntry {
  std::uint32_t last_row = 0;
  std::uint32_t begin = 0;  ///< Of its bytes, in units of 16 bytes after the table.
  BlockImpact impact;
  std::uint8_t row_bits = 0;
  std::uint8_t weight_bits = 0;
  std::uint16_t unused = 0;
};

static_assert(sizeof(BlockEntry) == 24);

/// The postings of one block.
struct PostingBlock {
  std::size_t size = 0;
  BlockNumbers rows;
  std::array<float, kBlockPostings> weights;
  bool has_weights = false;
};

/// `postings` ascend by row; `lengths` are those of all rows.
void append_postings(std::string& to, std::span<const Posting> postings, std::span<const std::uint32_t> lengths);

/// A posting list in place, whose bytes may be damaged: whatever they hold, the rows of a block ascend, are below
/// `rows`, and above the last row of the block before by its entry. All errors: Errc::corrupt_store.
class PostingList {
 public:
  PostingList() = default;
  /// `bytes` outlive the list.
  PostingList(std::string_view bytes, std::uint64_t count, std::size_t rows);

  std::uint64_t count() const noexcept { return count_; }
  std::size_t blocks() const noexcept {
    return static_cast<std::size_t>((count_ + kBlockPostings - 1) / kBlockPostings);
  }
  /// Lists of less than a block have no table: neither entries nor an impact.
  bool has_table() const noexcept { return count_ >= kBlockPostings; }

  BlockEntry entry(std::size_t block) const noexcept;
  std::uint32_t last_row(std::size_t block) const noexcept;
  /// Of the whole list.
  BlockImpact impact() const noexcept;

  /// Reads the rows of a block, and its weights where they come with the rows.
  void read_rows(std::size_t block, PostingBlock& to) const;
  /// To be called after read_rows() of the same block.
  void read_weights(std::size_t block, PostingBlock& to) const;
  /// Whether the last block, which was read, takes the bytes to their end.
  bool ends_with(const PostingBlock& last) const;

 private:
  bool is_packed(std::size_t block) const noexcept { return (block + 1) * kBlockPostings <= count_; }
  std::uint64_t first_row(std::size_t block) const noexcept {
    return block == 0 ? 0 : std::uint64_t{last_row(block - 1)} + 1;
  }
  const char* packed(std::size_t block, const BlockEntry& entry) const;
  std::size_t read_tail(std::size_t block, PostingBlock& to) const;

  std::string_view table_;
  std::string_view data_;
  std::uint64_t count_ = 0;
  std::size_t rows_ = 0;
};

/// Goes through a list in order.
class PostingCursor {
 public:
  explicit PostingCursor(const PostingList& list) : list_(list) {}

  /// False at the end. Errors: Errc::corrupt_store.
  bool next() {
    if (at_ == block_.size && !next_block()) return false;
    posting_ = {block_.rows[at_], block_.weights[at_]};
    ++at_;
    return true;
  }
  const Posting& posting() const noexcept { return posting_; }
  /// After the end: whether all bytes were read.
  bool at_end() const { return list_.ends_with(block_); }

 private:
  bool next_block();

  PostingList list_;
  std::size_t next_ = 0;
  PostingBlock block_;
  std::size_t at_ = 0;
  Posting posting_;
};

}  // namespace ragstone::segment
