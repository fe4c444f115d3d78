#pragma once

#include "rag/group_registry.hpp"
#include "rag/index_registry.hpp"
#include <ragstone/async/limiter.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/async/single_flight.hpp>
#include <ragstone/async/task_scope.hpp>
#include <ragstone/rag/document.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace ragstone {

/// What all handles of one Document share. Its mutable state is thread-safe. Whoever awaits one of its functions owns
/// it meanwhile.
class DocumentCore : public std::enable_shared_from_this<DocumentCore> {
 public:
  /// `in_force`: how the store keeps vectors.
  DocumentCore(Runtime& document_runtime, DocumentOptions document_options, std::shared_ptr<Store> document_store,
               VectorIndexes in_force);

  /// Applies changes (they are moved from), and brings the registered indexes up to date, in commit order. Several
  /// calls at once may share a transaction. Once begun it is carried through: a caller that is cancelled only stops
  /// waiting. No changes: nothing is written, but all commits before it have ended. None, and `changes` are as they
  /// were, if `plan_version` is set and another plan is in force by now.
  Task<std::optional<CommitResult>> commit(std::shared_ptr<Commit> changes, std::optional<std::uint64_t> plan_version,
                                           CallContext context);

  /// Returns when every source has the group with these columns.
  Task<void> ensure_built(std::string group, std::vector<std::string> keys, CallContext context);
  /// Waits for the first sync() where the options ask for one.
  Task<void> ensure_synced(CallContext context);
  /// Returns when a registered index holds what the store holds. Errors: Errc::not_found, Errc::stale_index.
  Task<std::shared_ptr<const Index>> ensure_index(std::string name, CallContext context);
  Task<void> rebuild_index(std::string name, CallContext context);

  /// Errors: Errc::closed once close() has begun.
  void check_open() const;
  /// Before work that can only be stored. Errors: Errc::unsupported where the store is open for reading only.
  void check_writable(const std::string& operation) const;
  Task<void> close(CallContext context);
  /// Begins what DocumentOptions::scrub_interval asks for.
  void start_scrubbing(const CallContext& context);
  /// Has the store do in the background what it leaves for later: after a commit, or another declaration of fields.
  void start_maintenance(const CallContext& context);

  void set_progress(std::function<void(const Progress&)> callback);
  void report_progress(const Progress& progress);

  Runtime& runtime;  ///< For new operations of the handles only: an operation may outlive it.
  const Pool pool;
  const DocumentOptions options;
  const std::vector<std::shared_ptr<const Reader>> readers;
  const std::shared_ptr<Store> store;
  const VectorIndexes vector_indexes;
  GroupRegistry groups;
  IndexRegistry indexes;
  const Limiter sync_limiter{1};

 private:
  struct PendingCommit;

  using Self = std::shared_ptr<DocumentCore>;
  static Task<void> carry_out(Self self, std::shared_ptr<PendingCommit> pending);
  /// Returns when all commits before it have ended.
  static Task<void> drain(Self self);
  static Task<void> update_indexes(Self self, CallContext context);
  static Task<void> maintain(Self self, CallContext context);
  bool is_busy();
  static Task<void> catch_up(Self self, std::shared_ptr<RegisteredIndex> index, bool from_scratch);
  /// Of a store that another process writes: returns when the index holds what was committed before the call.
  Task<void> follow_store(std::shared_ptr<RegisteredIndex> index, CallContext context);
  /// Brings indexes that nobody has queried up to date, where there were commits and they can be saved.
  Task<void> catch_up_idle();
  SharedOperation build_of(const std::string& group);

  static constexpr std::size_t kCommitsAtOnce = 64;
  const Limiter commit_limiter_{kCommitsAtOnce};
  const Limiter drain_limiter_{1};
  const Limiter index_limiter_{1};  ///< Held while indexes are brought up to date.
  SharedOperation first_sync_;
  std::mutex mutex_;
  bool synced_ = false;
  bool is_maintaining_ = false;
  bool committed_since_ = false;  ///< While it is maintaining: there may be more to do.
  std::atomic<bool> has_committed_ = false;
  std::atomic<bool> closed_ = false;
  std::map<std::string, SharedOperation> builds_;
  std::function<void(const Progress&)> progress_;
  TaskScope scope_;
};

/// Puts into use what the store holds of the known groups under today's signatures, so that what is ingested from now
/// on gets it at once. Asks the store once, and again when a group was added.
Task<void> adopt_stored_groups(std::shared_ptr<DocumentCore> core, CallContext context);

/// Verifies the store, and has it take out what is damaged, so that the next sync makes that anew.
Task<VerifyReport> verify_and_heal(std::shared_ptr<DocumentCore> core, CallContext context);

/// Verifies a document's store again and again, as long as there is a document; observers of `context` hear of it.
Task<void> scrub(std::weak_ptr<DocumentCore> document, std::chrono::milliseconds interval, CallContext context);

/// Reads the dataset; see Document::sync().
Task<SyncReport> sync_dataset(std::shared_ptr<DocumentCore> core, SyncOptions options, CallContext context);

/// Builds what some source lacks of a group and its ancestors, and marks as ready what is built. Sources that fail are
/// recorded as failed. Is one index run of that name. Errors: the first one, of nodes or a column that no source could
/// be built for.
Task<void> build_group(std::shared_ptr<DocumentCore> core, std::string group, CallContext context);

}  // namespace ragstone
