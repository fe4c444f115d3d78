#pragma once

#include <ragstone/base/filter.hpp>
#include <ragstone/base/node.hpp>
#include <ragstone/base/parallel.hpp>
#include <ragstone/base/stop.hpp>
#include <ragstone/index/bm25.hpp>
#include <ragstone/index/index.hpp>
#include <ragstone/store/commit.hpp>
#include <ragstone/store/search.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ragstone {

class OffsetMap;

/// The sparse column that BM25 uses.
inline constexpr char kBm25Key[] = "bm25";

/// Which nodes to read. All conditions must hold; nodes come in ascending id.
class NodeQuery {
 public:
  NodeQuery() = default;

  std::string group;  ///< May be empty only with `ids`.
  std::optional<std::string> source;
  std::optional<NodeId> parent;            ///< Only direct children of this node.
  std::optional<std::vector<NodeId>> ids;  ///< Only these, in this order; unknown ids are left out.
  Filter filter;
  NodeId after = 0;  ///< Only ids above it: for paging.
  std::size_t limit = SIZE_MAX;
  bool with_text = true;
};

/// Which sources to read; they come in ascending byte order of their ids.
class SourceQuery {
 public:
  SourceQuery() = default;

  std::optional<std::string> id;
  std::string after;  ///< Only ids above it: for paging.
  std::size_t limit = SIZE_MAX;
  bool failed_only = false;
};

/// A column that a group should have.
struct ColumnNeed {
  std::string key;
  std::string signature;
};

/// Asks which stored sources lack a group, or hold it or one of these columns under another signature.
class PendingQuery {
 public:
  PendingQuery() = default;

  std::string group;
  std::string signature;
  std::vector<ColumnNeed> columns;
  /// Only sources that hold the group, and lost rows of one of these columns to damage.
  bool lost_only = false;
  std::string after;
  std::size_t limit = SIZE_MAX;
};

/// How many sources hold the nodes of a group, or one of its columns, under one signature.
struct StoredForm {
  std::string key;  ///< Of the column; empty for the nodes.
  std::string signature;
  std::size_t sources = 0;

  friend bool operator==(const StoredForm&, const StoredForm&) = default;
};

/// A stored group and its parent group, "" for the root.
struct GroupInfo {
  std::string group;
  std::string parent;
  std::vector<StoredForm> forms = {};  ///< By ascending key, then signature.
};

/// Asks for the nodes that hold at least one of some terms, by one sparse column.
class TermSearch {
 public:
  TermSearch() = default;

  std::string group;
  std::string key;
  /// Of the analyser or embedder that made the terms: rows of another one are no hits and are not counted, which the
  /// plan tells. Empty: all.
  std::string signature;
  std::vector<TermWeight> terms;  ///< Ascending and unique; finite weights above 0.
  /// By BM25, where the weight of a term counts its occurrences in the query. None: by the inner product of the terms
  /// with the nodes' sparse vectors, as users of learned sparse embeddings (SPLADE and the like) need it.
  std::optional<Bm25Parameters> parameters;
  Filter filter;
  std::size_t k = 10;
};

class TermHits {
 public:
  TermHits() = default;

  std::vector<ScoredNode> hits;  ///< Best first.
  std::string plan;              ///< What was left out, for people.
};

/// Asks for the nearest vectors of one column, for several queries in one pass over the rows.
class VectorSearch {
 public:
  VectorSearch() = default;

  std::string group;
  std::string key;
  /// Of the embedder that made the queries: vectors of another one are left out, which the plan tells. Empty: all.
  std::string signature;
  std::vector<float> queries;  ///< [n x dimension], n at least 1; finite.
  std::size_t dimension = 0;
  Metric metric = Metric::cosine;
  Filter filter;
  std::size_t k = 10;
  /// The share of the k nearest that should be found, for queries that are like the rows. A graph is only searched
  /// where so much was measured, by some of the rows, when it was built.
  double recall = 0.97;
  std::size_t ef = 0;                  ///< Candidates of a graph search instead; 0: by `recall`.
  bool exact = false;                  ///< No graph, no other approximation.
  const Parallel* parallel = nullptr;  ///< Helps with large scans; null: the calling thread alone.
};

class VectorHits {
 public:
  VectorHits() = default;

  std::vector<std::vector<ScoredNode>> hits;  ///< Of each query, best first.
  std::string plan;                           ///< How they were found, for people.
};

/// What a sparse column knows of some terms, over its live nodes.
class TermStatistics {
 public:
  TermStatistics() = default;

  std::uint64_t nodes = 0;                 ///< That have the column.
  std::uint64_t tokens = 0;                ///< Sum of their lengths.
  std::vector<std::uint64_t> frequencies;  ///< In how many nodes each term is.
};

/// One immutable state of a store. Alive as long as somebody holds it; every function may be called from several
/// threads at once. The public functions validate, the virtual ones do the work; long ones poll `stop`.
///
/// A filter sees a node's own metadata over that of its source.
class StoreSnapshot {
 public:
  virtual ~StoreSnapshot() = default;

  virtual Generation generation() const noexcept = 0;

  /// The groups that some source has, by ascending name. Where sources disagree about a group's parent, because its
  /// definition changed and not all have been rebuilt, the one that most have.
  virtual std::vector<GroupInfo> groups() const = 0;

  std::vector<SourceRecord> sources(const SourceQuery& query, const StopToken& stop = {}) const;
  /// The whole UTF-8 text; none if there is no such source or it has never been stored.
  std::optional<std::string> text(std::string_view source) const;
  /// From positions in the text to positions in the file; null: they are the same, or there is no such source.
  std::shared_ptr<const OffsetMap> offset_map(std::string_view source) const { return do_offset_map(source); }
  std::vector<Node> nodes(const NodeQuery& query, const StopToken& stop = {}) const;
  /// The ids of a group's nodes that pass a filter, ascending: those that nodes() gives, without the work of making the
  /// nodes. Errors: Errc::invalid_argument without a group.
  std::vector<NodeId> select(std::string_view group, const Filter& filter, const StopToken& stop = {}) const;
  /// Ids of sources, ascending; sources that have never been stored are left out.
  std::vector<std::string> pending(const PendingQuery& query, const StopToken& stop = {}) const;
  /// For each content hash the vector that some live node of any group has for it in this column; empty where none.
  std::vector<std::vector<float>> vectors(std::string_view key, std::string_view signature,
                                          std::span<const Hash128> contents) const;
  /// The same of a sparse column, by ascending terms; none where no node has a vector, which may be empty. Where it
  /// finds any, it looks at all terms of the column.
  std::vector<std::optional<std::vector<TermWeight>>> sparse_vectors(std::string_view key, std::string_view signature,
                                                                     std::span<const Hash128> contents,
                                                                     const StopToken& stop = {}) const;
  /// What happened to a group in (since, generation()], folded into one change: `removed` also holds ids that came and
  /// went in between. None if the log no longer reaches back that far, or `since` is above generation().
  std::optional<GroupChange> changes(std::string_view group, Generation since) const;

  /// At most k nodes. A group or column that no source has: no hits. Errors: Errc::invalid_argument for k = 0, terms
  /// that do not ascend, weights that are not positive, or parameters out of range; Errc::embedder_mismatch if there
  /// are rows, and none under the search's signature.
  TermHits search_terms(const TermSearch& search, const StopToken& stop = {}) const;
  /// The same by BM25, of all signatures.
  std::vector<ScoredNode> search_terms(std::string_view group, std::string_view key, std::span<const TermWeight> terms,
                                       const Bm25Parameters& parameters, const Filter& filter, std::size_t k,
                                       const StopToken& stop = {}) const;
  /// The same by the inner product.
  std::vector<ScoredNode> search_sparse(std::string_view group, std::string_view key, std::span<const TermWeight> terms,
                                        const Filter& filter, std::size_t k, const StopToken& stop = {}) const;
  /// What search_terms() counts with, of rows of that signature (empty: of all). Where no source has any: zeros.
  TermStatistics term_statistics(std::string_view group, std::string_view key, std::string_view signature,
                                 std::span<const std::string> terms) const;
  /// At most k nodes for each query; all of the k best, if no approximation is made. Errors: as below;
  /// Errc::embedder_mismatch if there are vectors, and none under the search's signature.
  VectorHits search_vectors(const VectorSearch& search, const StopToken& stop = {}) const;
  /// The k best nodes, exactly. Errors: as above; Errc::dimension_mismatch if any source's column has another
  /// dimension; Errc::invalid_argument for an empty query or a non-finite element.
  std::vector<ScoredNode> search_vectors(std::string_view group, std::string_view key, std::span<const float> query,
                                         Metric metric, const Filter& filter, std::size_t k,
                                         const StopToken& stop = {}) const;

 protected:
  /// From the source's record.
  virtual std::shared_ptr<const OffsetMap> do_offset_map(std::string_view source) const;

 private:
  virtual std::vector<SourceRecord> do_sources(const SourceQuery& query, const StopToken& stop) const = 0;
  virtual std::optional<std::string> do_text(std::string_view source) const = 0;
  virtual std::vector<Node> do_nodes(const NodeQuery& query, const StopToken& stop) const = 0;
  virtual std::vector<std::string> do_pending(const PendingQuery& query, const StopToken& stop) const = 0;
  virtual std::vector<std::vector<float>> do_vectors(std::string_view key, std::string_view signature,
                                                     std::span<const Hash128> contents) const = 0;
  virtual std::vector<std::optional<std::vector<TermWeight>>> do_sparse_vectors(std::string_view key,
                                                                                std::string_view signature,
                                                                                std::span<const Hash128> contents,
                                                                                const StopToken& stop) const = 0;
  virtual std::optional<GroupChange> do_changes(std::string_view group, Generation since) const = 0;
  virtual TermHits do_search_terms(const TermSearch& search, const StopToken& stop) const = 0;
  virtual TermStatistics do_term_statistics(std::string_view group, std::string_view key, std::string_view signature,
                                            std::span<const std::string> terms) const = 0;
  virtual VectorHits do_search_vectors(const VectorSearch& search, const StopToken& stop) const = 0;
  /// By do_nodes().
  virtual std::vector<NodeId> do_select(std::string_view group, const Filter& filter, const StopToken& stop) const;
};

static_assert(!std::is_aggregate_v<TermStatistics> && !std::is_aggregate_v<TermSearch> &&
              !std::is_aggregate_v<TermHits> && !std::is_aggregate_v<VectorSearch> && !std::is_aggregate_v<NodeQuery> &&
              !std::is_aggregate_v<SourceQuery> && !std::is_aggregate_v<PendingQuery>);

}  // namespace ragstone
