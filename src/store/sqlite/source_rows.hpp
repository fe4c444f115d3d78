#pragma once

#include "store/sqlite/catalog.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/text_blocks.hpp"
#include <ragstone/store/commit.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone::sqlite {

/// A row of the table `source`.
struct SourceRow {
  std::int64_t number = 0;
  SourceRecord record;
  TextPlace text;

  bool has_content() const noexcept { return record.generation != 0; }
};

/// A row of the table `source_group`.
struct SourceGroup {
  DefinitionNumber definition = 0;
  std::vector<NodeId> nodes;  ///< In the order of their numbers.
  std::vector<DefinitionNumber> columns;
};

inline constexpr char kSourceColumns[] =
    "number, id, generation, content, size, modified_ns, text_bytes, text_block, text_offset, state, stage, "
    "failed_as_stored, attempts, reason, reader, metadata, offset_map";

/// The source in the current row of a statement that selects kSourceColumns.
SourceRow read_source(const Statement& row);
std::optional<SourceRow> find_source(Database& database, std::string_view id);
/// Inserts, or replaces the row of that number.
void write_source(Database& database, const SourceRow& row);
void erase_source(Database& database, std::int64_t number);

std::vector<SourceGroup> read_groups(Database& database, std::int64_t source);
/// Inserts, or replaces the row of that definition.
void write_group(Database& database, std::int64_t source, const SourceGroup& group);
void erase_group(Database& database, std::int64_t source, DefinitionNumber definition);

}  // namespace ragstone::sqlite
