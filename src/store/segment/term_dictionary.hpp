#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The stored form of a dictionary: terms ascend by bytes, in blocks of kTermsInBlock, each term after the first of a
/// block without the prefix that it shares with the one before; src/store/FORMAT.md describes it.
namespace ragstone::segment {

inline constexpr std::size_t kTermsInBlock = 16;

/// Where the postings of a term are.
struct TermEntry {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t count = 0;
};

/// Reads a dictionary in place; what it returns may be wrong if the bytes are damaged, and no more than that.
class TermDictionary {
 public:
  TermDictionary() = default;
  /// Both outlive the dictionary.
  TermDictionary(std::span<const std::uint64_t> blocks, std::string_view bytes) : blocks_(blocks), bytes_(bytes) {}

  /// Nothing for an unknown term. Errors: Errc::corrupt_store.
  std::optional<TermEntry> find(std::string_view term) const;
  std::size_t blocks() const noexcept { return blocks_.size(); }

 private:
  friend class TermCursor;

  /// Errors: Errc::corrupt_store.
  std::string_view block(std::size_t number) const;
  std::string_view first_term(std::size_t number) const;

  std::span<const std::uint64_t> blocks_;  ///< Where each block begins.
  std::string_view bytes_;
};

/// Goes through a dictionary in order.
class TermCursor {
 public:
  /// `dictionary` outlives the cursor, which begins before the first term of the block.
  explicit TermCursor(const TermDictionary& dictionary, std::size_t block = 0)
      : dictionary_(&dictionary), next_block_(block) {}

  /// False at the end. Errors: Errc::corrupt_store.
  bool next();
  std::string_view term() const noexcept { return term_; }
  const TermEntry& entry() const noexcept { return entry_; }

 private:
  const TermDictionary* dictionary_;
  std::size_t next_block_;
  std::string_view rest_;  ///< Of the block.
  std::string term_;
  TermEntry entry_;
};

/// Builds a dictionary in memory.
class TermDictionaryWriter {
 public:
  /// `term` is above all before.
  void add(std::string_view term, const TermEntry& entry);

  std::span<const std::uint64_t> blocks() const noexcept { return blocks_; }
  std::string_view bytes() const noexcept { return bytes_; }

 private:
  std::vector<std::uint64_t> blocks_;
  std::string bytes_;
  std::string last_;
  std::size_t in_block_ = kTermsInBlock;
};

}  // namespace ragstone::segment
