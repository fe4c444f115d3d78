#pragma once

#include "store/coding.hpp"
#include "store/sqlite/node_rows.hpp"

#include <cstdint>

/// How nodes of a group of a source are written one after the other: src/store/FORMAT.md, `node_run.nodes`. Ids, texts
/// and metadata are their callers'.
namespace ragstone::sqlite {

/// What the next node's numbers are differences from.
struct NodePosition {
  NodeId parent = 0;
  std::uint64_t begin = 0;
};

void write_node(ByteWriter& out, const StoredNode& node, NodePosition& position);
/// Fills in what write_node() wrote.
void read_node(ByteReader& in, StoredNode& node, NodePosition& position);

}  // namespace ragstone::sqlite
