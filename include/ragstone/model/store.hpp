#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/pool.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/store/engine.hpp>
#include <ragstone/store/field.hpp>
#include <ragstone/store/search.hpp>
#include <ragstone/store/snapshot.hpp>
#include <ragstone/store/upkeep.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ragstone {

/// A pinned state of a Store, to be handed back to its reading functions. Empty: the latest state at each call.
class Snapshot {
 public:
  Snapshot() = default;
  Snapshot(Generation generation, std::shared_ptr<const void> state)
      : generation_(generation), state_(std::move(state)) {}

  explicit operator bool() const noexcept { return state_ != nullptr; }
  Generation generation() const noexcept { return generation_; }
  /// What the store that made it put in.
  const std::shared_ptr<const void>& state() const noexcept { return state_; }

 private:
  Generation generation_ = 0;
  std::shared_ptr<const void> state_;
};

/// Where nodes and vectors live, as seen by Document and Retriever: the same functions for an embedded engine behind
/// the CPU pool and for a remote server.
///
/// Thread safety: any number of calls at once, from any serial executors. Every call honours its context's deadline
/// (Errc::timeout) and Asio's cancellation (terminal). A commit that was cancelled or timed out may still be applied
/// as a whole: read back to know. Errors are those of StoreEngine and StoreSnapshot.
class Store {
 public:
  virtual ~Store() = default;

  virtual const StoreCapabilities& capabilities() const noexcept = 0;
  /// The generation of the state that it was opened with.
  virtual Generation opened_at() const noexcept = 0;
  /// Where registered indexes are saved, used on the pool; null: nowhere.
  virtual std::shared_ptr<IndexFiles> index_files() const { return nullptr; }

  Task<CommitResult> commit(Commit commit, CallContext context = {});
  /// Errors: Errc::unsupported where capabilities().snapshots is false.
  Task<Snapshot> pin(CallContext context = {});

  /// One retrieval. Errors: Errc::invalid_argument (no members, top_k = 0, a target that no group leads to),
  /// Errc::stale_index.
  Task<SearchResponse> search(SearchRequest request, Snapshot at = {}, CallContext context = {});

  /// Several retrievals from one state, each with the response that search() gives; an embedded store carries their
  /// vector searches out in common passes over the rows. Errors: the first one.
  Task<std::vector<SearchResponse>> search_all(std::vector<SearchRequest> requests, Snapshot at = {},
                                               CallContext context = {});

  Task<std::vector<Node>> nodes(NodeQuery query, Snapshot at = {}, CallContext context = {});
  Task<std::vector<SourceRecord>> sources(SourceQuery query, Snapshot at = {}, CallContext context = {});
  Task<std::optional<std::string>> text(std::string source, Snapshot at = {}, CallContext context = {});
  Task<std::vector<GroupInfo>> groups(Snapshot at = {}, CallContext context = {});
  Task<std::vector<std::string>> pending(PendingQuery query, Snapshot at = {}, CallContext context = {});
  Task<std::vector<std::vector<float>>> vectors(std::string key, std::string signature, std::vector<Hash128> contents,
                                                CallContext context = {});
  Task<std::vector<std::optional<std::vector<TermWeight>>>> sparse_vectors(std::string key, std::string signature,
                                                                           std::vector<Hash128> contents,
                                                                           CallContext context = {});
  Task<std::optional<GroupChange>> changes(std::string group, Generation since, Snapshot at = {},
                                           CallContext context = {});
  /// Says which fields of metadata filters often ask for: see StoreEngine::declare_fields().
  Task<void> declare_fields(std::vector<FieldDeclaration> fields, CallContext context = {});
  /// Says how the vectors of some keys are kept, and gives what is in force then: see
  /// StoreEngine::declare_vector_indexes().
  Task<VectorIndexes> declare_vector_indexes(VectorIndexes indexes, CallContext context = {});
  /// Does a piece of the work that commits leave for later, in the background; false once there is nothing more to do.
  /// A Document calls it after its commits.
  Task<bool> maintain(Upkeep upkeep = Upkeep::due, CallContext context = {});
  /// See StoreEngine. Errors: Errc::unsupported where the store cannot.
  Task<VerifyReport> verify(CallContext context = {});
  Task<void> backup(std::filesystem::path folder, CallContext context = {});
  Task<void> close(CallContext context = {});

 private:
  virtual Task<CommitResult> do_commit(Commit commit, CallContext context) = 0;
  virtual Task<Snapshot> do_pin(CallContext context) = 0;
  virtual Task<SearchResponse> do_search(SearchRequest request, Snapshot at, CallContext context) = 0;
  /// By default one after the other.
  virtual Task<std::vector<SearchResponse>> do_search_all(std::vector<SearchRequest> requests, Snapshot at,
                                                          CallContext context);
  virtual Task<std::vector<Node>> do_nodes(NodeQuery query, Snapshot at, CallContext context) = 0;
  virtual Task<std::vector<SourceRecord>> do_sources(SourceQuery query, Snapshot at, CallContext context) = 0;
  virtual Task<std::optional<std::string>> do_text(std::string source, Snapshot at, CallContext context) = 0;
  virtual Task<std::vector<GroupInfo>> do_groups(Snapshot at, CallContext context) = 0;
  virtual Task<std::vector<std::string>> do_pending(PendingQuery query, Snapshot at, CallContext context) = 0;
  virtual Task<std::vector<std::vector<float>>> do_vectors(std::string key, std::string signature,
                                                           std::vector<Hash128> contents, CallContext context) = 0;
  virtual Task<std::vector<std::optional<std::vector<TermWeight>>>> do_sparse_vectors(std::string key,
                                                                                      std::string signature,
                                                                                      std::vector<Hash128> contents,
                                                                                      CallContext context) = 0;
  virtual Task<std::optional<GroupChange>> do_changes(std::string group, Generation since, Snapshot at,
                                                      CallContext context) = 0;
  virtual Task<void> do_declare_fields(std::vector<FieldDeclaration> fields, CallContext context) = 0;
  virtual Task<VectorIndexes> do_declare_vector_indexes(VectorIndexes indexes, CallContext context) = 0;
  virtual Task<bool> do_maintain(Upkeep upkeep, CallContext context) = 0;
  virtual Task<VerifyReport> do_verify(CallContext context) = 0;
  virtual Task<void> do_backup(std::filesystem::path folder, CallContext context) = 0;
  virtual Task<void> do_close(CallContext context) = 0;
};

/// Makes the store of a Document when it is opened.
class StoreFactory {
 public:
  virtual ~StoreFactory() = default;

  /// `pool` runs an embedded engine's work.
  Task<std::shared_ptr<Store>> open(Pool pool, CallContext context = {});

 private:
  virtual Task<std::shared_ptr<Store>> do_open(Pool pool, CallContext context) = 0;
};

/// Everything in this process's memory; each Document opened with it starts empty.
std::shared_ptr<StoreFactory> memory_store();

/// An engine of the embedded kind as a Store: each call is one job on the pool: commits on the writer's lane (those
/// that wait there together are carried out together), pending(), changes() and both kinds of vectors on the background
/// lane, the rest on the lane of the call's context. A pinned state is given up on the background lane, since its last
/// owner may have much to free.
std::shared_ptr<Store> embedded_store(std::shared_ptr<StoreEngine> engine, Pool pool);

static_assert(!std::is_aggregate_v<Snapshot>);

}  // namespace ragstone
