#pragma once

#include "store/segment/dense_part.hpp"
#include "store/segment/field_part.hpp"
#include "store/segment/sparse_part.hpp"
#include "store/sqlite/catalog.hpp"
#include "store/sqlite/field_settings.hpp"
#include "store/sqlite/fresh_sources.hpp"
#include "store/sqlite/lost_columns.hpp"
#include <ragstone/index/vector_index.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace ragstone::sqlite {

using PartNumber = std::int64_t;
using PartData = std::variant<std::shared_ptr<const segment::DensePart>, std::shared_ptr<const segment::SparsePart>,
                              std::shared_ptr<const segment::FieldPart>>;

/// A part of a column as a snapshot sees it.
struct Part {
  PartNumber number = 0;
  std::string file;  ///< In the folder of segments; empty while its image is staged in the database.
  PartData data;
  segment::DeadRows dead;
  std::uint64_t dead_tokens = 0;  ///< Of a sparse part.
  std::size_t logged_dead = 0;    ///< How many dead rows are single rows in the database.
  Generation commit = 0;          ///< Of a staged part, whose row of the log it is in; 0: a row of its own.

  bool is_staged() const noexcept { return file.empty(); }
  std::size_t rows() const noexcept;
  std::size_t live_rows() const noexcept { return rows() - dead.count(); }
  std::optional<std::uint32_t> find(NodeId node) const noexcept;
  /// Marks live rows dead.
  void kill(std::span<const std::uint32_t> killed);
};

/// The parts of one column definition, oldest first.
struct Column {
  std::vector<Part> parts;

  std::vector<segment::DenseView> dense() const;
  std::vector<segment::SparseView> sparse() const;
  std::vector<segment::FieldView> fields() const;
  segment::SparseTotals totals() const;
};

class UnreadParts;

/// All that a snapshot keeps in memory. A copy shares everything of size.
struct State {
  Catalog catalog;
  std::map<DefinitionNumber, std::shared_ptr<const Column>> columns;  ///< Those that have parts.
  std::shared_ptr<const FieldSettings> fields = std::make_shared<const FieldSettings>();
  std::shared_ptr<const VectorIndexes> vector_indexes = std::make_shared<const VectorIndexes>();
  std::shared_ptr<const LostColumns> lost = std::make_shared<const LostColumns>();
  std::shared_ptr<const FreshSources> fresh = std::make_shared<const FreshSources>();
  std::shared_ptr<UnreadParts> unread;  ///< What is missing in `columns`; null: nothing.

  const Column* column(DefinitionNumber definition) const;
};

}  // namespace ragstone::sqlite
