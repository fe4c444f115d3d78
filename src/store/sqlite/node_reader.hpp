#pragma once

#include "kernel/stop_poll.hpp"
#include "store/segment/part.hpp"
#include "store/sqlite/node_rows.hpp"
#include "store/sqlite/source_cache.hpp"
#include "store/sqlite/state.hpp"
#include "store/sqlite/text_blocks.hpp"
#include <ragstone/store/snapshot.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace ragstone::sqlite {

/// What readers of one snapshot share.
struct NodeCaches {
  SourceCache& sources;
  TextBlockCache& blocks;
};

/// Nodes with the numbers of their sources.
struct NodeSources {
  std::vector<NodeId> nodes;
  std::vector<segment::SourceNumber> sources;  ///< [node]
};

/// Answers one NodeQuery.
class NodeReader {
 public:
  /// All outlive it.
  NodeReader(Database& database, const State& state, const NodeQuery& query, const NodeCaches& caches,
             const StopToken& stop)
      : database_(database),
        catalog_(state.catalog),
        fresh_(*state.fresh),
        query_(query),
        caches_(caches),
        poll_(stop) {}

  std::vector<Node> read() &&;
  /// All nodes of the query's group, ascending by id. Nothing else of the query counts.
  NodeSources read_sources() &&;

 private:
  void read_ids();
  void read_source(std::int64_t number);
  void read_fresh(const FreshSource& source);
  void read_group();
  /// Calls `visit(node)`, without what is kept of a node apart, for each node of the group from query_.after on, in
  /// ascending order by id, until it says false.
  template <class Visit>
  void visit_group(Visit visit);
  /// False once there are enough.
  bool take(StoredNode node);
  bool in_group(const StoredNode& node) const;
  std::shared_ptr<const NodeSource> source(std::int64_t number);
  std::string span_text(const StoredNode& node, const NodeSource& source);
  Node to_node(StoredNode& node, const NodeSource& source);

  Database& database_;
  const Catalog& catalog_;
  const FreshSources& fresh_;
  const NodeQuery& query_;
  const NodeCaches caches_;
  kernel::StopPoll poll_;
  std::unordered_map<std::int64_t, std::shared_ptr<const NodeSource>> sources_;
  std::vector<Node> found_;
};

}  // namespace ragstone::sqlite
