#pragma once

#include <ragstone/base/node.hpp>
#include <ragstone/store/commit.hpp>

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// What the memory store keeps of one source. Everything here is immutable once it is part of a snapshot, and shared
/// by all snapshots that have it.
namespace ragstone::memory {

/// What nodes take from their source.
struct SourceBody {
  std::string id;
  Metadata metadata;
  std::string text;
};

struct GroupDefinition {
  std::string group;
  std::string parent;
  std::string signature;

  friend bool operator==(const GroupDefinition&, const GroupDefinition&) = default;
};

struct ColumnDefinition {
  std::string key;
  std::string signature;
  std::uint32_t dimension = 0;  ///< 0: sparse.

  bool is_dense() const noexcept { return dimension > 0; }

  friend auto operator<=>(const ColumnDefinition&, const ColumnDefinition&) = default;
};

struct StoredRow {
  NodeId id = 0;
  NodeId parent = 0;
  Uid uid;
  Hash128 content;
  Span span;
  bool is_span = true;
  std::string text;
  Metadata metadata;
};

/// The nodes of one group of one source.
struct StoredRows {
  std::shared_ptr<const SourceBody> source;
  std::shared_ptr<const GroupDefinition> definition;
  std::vector<StoredRow> rows;
};

/// StoredRows and which columns they have; what is in those is in segments.
struct StoredGroup {
  std::shared_ptr<const StoredRows> nodes;
  std::vector<std::shared_ptr<const ColumnDefinition>> columns;
};

struct StoredSource {
  SourceRecord record;
  std::shared_ptr<const SourceBody> body;  ///< Null if the source has never been stored.
  std::vector<std::shared_ptr<const StoredGroup>> groups;

  /// Null if there is no such group.
  const StoredGroup* find(std::string_view group) const noexcept;
};

/// Null if there is no such column.
const ColumnDefinition* find_column(const StoredGroup& group, std::string_view key) noexcept;

Node to_node(const StoredRows& nodes, std::size_t number, bool with_text);

}  // namespace ragstone::memory
