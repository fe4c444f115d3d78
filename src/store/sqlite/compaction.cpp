#include "store/sqlite/compaction.hpp"

#include "store/sqlite/source_rows.hpp"
#include "store/sqlite/text_blocks.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <utility>
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

bool has_many_free_pages(Database& database) {
  const std::int64_t free = value_of(database, "PRAGMA freelist_count");
  return free >= kMinFreePages && free * 4 >= value_of(database, "PRAGMA page_count");
}

bool reaches(const TextPlace& text, std::int64_t block) {
  if (text.size == 0 || text.block > block) return false;
  const std::uint64_t last = text.offset + text.size - 1;
  return text.block + static_cast<std::int64_t>(last / kTextBlockBytes) >= block;
}

/// The sources whose texts lie in a block.
std::vector<SourceRow> sources_in(Database& database, std::int64_t block) {
  static const std::string sql = std::string("SELECT ") + kSourceColumns + " FROM source WHERE number = ?1";
  std::vector<SourceRow> sources;
  for (const std::int64_t number : sources_of_block(database, block)) {
    Statement& read = database.statement(sql);
    const Rows guard(read);
    read.bind_integer(1, number);
    if (!read.step()) continue;
    SourceRow source = read_source(read);
    // It may have been removed or rewritten since. A damaged record stays as it is, for verify() to find.
    const bool is_here = source.has_content() && digest_of(source) == source.digest && reaches(source.text, block);
    if (is_here) sources.push_back(std::move(source));
  }
  return sources;
}

}  // namespace

bool needs_compaction(Database& database) { return !sparse_blocks(database).empty() || has_many_free_pages(database); }

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
      source.text = writer.add(text, source.number);
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
  if (!has_many_free_pages(database)) return false;
  database.statement(kFreeSome).run();
  return true;
}

}  // namespace ragstone::sqlite
