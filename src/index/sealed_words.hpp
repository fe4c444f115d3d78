#pragma once

#include "index/image_arrays.hpp"
#include "kernel/stop_poll.hpp"
#include <ragstone/base/ids.hpp>
#include <ragstone/base/stop.hpp>
#include <ragstone/index/index_image.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The compact form of a dictionary. A row is a word with a node; rows ascend by the bytes of their words, and a word
/// of several nodes has several rows. src/store/FORMAT.md describes the sections.
namespace ragstone::words {

inline constexpr std::size_t kRowsInBlock = 8;

enum SectionNumber : std::uint32_t { kBlocks = 1, kWords = 2, kSlots = 3, kNodes = 4, kWeights = 5, kBlockWeights = 6 };

[[noreturn]] void throw_damaged();

std::uint64_t hash_of(std::string_view word) noexcept;
/// Where the search for a word begins among `slots` slots.
inline std::size_t first_slot(std::uint64_t hash, std::size_t slots) noexcept {
  return static_cast<std::size_t>((hash >> 32) * slots >> 32);
}

/// A slot holds the row of a word's first node plus 1 in its lower bits, and bits of the word's hash in the others.
class SlotForm {
 public:
  explicit SlotForm(std::size_t rows) noexcept;

  std::uint32_t tag(std::uint64_t hash) const noexcept { return static_cast<std::uint32_t>(hash) & ~row_mask_; }
  std::uint32_t row_mask() const noexcept { return row_mask_; }

 private:
  std::uint32_t row_mask_;
};

/// One row as it is stored.
struct StoredWord {
  std::size_t shared = 0;  ///< Bytes that it has in common with the row before; 0 for the first row of a block.
  std::string_view own;    ///< The bytes after these.
};

/// Goes through the rows of one block.
class BlockCursor {
 public:
  explicit BlockCursor(std::string_view block) noexcept : rest_(block) {}

  bool at_end() const noexcept { return rest_.empty(); }
  /// Errors: Errc::corrupt_store.
  StoredWord next();

 private:
  std::string_view rest_;
  std::size_t size_ = 0;  ///< Of the word before.
  bool is_first_ = true;
};

/// Reads a dictionary in place. What it gives may be wrong if the bytes are damaged, and no more than that.
/// Errors of all functions: Errc::corrupt_store.
class SealedWords {
 public:
  SealedWords() = default;
  /// Looks at the sizes of sections only.
  explicit SealedWords(std::shared_ptr<const IndexImage> image);

  std::size_t rows() const noexcept { return rows_; }
  bool has_weights() const noexcept { return !weights_.empty(); }
  NodeId node(std::size_t row) const noexcept { return nodes_[row]; }
  float weight(std::size_t row) const;
  /// At least the weight of each row of the block.
  float block_weight(std::size_t block) const;

  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  /// The rows of a word.
  Range find(std::string_view word) const;
  /// The rows of words that begin with the prefix.
  Range with_prefix(std::string_view prefix) const;
  /// Calls `found(row, distance)` for each row whose word is within `max_edits` of the query, in order.
  void within(std::string_view query, std::size_t max_edits, const std::function<void(std::size_t, std::size_t)>& found,
              const StopToken& stop) const;

  std::size_t blocks() const noexcept { return blocks_.size(); }
  BlockCursor block(std::size_t number) const;

 private:
  std::string_view head(std::size_t block) const;
  /// The first row for which `before(word)` is false; it is true for all rows before that.
  template <class Before>
  std::size_t partition(Before before) const;
  /// The rows of a word whose first one would be `first`; an empty range if that has another word.
  Range rows_of(std::size_t first, std::string_view word) const;

  std::shared_ptr<const IndexImage> image_;
  std::span<const std::uint32_t> blocks_;  ///< Where each begins in words_.
  std::string_view words_;
  std::span<const std::uint32_t> slots_;
  detail::ImageNodes nodes_;
  std::span<const float> weights_;
  std::span<const float> block_weights_;
  std::size_t rows_ = 0;
};

/// Goes through the rows in order, from the first of a block on.
class SealedCursor {
 public:
  explicit SealedCursor(const SealedWords& words, std::size_t block = 0)
      : words_(&words), next_row_(block * kRowsInBlock) {}

  bool next();
  const std::string& word() const noexcept { return word_; }
  std::size_t row() const noexcept { return next_row_ - 1; }

 private:
  const SealedWords* words_;
  std::optional<BlockCursor> block_;
  std::string word_;
  std::size_t next_row_;
};

/// Makes a dictionary of rows that are added in order.
class WordsWriter {
 public:
  explicit WordsWriter(bool has_weights) : has_weights_(has_weights) {}

  void add(std::string_view word, NodeId node, float weight);
  /// Errors: Errc::limit_exceeded above 2^32 - 2 rows; the output's.
  void finish(IndexOutput& output);

 private:
  void write_slots(IndexOutput& output);

  bool has_weights_;
  std::vector<std::uint32_t> blocks_;
  std::string words_;
  std::string last_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> firsts_;  ///< Hash and first row of each word.
  std::vector<NodeId> nodes_;
  std::vector<float> weights_;
  std::vector<float> block_weights_;
};

}  // namespace ragstone::words
