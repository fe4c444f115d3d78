#pragma once

#include "store/sqlite/catalog.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/digest.hpp"
#include <ragstone/base/node.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace ragstone::sqlite {

/// A row of the table `node`, with what `node_extra` has for it.
struct StoredNode {
  NodeId id = 0;
  std::int64_t source = 0;
  DefinitionNumber definition = 0;
  std::uint32_t number = 0;
  NodeId parent = 0;
  Span span;
  bool is_span = true;
  bool has_metadata = false;
  Uid uid;
  Hash128 content;
  std::string text;   ///< Only if !is_span.
  Metadata metadata;  ///< Its own.
};

inline constexpr char kNodeColumns[] = "id, source, definition, number, parent, begin, size, flags, hashes";

/// The node in the current row of a statement that selects kNodeColumns, without text and metadata.
StoredNode read_node(const Statement& row);
/// Fills in a node's own text and metadata.
void read_extra(Database& database, StoredNode& node);
std::optional<StoredNode> find_node(Database& database, NodeId id);

/// `before` (null: none) is the node that is stored under that id.
void write_node(Database& database, const StoredNode& node, const StoredNode* before);
void erase_node(Database& database, const StoredNode& node);

/// Adds all of a node, its own text and metadata included, but not its source and definition.
void add_to_digest(Digest& digest, const StoredNode& node);

}  // namespace ragstone::sqlite
