#pragma once

#include <ragstone/base/error.hpp>
#include <ragstone/base/filter.hpp>
#include <ragstone/index/bm25.hpp>
#include <ragstone/index/metric.hpp>
#include <ragstone/store/commit.hpp>
#include <ragstone/store/snapshot.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What a store must do, written as plainly as possible: maps, copies, loops over everything. The reference that every
/// engine is compared with; its BM25 and its distances are the reference for faster ones.
namespace ragstone::test {

struct PlainColumn {
  std::string signature;
  std::uint32_t dimension = 0;                       ///< 0: sparse.
  std::vector<std::vector<float>> vectors;           ///< By node number.
  std::vector<std::map<std::string, double>> terms;  ///< By node number.
  std::vector<std::uint32_t> lengths;
};

struct PlainNode {
  NodeId id = 0;  ///< 0 until bind() has learnt it.
  Uid uid;
  std::optional<Uid> parent;
  Hash128 content;
  Span span;
  bool is_span = true;
  std::string text;
  Metadata own;
  Metadata visible;
};

struct PlainGroup {
  std::string parent;
  std::string signature;
  std::vector<PlainNode> nodes;
  std::map<std::string, PlainColumn> columns;
};

struct PlainSource {
  SourceRecord record;
  std::optional<std::string> text;
  std::map<std::string, PlainGroup> groups;
};

/// What a commit is expected to do.
struct PlainResult {
  std::optional<Errc> error;
  std::vector<std::string> skipped;
  std::vector<std::string> removed;
  std::map<std::string, std::set<std::pair<std::string, Uid>>> upserts;  ///< Per group: source and uid.
  std::map<std::string, std::set<NodeId>> removed_nodes;                 ///< Per group.
};

class PlainModel {
 public:
  using Scores = std::map<NodeId, double>;

  Generation generation = 0;
  NodeId last_id = 0;  ///< The highest ever seen.
  std::map<std::string, PlainSource> sources;
  std::vector<std::vector<GroupChange>> log;  ///< What commits 1, 2, ... did.

  /// Applies a commit that is well-formed by itself; the state stays as it is if the result has an error.
  PlainResult apply(const Commit& commit);

  /// Compares all that the snapshot says of sources and nodes with this model, as test expectations, and learns the ids
  /// of new nodes, which must be new ones.
  void bind(const StoreSnapshot& snapshot);

  std::vector<const PlainNode*> nodes(const std::string& group) const;
  /// Source, group and node of an id.
  struct Place {
    std::string source;
    std::string group;
    const PlainNode* node = nullptr;
  };
  Place find(NodeId id) const;

  /// Scores of all nodes that hold one of the terms, whatever the filter.
  Scores bm25(const std::string& group, const std::string& key, const std::vector<TermWeight>& terms,
              const Bm25Parameters& parameters) const;
  /// Scores of all nodes; none if some column has another dimension than the query.
  std::optional<Scores> distances(const std::string& group, const std::string& key, const std::vector<float>& query,
                                  Metric metric) const;
  /// Leaves out what the filter refuses.
  Scores filtered(Scores scores, const Filter& filter) const;
  std::vector<std::string> pending(const PendingQuery& query) const;
  /// What happened to a group after `since`.
  GroupChange changes(const std::string& group, Generation since) const;

 private:
  void write_group(const std::string& id, PlainSource& source, const PlainGroup* old, const GroupRows& rows,
                   PlainResult& result) const;
  void write_source(const SourceWrite& write, PlainResult& result);
  void write_groups(const GroupWrite& write, PlainResult& result);
  bool dimensions_agree() const;
};

}  // namespace ragstone::test
