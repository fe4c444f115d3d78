#pragma once

#include "store/sqlite/apply.hpp"
#include "store/sqlite/engine.hpp"
#include "store/sqlite/folder_lock.hpp"
#include "store/sqlite/heal.hpp"
#include "store/sqlite/merge.hpp"
#include <ragstone/store/engine.hpp>
#include <ragstone/store/sqlite_engine.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ragstone::sqlite {

/// The one connection that writes, and the state that it has committed. For one thread at a time.
class Writer {
 public:
  /// Opens the database, which is made or migrated where needed, loads the state, and removes files that no
  /// transaction names. `lock`: of the store's folder, which outlives it; without it nothing is written any more, with
  /// Errc::io_error. `lock_timeout`: how long the opening waits for locks of other connections, kMomentaryLocks at
  /// least.
  Writer(const std::filesystem::path& file, const std::string& vfs, Durability durability, PartContext& context,
         FolderLock& lock, std::chrono::milliseconds lock_timeout);
  ~Writer();

  /// After the opening, staged parts of vectors are unread until something is to be changed.
  const std::shared_ptr<const State>& state() const noexcept { return state_; }

  /// Makes the state a whole one, without parts that turn out to be damaged. False if it is.
  bool read_rest();

  /// Carries commits out, in this order, in one transaction, each of them wholly or not at all; their errors are in
  /// `commits`. It takes in no more of them once it has lasted for a while; gives how many it took. Throws what ends
  /// the transaction as a whole: then none was carried out.
  std::size_t commit(std::span<PendingCommit* const> commits, const MonotonicClock& now);

  /// Moves fresh sources into the tables. False if there are none.
  bool unfold();

  /// Puts a part in place of a merge's inputs; their files are removed. The state is a whole one.
  void replace(const Merge& merge, Part merged);

  /// Says which fields have columns; those that exist are made anew by rebuild_fields().
  void declare_fields(std::vector<FieldDeclaration> fields);
  /// Makes columns of fields anew for some sources. False if there is nothing to be done.
  bool rebuild_fields();

  /// Says how the vectors of these keys are kept from now on.
  void declare_vector_indexes(const VectorIndexes& indexes);

  /// Takes the lost rows of a part out of its column. The state is a whole one.
  void heal(const PartDamage& damage);

  /// Gives back space that texts left behind. False if there is nothing to be done.
  bool compact();

  /// Pages that wait in the write-ahead log.
  std::size_t log_pages() const noexcept { return log_pages_; }
  /// True if files that are not needed wait for a checkpoint to be removed.
  bool has_retired_files() const noexcept { return !retired_.empty(); }
  /// Moves pages of the log into the database as far as no reader needs them there; true if that is all of them.
  bool checkpoint();
  /// The same, and cuts the log to nothing where no reader uses it.
  void checkpoint_and_truncate();

 private:
  /// `relaxed`: what is lost with power changes nothing that anybody could notice.
  enum class Sync { as_asked, relaxed };

  static int on_commit(void* writer, sqlite3* database, const char* name, int pages);

  /// The rest of the opening, over a log that is durable where that is asked for.
  void begin_with_log();
  /// Whether the log is left as it is when the connection is closed.
  void keep_log(bool kept) noexcept;
  /// Takes parts that could not be opened out of their columns, which are to be made anew for their sources; with them
  /// those that turn out to be damaged among the unread ones.
  void give_up(std::vector<LostPart> lost);
  /// Begins a transaction.
  Transaction begin(Sync sync = Sync::as_asked);
  /// Commits, and removes obsolete files as soon as the transaction is durable. Where the transaction fails but may be
  /// found in the log after a crash, `created` is emptied: its files must stay.
  void finish(Transaction& transaction, std::vector<std::string>& created, std::vector<std::string> obsolete);
  /// To be called where all of the log is durable.
  void note_synced_log() noexcept;
  /// A sync of the log failed, perhaps.
  void note_gaps() noexcept;
  /// To be done before anything is built on the log: see Database::rewrite_log().
  void mend_log();
  void remove_orphans();
  void remove_files(const std::vector<std::string>& names) noexcept;

  PartContext& context_;
  FolderLock& lock_;
  const Durability durability_;
  Database database_;
  bool is_synced_ = false;  ///< Each commit is durable when it ends.
  std::shared_ptr<const State> state_;
  std::size_t log_pages_ = 0;
  std::size_t log_frames_ = 0;         ///< In the log since it began, those that were moved included.
  std::uint64_t synced_log_ = 0;       ///< The salt of the log
  std::size_t synced_frames_ = 0;      ///< of which so many frames are durable.
  bool may_begin_anew_ = true;         ///< The log: since a checkpoint.
  bool log_has_gaps_ = false;          ///< Perhaps: a sync failed.
  std::vector<std::string> retired_;   ///< Files that go once the log is synced.
  std::vector<std::string> doubtful_;  ///< Files of transactions that failed, but may be found in the log.
};

}  // namespace ragstone::sqlite
