#pragma once

#include "store/sqlite/catalog.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/digest.hpp"
#include <ragstone/base/node.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ragstone::sqlite {

/// A node of the table `node_run`, with what `node_extra` has for it.
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

// So that a row of them fits into a page.
inline constexpr std::size_t kNodesOfRun = 32;

inline constexpr char kNodeRunColumns[] = "first, source, definition, nodes";

/// The nodes in the current row of a statement that selects kNodeRunColumns, without text and metadata.
/// Errors: Errc::corrupt_store.
std::vector<StoredNode> read_node_run(const Statement& row);
/// Fills in a node's own text and metadata.
void read_extra(Database& database, StoredNode& node);

/// Finds nodes by id. Those that are asked for one after the other are read together.
class NodeFinder {
 public:
  explicit NodeFinder(Database& database) : database_(database) {}

  /// Without text and metadata. Null if it is not stored; valid until the next call.
  StoredNode* find(NodeId id);

 private:
  Database& database_;
  std::vector<StoredNode> run_;
};

std::optional<StoredNode> find_node(Database& database, NodeId id);

/// Writes nodes of groups, those of each in their order: a row holds nodes whose ids follow each other.
class NodeWriter {
 public:
  explicit NodeWriter(Database& database) : database_(database) {}

  void add(const StoredNode& node);
  /// To be called once, after the last node.
  void finish();

 private:
  Database& database_;
  std::vector<StoredNode> run_;  ///< Without text and metadata.
};

/// Erases the nodes of a group; the text and metadata of those that have some are erase_extra()'s.
void erase_nodes(Database& database, std::span<const NodeId> nodes);
/// Erases a node's own text and metadata, if it has some.
void erase_extra(Database& database, const StoredNode& node);

/// Adds all of a node, its own text and metadata included, but not its source and definition.
void add_to_digest(Digest& digest, const StoredNode& node);

}  // namespace ragstone::sqlite
