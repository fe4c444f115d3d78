#pragma once

#include "store/change_log.hpp"
#include "store/memory/state.hpp"
#include <ragstone/store/snapshot.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ragstone::memory {

class MemorySnapshot final : public StoreSnapshot {
 public:
  MemorySnapshot(State state, std::shared_ptr<const ChangeLog> log) : state_(std::move(state)), log_(std::move(log)) {}

  const State& state() const noexcept { return state_; }

  Generation generation() const noexcept override { return state_.generation; }
  std::vector<GroupInfo> groups() const override;

 private:
  /// A node: number in the nodes of its source and group. Null `nodes`: none.
  struct Place {
    const StoredRows* nodes = nullptr;
    std::size_t number = 0;

    const StoredRow& row() const noexcept { return nodes->rows[number]; }
  };

  std::vector<SourceRecord> do_sources(const SourceQuery& query, const StopToken& stop) const override;
  std::optional<std::string> do_text(std::string_view source) const override;
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

  /// `group` empty: any group.
  Place find_node(std::string_view group, NodeId id) const;
  const GroupState* find_group(std::string_view group) const;

  State state_;
  std::shared_ptr<const ChangeLog> log_;
};

}  // namespace ragstone::memory
