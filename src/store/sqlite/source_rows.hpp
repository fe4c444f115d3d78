#pragma once

#include "store/sqlite/catalog.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/text_blocks.hpp"
#include <ragstone/store/commit.hpp>
#include <ragstone/text/offset_map.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone::sqlite {

/// A row of the table `source`.
struct SourceRow {
  std::int64_t number = 0;
  SourceRecord record;
  TextPlace text;
  std::int64_t text_digest = 0;
  std::int64_t digest = 0;  ///< As it was read.
  std::string groups;       ///< See parse_groups().

  bool has_content() const noexcept { return record.generation != 0; }
};

/// The nodes of one group of one source, and the columns that they have; an entry of `source.groups`.
struct SourceGroup {
  DefinitionNumber definition = 0;
  std::vector<NodeId> nodes;  ///< In the order of their numbers.
  std::vector<DefinitionNumber> columns;
  std::int64_t node_digest = 0;  ///< Over the nodes, in this order: see add_to_digest().
  std::int64_t digest = 0;       ///< As it was read.
};

inline constexpr char kSourceColumns[] =
    "number, id, generation, content, size, modified_ns, text_bytes, text_block, text_offset, state, stage, "
    "failed_as_stored, attempts, reason, reader, metadata, offset_map, text_digest, digest, groups";

/// The source in the current row of a statement that selects kSourceColumns.
SourceRow read_source(const Statement& row);
std::optional<SourceRow> find_source(Database& database, std::string_view id);
/// At most `limit` sources from that number on, ascending.
std::vector<SourceRow> read_sources(Database& database, std::int64_t first, std::size_t limit);
/// Ascending.
std::vector<std::int64_t> all_source_numbers(Database& database);

/// Inserts, or replaces the row of that number.
void write_source(Database& database, const SourceRow& row);
void erase_source(Database& database, std::int64_t number);

/// `end`, `most`: see read_ids(). Errors: Errc::corrupt_store.
std::vector<SourceGroup> parse_groups(std::string_view bytes, NodeId end, std::size_t most = SIZE_MAX);
std::string format_groups(std::span<const SourceGroup> groups);
/// Those of the source of that number.
std::vector<SourceGroup> read_groups(Database& database, std::int64_t source, NodeId end);
/// That of the source of that number; null where it has none.
std::shared_ptr<const OffsetMap> read_offset_map(Database& database, std::int64_t source);
/// Replaces the groups of a source that is stored.
void write_groups(Database& database, std::int64_t source, std::string_view groups);

/// What `digest` must be.
std::int64_t digest_of(const SourceRow& row);
std::int64_t digest_of(std::int64_t source, const SourceGroup& group, const Catalog& catalog);

}  // namespace ragstone::sqlite
