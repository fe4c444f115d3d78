#pragma once

#include "rag/text_terms.hpp"
#include <ragstone/model/embedder.hpp>
#include <ragstone/model/sparse_embedder.hpp>
#include <ragstone/rag/node_group.hpp>
#include <ragstone/store/snapshot.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone {

/// A column that a group must have: an embedder's, or BM25's.
struct PlannedColumn {
  std::string key;
  std::string signature;
  std::shared_ptr<Embedder> embedder;
  std::shared_ptr<SparseEmbedder> sparse_embedder;

  bool is_bm25() const noexcept { return !embedder && !sparse_embedder; }
  // Of the embedder.
  const std::string& model() const noexcept;
  std::size_t max_batch() const noexcept;
  std::size_t max_concurrency() const noexcept;
};

struct PlannedGroup {
  std::string name;
  std::string parent;                      ///< Empty for the root.
  std::string signature;                   ///< Of the chunker and of all those above it.
  std::shared_ptr<const Chunker> chunker;  ///< Null for the root.
  std::vector<PlannedColumn> columns;

  PendingQuery pending() const;
};

/// What a source must become: groups in use, a parent before its children. Immutable; made anew when the use of groups
/// or columns grows.
struct IngestPlan {
  std::uint64_t version = 0;
  std::vector<PlannedGroup> groups;
  std::shared_ptr<const TextTerms> terms;

  const PlannedGroup* find(std::string_view group) const noexcept;
  /// The same plan cut down to a group and its ancestors.
  IngestPlan chain(std::string_view group) const;
};

}  // namespace ragstone
