#pragma once

#include "store/sqlite/database.hpp"
#include <ragstone/base/span.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone::sqlite {

/// Where a source's text lies: in the concatenation of the blocks from `block` on, after `offset` bytes.
struct TextPlace {
  std::int64_t block = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;

  friend bool operator==(const TextPlace&, const TextPlace&) = default;
};

inline constexpr std::uint64_t kTextBlockBytes = 64 * 1024;

/// Whether a text can lie there where `next_block` is the first free number: a damaged record may say anything.
bool is_possible(const TextPlace& place, std::int64_t next_block) noexcept;

/// Writes the texts of one transaction one after the other into blocks of kTextBlockBytes, so that many small texts
/// share one; all but the last block are full.
class TextWriter {
 public:
  /// `next_block` is the first free number, and is moved on.
  TextWriter(Database& database, std::int64_t& next_block) : database_(database), next_block_(next_block) {}

  /// `source`: the number of the one that the text belongs to.
  TextPlace add(std::string_view text, std::int64_t source);
  /// Gives back what a text took; a block without live text is deleted.
  void remove(const TextPlace& place);
  /// Writes what is left; to be called once, before the commit.
  void finish();

 private:
  void write_block();
  void free(std::int64_t block, std::int64_t bytes);

  Database& database_;
  std::int64_t& next_block_;
  std::string open_;                        ///< The block next_block_.
  std::vector<std::int64_t> open_sources_;  ///< Those with text in it.
  std::map<std::int64_t, std::int64_t> freed_;
};

/// The numbers of the sources that had text in a block when it was written.
std::vector<std::int64_t> sources_of_block(Database& database, std::int64_t block);

/// Blocks that were read lately. What is in a committed block never changes, and its number is never used again.
/// Thread-safe.
class TextBlockCache {
 public:
  /// Null if it is not there.
  std::shared_ptr<const std::string> find(std::int64_t block);
  void add(std::int64_t block, std::shared_ptr<const std::string> bytes);
  /// Whether the block was asked for several times lately, so that reading it whole may pay; notes it.
  bool is_wanted_again(std::int64_t block);

 private:
  struct Entry {
    std::int64_t block = 0;
    std::uint64_t used = 0;
    std::shared_ptr<const std::string> bytes;
  };

  struct Asked {
    std::int64_t block = 0;
    unsigned times = 0;
  };

  std::mutex mutex_;
  std::uint64_t clock_ = 0;
  std::vector<Entry> entries_;
  std::array<Asked, 256> asked_{};  ///< By number, modulo.
};

/// `span` of the text at `place`. Errors: Errc::corrupt_store if a block is missing or short, or it does not contain
/// the span. `cache`: blocks are looked for and kept there; null for one that will not be asked again.
std::string read_text(Database& database, const TextPlace& place, Span span, TextBlockCache* cache = nullptr);

}  // namespace ragstone::sqlite
