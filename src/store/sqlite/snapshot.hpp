#pragma once

#include "store/column_choice.hpp"
#include "store/filter_cache.hpp"
#include "store/sqlite/damage_log.hpp"
#include "store/sqlite/first_use.hpp"
#include "store/sqlite/metadata_filter.hpp"
#include "store/sqlite/reader_pool.hpp"
#include "store/sqlite/source_cache.hpp"
#include "store/sqlite/state.hpp"
#include "store/sqlite/unread_parts.hpp"
#include <ragstone/store/snapshot.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ragstone::sqlite {

/// What all snapshots of an engine share.
struct SharedBySnapshots {
  explicit SharedBySnapshots(bool verify_on_first_use) : first_use(verify_on_first_use, damage) {}

  /// A bit for each row, filter and part.
  static constexpr std::size_t kFilterCacheBytes = std::size_t{16} << 20;

  FilterCache filters{kFilterCacheBytes};
  DamageLog damage;
  FirstUse first_use;
};

/// A state in memory with readers of the same generation of the database.
class SqliteSnapshot final : public StoreSnapshot {
 public:
  SqliteSnapshot(std::shared_ptr<const State> state, std::shared_ptr<ReaderPool> pool,
                 std::shared_ptr<SharedBySnapshots> shared);

  /// Perhaps without staged parts of vectors: see UnreadParts.
  const std::shared_ptr<const State>& state() const noexcept { return state_; }
  ReaderSet& readers() const noexcept { return readers_; }

  Generation generation() const noexcept override { return state_->catalog.generation; }
  std::vector<GroupInfo> groups() const override { return state_->catalog.group_infos(); }

 private:
  std::vector<SourceRecord> do_sources(const SourceQuery& query, const StopToken& stop) const override;
  std::optional<std::string> do_text(std::string_view source) const override;
  std::shared_ptr<const OffsetMap> do_offset_map(std::string_view source) const override;
  std::vector<Node> do_nodes(const NodeQuery& query, const StopToken& stop) const override;
  std::vector<NodeId> do_select(std::string_view group, const Filter& filter, const StopToken& stop) const override;
  std::vector<std::string> do_pending(const PendingQuery& query, const StopToken& stop) const override;
  std::vector<std::vector<float>> do_vectors(std::string_view key, std::string_view signature,
                                             std::span<const Hash128> contents) const override;
  std::vector<std::optional<std::vector<TermWeight>>> do_sparse_vectors(std::string_view key,
                                                                        std::string_view signature,
                                                                        std::span<const Hash128> contents,
                                                                        const StopToken& stop) const override;
  std::optional<GroupChange> do_changes(std::string_view group, Generation since) const override;
  TermHits do_search_terms(const TermSearch& search, const StopToken& stop) const override;
  TermStatistics do_term_statistics(std::string_view group, std::string_view key, std::string_view signature,
                                    std::span<const std::string> terms) const override;
  VectorHits do_search_vectors(const VectorSearch& search, const StopToken& stop) const override;

  struct SparseColumns {
    std::vector<segment::SparseView> views;
    segment::SparseTotals totals;
  };
  /// Those of the search's key that `choice` takes.
  SparseColumns sparse_columns(const TermSearch& search, ColumnChoice& choice, const StopToken& stop) const;
  /// What `search` gives; damage that it meets is noted for the parts of `state` that it may have been in.
  template <class Search>
  std::invoke_result_t<Search> noting_damage(const State& state, std::string_view group, std::string_view key,
                                             Search search) const;
  /// With what the state was loaded without; damaged parts are noted.
  CompleteState complete_state() const;
  /// Null for an empty filter.
  std::unique_ptr<const MetadataFilter> row_filter(std::string_view group, const Filter& filter,
                                                   const StopToken& stop) const;

  const std::shared_ptr<const State> state_;
  mutable ReaderSet readers_;
  const std::shared_ptr<SharedBySnapshots> shared_;
  mutable SourceCache sources_;
};

}  // namespace ragstone::sqlite
