#pragma once

#include <ragstone/base/stop.hpp>
#include <ragstone/index/vector_index.hpp>
#include <ragstone/store/commit.hpp>
#include <ragstone/store/field.hpp>
#include <ragstone/store/index_files.hpp>
#include <ragstone/store/snapshot.hpp>
#include <ragstone/store/upkeep.hpp>
#include <ragstone/store/verify.hpp>

#include <cstddef>
#include <exception>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ragstone {

/// What a store can do. Asking for more is an error when the request is made known, not when data is half written.
class StoreCapabilities {
 public:
  StoreCapabilities() = default;

  std::string name;         ///< "memory", "sqlite".
  bool persistent = false;  ///< Outlives the process; transforms need a signature.
  bool snapshots = false;   ///< A pinned state is not touched by later commits.
  bool dense = false;       ///< Columns of vectors.
  bool sparse = false;      ///< Sparse columns and BM25.
  bool filters = false;     ///< Filters are evaluated inside the search.
  bool change_log = false;  ///< changes() can tell a difference.
  bool indexes = false;     ///< Indexes can be registered.
  bool backup = false;      ///< backup() works.
  bool read_only = false;   ///< Every commit fails with Errc::unsupported.
  bool follows = false;     ///< It is only read; another process may commit meanwhile.
};

/// A commit that is carried out with others: see StoreEngine::commit_together().
class PendingCommit {
 public:
  PendingCommit() = default;
  explicit PendingCommit(Commit changes, StopToken token = {}) : commit(std::move(changes)), stop(std::move(token)) {}

  Commit commit;  ///< Moved from when it is carried out.
  StopToken stop;
  CommitResult result;
  std::exception_ptr error;  ///< Then nothing of the commit was applied.
};

/// An embedded, synchronous store. One thread commits at a time (others wait); snapshots are read from any thread.
class StoreEngine {
 public:
  virtual ~StoreEngine() = default;

  virtual const StoreCapabilities& capabilities() const noexcept = 0;

  /// The generation of the state that it was opened with.
  virtual Generation opened_at() const noexcept = 0;

  /// The state after the last commit. Cheap; waits for a commit in progress only where that one is becoming the last at
  /// this moment.
  virtual std::shared_ptr<const StoreSnapshot> snapshot() const = 0;

  /// Applies everything or, if it throws, nothing. When it returns, the changes have the durability that the store
  /// promises. Errors: Errc::invalid_argument (rows that do not fit their text, parents, columns or dimension),
  /// Errc::dimension_mismatch (against vectors stored under the same key and signature), Errc::closed, and the
  /// medium's own.
  CommitResult commit(Commit commit, const StopToken& stop = {});

  /// Carries out several commits in this order, each as commit() would: each has its result or its error afterwards.
  /// A store may make them durable together, which costs much less than one after the other. So that none waits long to
  /// be acknowledged, it may leave the last ones as they are, to be carried out next: gives how many it carried out, at
  /// least one where there are any. Throws nothing but std::bad_alloc, before anything is done.
  std::size_t commit_together(std::span<PendingCommit* const> commits);

  /// Says which fields of metadata filters often ask for, in place of what was said before; a persistent store
  /// remembers it. Filters give the same answers before and after, only sooner. What is stored already is brought up to
  /// date by maintain(), from the stored metadata. A store that is open for reading only keeps what its writer said.
  /// Errors: see checked_fields(); Errc::closed; the medium's own.
  void declare_fields(std::vector<FieldDeclaration> fields, const StopToken& stop = {}) {
    do_declare_fields(checked_fields(std::move(fields)), stop);
  }

  /// Says how the vectors of these embedders' keys are kept to be searched, in place of what was said of them before; a
  /// persistent store remembers it. Keys that are not named keep what they had, or default options. What is stored
  /// already is built anew by maintain(), from the stored vectors; meanwhile searches are answered as before. A store
  /// that is open for reading only keeps what its writer said.
  /// Errors: see check_vector_index(); Errc::unsupported, Errc::closed, the medium's own.
  void declare_vector_indexes(VectorIndexes indexes, const StopToken& stop = {});
  /// What is in force, of the keys that were ever named.
  virtual VectorIndexes vector_indexes() const { return {}; }

  /// Does a piece of the work that commits leave for later: sealing, merging, moving the log. False once there is
  /// nothing more to do. Any thread; commits and reads go on meanwhile. It also heals: rows that damage took are taken
  /// out, for the next sync to make anew; otherwise answers are the same before and after. Errors: Errc::corrupt_store
  /// for what cannot be healed, after all else is done; std::bad_alloc for want of memory; Errc::limit_exceeded for a
  /// part with too many rows; Errc::transient for want of threads; the medium's own. What was to be done is left for
  /// the next call then.
  bool maintain(const StopToken& stop = {}, Upkeep upkeep = Upkeep::due) { return do_maintain(stop, upkeep); }

  /// Reads everything that is stored and compares it with its checksums and with each other; what is wrong is a
  /// finding, not an error. Commits and reads go on meanwhile; it looks at the state at its beginning. Damage to a
  /// store that was closed is found, or has cost nothing. Damage to the log (store.db-wal) of one that was not may have
  /// cost the last commits, as wholes, which nothing tells of, as after a loss of power.
  VerifyReport verify(const StopToken& stop = {}) const { return do_verify(stop); }

  /// Copies the state at its beginning to a folder, which must not exist, as a store of its own; commits and reads go
  /// on meanwhile. If it throws, nothing is left of the folder. Errors: Errc::unsupported, Errc::already_exists,
  /// Errc::locked while another backup to the folder is made, the medium's own.
  void backup(const std::filesystem::path& folder, const StopToken& stop = {}) const { do_backup(folder, stop); }

  /// Where registered indexes are saved; null where there is no medium for it.
  virtual std::shared_ptr<IndexFiles> index_files() const { return nullptr; }

  /// Finishes what is pending and releases files; later commits fail with Errc::closed, snapshots stay readable. If it
  /// throws, for want of space for example, it is closed all the same: nothing acknowledged is lost, and what was not
  /// finished is once the store is opened again.
  virtual void close() = 0;

 private:
  virtual CommitResult do_commit(Commit commit, const StopToken& stop) = 0;
  /// Of at least one. By default all, one after the other. Errors go into the commits.
  virtual std::size_t do_commit_together(std::span<PendingCommit* const> commits);
  /// A store whose filters are as fast without has nothing to do.
  virtual void do_declare_fields(std::vector<FieldDeclaration>, const StopToken&) {}
  /// By default Errc::unsupported.
  virtual void do_declare_vector_indexes(VectorIndexes indexes, const StopToken& stop);
  /// A store that leaves nothing for later has nothing to do.
  virtual bool do_maintain(const StopToken&, Upkeep) { return false; }
  /// What is in memory only has nothing to be compared with.
  virtual VerifyReport do_verify(const StopToken&) const { return {}; }
  virtual void do_backup(const std::filesystem::path& folder, const StopToken& stop) const;
};

static_assert(!std::is_aggregate_v<StoreCapabilities> && !std::is_aggregate_v<PendingCommit>);

}  // namespace ragstone
