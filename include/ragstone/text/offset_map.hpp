#pragma once

#include <ragstone/base/span.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ragstone {

/// Where each byte of a source's UTF-8 text stands in the original file. Exact between code points and monotone.
///
/// A file that was UTF-8 costs nothing; of other encodings the map holds one byte per run of characters of equal size
/// (a few per cent of the text's size in practice). Concurrent reads are safe.
class OffsetMap {
 public:
  /// file offset = text offset + shift, where `shift` is the size of a byte order mark.
  OffsetMap() = default;
  explicit OffsetMap(std::uint64_t shift) : shift_(shift) {}

  /// The file offset of a text offset; within a character, that of its first byte; beyond the text, the file's end
  /// (for a map without runs: offset + shift).
  std::uint64_t to_file(std::uint64_t text_offset) const noexcept;
  Span to_file(Span text_span) const noexcept { return {to_file(text_span.begin), to_file(text_span.end)}; }

  /// True if the map is a shift.
  bool is_shift() const noexcept { return runs_.empty(); }

  /// A byte string for stores; parse() gives back an equal map.
  std::string serialize() const;
  /// Checks everything. Errors: Errc::corrupt_store.
  static OffsetMap parse(std::string_view bytes);

  friend bool operator==(const OffsetMap& a, const OffsetMap& b) noexcept {
    return a.shift_ == b.shift_ && a.sizes_ == b.sizes_ && a.runs_ == b.runs_;
  }

 private:
  friend class OffsetMapBuilder;

  // Bytes of one character in the text and in the file.
  struct Sizes {
    std::uint8_t text = 0;
    std::uint8_t file = 0;
    friend bool operator==(Sizes, Sizes) noexcept = default;
  };
  // The state before a run, every so many runs.
  struct Checkpoint {
    std::uint64_t text = 0;
    std::uint64_t file = 0;
    std::uint64_t run = 0;  // offset in runs_
  };

  bool build_checkpoints();

  std::uint64_t shift_ = 0;
  std::vector<Sizes> sizes_;
  // Runs of characters of equal sizes: a byte with the index in sizes_ (high half) and the count (low half, 1 to 15),
  // or count 0 and the true count as a varint.
  std::string runs_;
  std::vector<Checkpoint> checkpoints_;
  std::uint64_t text_size_ = 0;
  std::uint64_t file_size_ = 0;
};

/// Makes an OffsetMap character by character.
class OffsetMapBuilder {
 public:
  explicit OffsetMapBuilder(std::uint64_t shift) { map_.shift_ = shift; }

  /// `count` characters that take `text_bytes` each in the text (1 to 255) and `file_bytes` each in the file (0 to
  /// 255). Errors: Errc::internal for a 17th pair of sizes.
  void add(std::uint8_t text_bytes, std::uint8_t file_bytes, std::uint64_t count = 1);

  OffsetMap finish();

 private:
  void flush();

  OffsetMap map_;
  std::size_t kind_ = 0;
  std::uint64_t count_ = 0;
};

static_assert(!std::is_aggregate_v<OffsetMap>);

}  // namespace ragstone
