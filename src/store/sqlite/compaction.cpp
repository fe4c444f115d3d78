#include "store/sqlite/compaction.hpp"

#include "store/sqlite/source_rows.hpp"
#include "store/sqlite/text_blocks.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace ragstone::sqlite {
namespace {

// To move a long text for the sake of one block costs more than it gives.
constexpr std::uint64_t kMaxMovedText = std::uint64_t{1} << 20;
constexpr std::int64_t kMinFreePages = 256;
constexpr char kFreeSome[] = "PRAGMA incremental_vacuum(1024)";

std::int64_t value_of(Database& database, const char* sql) {
  Statement& read = database.statement(sql);
  const Rows guard(read);
  return read.step() ? read.integer(0) : 0;
}

/// A few blocks of which less than half is in use.
std::vector<std::int64_t> sparse_blocks(Database& database) {
  std::vector<std::int64_t> blocks;
  Statement& read = database.statement("SELECT block FROM text_use WHERE live * 2 < size ORDER BY live LIMIT 16");
  const Rows guard(read);
  while (read.step()) blocks.push_back(read.integer(0));
  return blocks;
}

/// The sources with text in a block: those that begin in it, and the last one before it if it reaches so far.
std::vector<SourceRow> sources_in(Database& database, std::int64_t block) {
  static const std::string columns = std::string("SELECT ") + kSourceColumns + " FROM source WHERE ";
  static const std::string within = columns + "text_block = ?1 AND text_bytes > 0";
  static const std::string before = columns +
                                    "text_block < ?1 AND text_bytes > 0 "
                                    "ORDER BY text_block DESC, text_offset DESC LIMIT 1";
  std::vector<SourceRow> sources;
  for (const std::string* sql : {&within, &before}) {
    Statement& read = database.statement(*sql);
    const Rows guard(read);
    read.bind_integer(1, block);
    while (read.step()) sources.push_back(read_source(read));
  }
  if (sources.empty() || sources.back().text.block == block) return sources;
  const TextPlace& last = sources.back().text;
  const std::uint64_t end = last.offset + last.size;
  if (last.block + static_cast<std::int64_t>((end - 1) / kTextBlockBytes) < block) sources.pop_back();
  return sources;
}

}  // namespace

bool compact_texts(Database& database, Catalog& catalog) {
  const std::vector<std::int64_t> blocks = sparse_blocks(database);
  if (blocks.empty()) return false;
  TextWriter writer(database, catalog.next_block);
  std::set<std::int64_t> moved;
  for (const std::int64_t block : blocks)
    for (SourceRow& source : sources_in(database, block)) {
      if (source.text.size > kMaxMovedText || !moved.insert(source.number).second) continue;
      const std::string text = read_text(database, source.text, {0, source.text.size});
      writer.remove(source.text);
      source.text = writer.add(text);
      write_source(database, source);
    }
  writer.finish();
  // What is left belongs to long texts and stays: such a block counts as full from now on.
  Statement& settle = database.statement("UPDATE text_use SET size = live WHERE block = ?1");
  for (const std::int64_t block : blocks) {
    settle.bind_integer(1, block);
    settle.run();
  }
  return true;
}

bool free_pages(Database& database) {
  const std::int64_t free = value_of(database, "PRAGMA freelist_count");
  if (free < kMinFreePages || free * 4 < value_of(database, "PRAGMA page_count")) return false;
  database.statement(kFreeSome).run();
  return true;
}

}  // namespace ragstone::sqlite
