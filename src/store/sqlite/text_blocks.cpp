#include "store/sqlite/text_blocks.hpp"

#include "store/sqlite/blobs.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

namespace ragstone::sqlite {
namespace {

/// Calls `visit(block, offset in the block, bytes)` for each piece of [begin, end) of the blocks from `first` on.
template <class Visit>
void for_each_piece(std::int64_t first, std::uint64_t begin, std::uint64_t end, Visit visit) {
  while (begin < end) {
    const std::uint64_t offset = begin % kTextBlockBytes;
    const std::uint64_t size = std::min(kTextBlockBytes - offset, end - begin);
    visit(first + static_cast<std::int64_t>(begin / kTextBlockBytes), offset, size);
    begin += size;
  }
}

}  // namespace

bool is_possible(const TextPlace& place, std::int64_t next_block) noexcept {
  if (place.size == 0) return true;
  if (place.block < 1 || place.block >= next_block) return false;
  if (place.offset >= kTextBlockBytes || place.size > INT64_MAX) return false;
  const std::uint64_t last = (place.offset + place.size - 1) / kTextBlockBytes;
  return last < static_cast<std::uint64_t>(next_block - place.block);
}

TextPlace TextWriter::add(std::string_view text, std::int64_t source) {
  const TextPlace place{next_block_, open_.size(), text.size()};
  while (!text.empty()) {
    const std::size_t size = std::min<std::size_t>(text.size(), kTextBlockBytes - open_.size());
    open_.append(text.substr(0, size));
    open_sources_.push_back(source);
    text.remove_prefix(size);
    if (open_.size() == kTextBlockBytes) write_block();
  }
  return place;
}

void TextWriter::remove(const TextPlace& place) {
  for_each_piece(place.block, place.offset, place.offset + place.size,
                 [this](std::int64_t block, std::uint64_t, std::uint64_t size) {
                   freed_[block] += static_cast<std::int64_t>(size);
                 });
}

void TextWriter::finish() {
  if (!open_.empty()) write_block();
  for (const auto& [block, bytes] : freed_) free(block, bytes);
  freed_.clear();
}

void TextWriter::write_block() {
  const std::string sources = write_numbers(open_sources_);
  Statement& insert = database_.statement("INSERT INTO text_block(number, sources, bytes) VALUES(?1, ?2, ?3)");
  insert.bind_integer(1, next_block_);
  insert.bind_blob(2, sources);
  insert.bind_blob(3, open_);
  insert.run();
  open_.clear();
  open_sources_.clear();
  ++next_block_;
}

void TextWriter::free(std::int64_t block, std::int64_t bytes) {
  Statement& change = database_.statement(
      "INSERT INTO text_use(block, live, size) SELECT number, length(bytes) - ?2, length(bytes) FROM text_block "
      "WHERE number = ?1 ON CONFLICT(block) DO UPDATE SET live = live - ?2 RETURNING live");
  change.bind_integer(1, block);
  change.bind_integer(2, bytes);
  const bool unused = change.step() && change.integer(0) <= 0;
  change.reset();
  if (!unused) return;
  for (const char* sql : {"DELETE FROM text_block WHERE number = ?1", "DELETE FROM text_use WHERE block = ?1"}) {
    Statement& erase = database_.statement(sql);
    erase.bind_integer(1, block);
    erase.run();
  }
}

std::vector<std::int64_t> sources_of_block(Database& database, std::int64_t block) {
  Statement& read = database.statement("SELECT sources FROM text_block WHERE number = ?1");
  const Rows guard(read);
  read.bind_integer(1, block);
  return read.step() ? read_numbers(read.blob(0)) : std::vector<std::int64_t>();
}

std::shared_ptr<const std::string> TextBlockCache::find(std::int64_t block) {
  const std::lock_guard lock(mutex_);
  for (Entry& entry : entries_) {
    if (entry.block != block) continue;
    entry.used = ++clock_;
    return entry.bytes;
  }
  return nullptr;
}

void TextBlockCache::add(std::int64_t block, std::shared_ptr<const std::string> bytes) {
  constexpr std::size_t kBlocks = 64;
  const std::lock_guard lock(mutex_);
  if (entries_.size() < kBlocks) {
    entries_.push_back({block, ++clock_, std::move(bytes)});
    return;
  }
  const auto oldest = std::min_element(entries_.begin(), entries_.end(),
                                       [](const Entry& a, const Entry& b) { return a.used < b.used; });
  *oldest = {block, ++clock_, std::move(bytes)};
}

bool TextBlockCache::is_wanted_again(std::int64_t block) {
  // A piece takes about 3 pages, a block 17.
  constexpr unsigned kPieces = 4;
  const std::lock_guard lock(mutex_);
  Asked& asked = asked_[static_cast<std::size_t>(block) % asked_.size()];
  if (asked.block != block) asked = {block, 0};
  return ++asked.times > kPieces;
}

namespace {

// A larger part of a block is read with all of it.
constexpr std::uint64_t kSmallPiece = 8192;
// Of a larger text the last block is looked for first.
constexpr std::uint64_t kCheckedBytes = std::uint64_t{1} << 20;

[[noreturn]] void refuse_block(std::int64_t block) {
  throw Error(Errc::corrupt_store, "read text: block " + std::to_string(block) +
                                       " is missing or too short; verify the store, then recover it");
}

/// Refuses what only damage can ask for, before memory is taken for it.
void check_place(Database& database, const TextPlace& place, Span span) {
  if (span.begin > span.end || span.end > place.size)
    throw Error(Errc::corrupt_store, "read text: a node lies outside of its text; verify the store, then recover it");
  if (span.begin == span.end) return;
  if (!is_possible(place, INT64_MAX)) refuse_block(place.block);
  if (span.size() <= kCheckedBytes) return;
  const std::int64_t last = place.block + static_cast<std::int64_t>((place.offset + span.end - 1) / kTextBlockBytes);
  Statement& read = database.statement("SELECT 1 FROM text_block WHERE number = ?1");
  const Rows guard(read);
  read.bind_integer(1, last);
  if (!read.step()) refuse_block(last);
}

/// Appends a piece of a block.
void append_piece(std::string& text, std::string_view bytes, std::int64_t block, std::uint64_t offset,
                  std::uint64_t size) {
  if (offset + size > bytes.size()) refuse_block(block);
  text.append(bytes.substr(offset, size));
}

}  // namespace

std::string read_text(Database& database, const TextPlace& place, Span span, TextBlockCache* cache) {
  check_place(database, place, span);
  std::string text;
  text.reserve(span.size());
  for_each_piece(place.block, place.offset + span.begin, place.offset + span.end,
                 [&](std::int64_t block, std::uint64_t offset, std::uint64_t size) {
                   if (cache) {
                     if (const auto known = cache->find(block)) return append_piece(text, *known, block, offset, size);
                     // The first question after an opening should not read blocks for a line of each.
                     if (size <= kSmallPiece && !cache->is_wanted_again(block)) {
                       if (!database.append_blob("text_block", "bytes", block, offset, size, text)) refuse_block(block);
                       return;
                     }
                   }
                   Statement& read = database.statement("SELECT bytes FROM text_block WHERE number = ?1");
                   const Rows guard(read);
                   read.bind_integer(1, block);
                   const std::string_view bytes = read.step() ? read.blob(0) : std::string_view();
                   append_piece(text, bytes, block, offset, size);
                   if (cache) cache->add(block, std::make_shared<const std::string>(bytes));
                 });
  return text;
}

}  // namespace ragstone::sqlite
