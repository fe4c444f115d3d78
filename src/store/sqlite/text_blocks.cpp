#include "store/sqlite/text_blocks.hpp"

#include <ragstone/base/error.hpp>

#include <algorithm>
#include <string>

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

TextPlace TextWriter::add(std::string_view text) {
  const TextPlace place{next_block_, open_.size(), text.size()};
  while (!text.empty()) {
    const std::size_t size = std::min<std::size_t>(text.size(), kTextBlockBytes - open_.size());
    open_.append(text.substr(0, size));
    text.remove_prefix(size);
    if (open_.size() == kTextBlockBytes) write_block();
  }
  for_each_piece(place.block, place.offset, place.offset + place.size,
                 [this](std::int64_t block, std::uint64_t, std::uint64_t size) {
                   use_[block] += static_cast<std::int64_t>(size);
                 });
  return place;
}

void TextWriter::remove(const TextPlace& place) {
  for_each_piece(place.block, place.offset, place.offset + place.size,
                 [this](std::int64_t block, std::uint64_t, std::uint64_t size) {
                   use_[block] -= static_cast<std::int64_t>(size);
                 });
}

void TextWriter::finish() {
  if (!open_.empty()) write_block();
  for (const auto& [block, difference] : use_)
    if (difference != 0) change_use(block, difference);
  use_.clear();
}

void TextWriter::write_block() {
  Statement& insert = database_.statement("INSERT INTO text_block(number, bytes) VALUES(?1, ?2)");
  insert.bind_integer(1, next_block_);
  insert.bind_blob(2, open_);
  insert.run();
  sizes_[next_block_] = open_.size();
  open_.clear();
  ++next_block_;
}

void TextWriter::change_use(std::int64_t block, std::int64_t difference) {
  const auto written = sizes_.find(block);
  Statement& change = database_.statement(
      "INSERT INTO text_use(block, live, size) VALUES(?1, ?2, ?3) "
      "ON CONFLICT(block) DO UPDATE SET live = live + excluded.live RETURNING live");
  change.bind_integer(1, block);
  change.bind_integer(2, difference);
  change.bind_integer(3, written == sizes_.end() ? 0 : static_cast<std::int64_t>(written->second));
  const bool unused = change.step() && change.integer(0) <= 0;
  change.reset();
  if (!unused) return;
  for (const char* sql : {"DELETE FROM text_block WHERE number = ?1", "DELETE FROM text_use WHERE block = ?1"}) {
    Statement& erase = database_.statement(sql);
    erase.bind_integer(1, block);
    erase.run();
  }
}

std::string read_text(Database& database, const TextPlace& place, Span span) {
  std::string text;
  text.reserve(span.size());
  for_each_piece(place.block, place.offset + span.begin, place.offset + span.end,
                 [&](std::int64_t block, std::uint64_t offset, std::uint64_t size) {
                   Statement& read = database.statement("SELECT bytes FROM text_block WHERE number = ?1");
                   const Rows guard(read);
                   read.bind_integer(1, block);
                   const std::string_view bytes = read.step() ? read.blob(0) : std::string_view();
                   if (offset + size > bytes.size())
                     throw Error(Errc::corrupt_store, "read text: block " + std::to_string(block) +
                                                          " is missing or too short; verify the store, then recover "
                                                          "it");
                   text.append(bytes.substr(offset, size));
                 });
  return text;
}

}  // namespace ragstone::sqlite
