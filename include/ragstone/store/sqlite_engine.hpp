#pragma once

#include <ragstone/store/engine.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <type_traits>

namespace ragstone {

/// What a commit has survived when it returns.
enum class Durability {
  durable,  ///< The loss of power: one sync for each group of commits (SQLite's synchronous=FULL).
  fast,     ///< The end of the process. The loss of power may take the last commits, as wholes (synchronous=NORMAL).
};

enum class StoreAccess {
  read_write,  ///< One process at a time.
  /// Beside a writer, if there is one; snapshot() sees what it has committed. As long as a snapshot is kept, the log of
  /// the writer grows. The folder must be one that may be written: SQLite makes files beside the database.
  read_only,
  immutable,  ///< A store that nobody changes; it may lie on a read-only medium. Nothing is locked.
};

class SqliteOptions {
 public:
  SqliteOptions() = default;

  Durability durability = Durability::durable;
  StoreAccess access = StoreAccess::read_write;
  /// How long to wait for another writer to close the store before Errc::locked. Locks that SQLite holds for moments,
  /// while another process opens or closes the store, are waited for up to 5 seconds in any case; so are readers where
  /// a failed sync must be made good, see sqlite_engine().
  std::chrono::milliseconds lock_timeout{0};
  /// False: segments are read into memory rather than mapped. A mapped file that another program cuts short, or that
  /// its medium cannot read (EIO), ends the process with SIGBUS; where that is to be feared, read: then it is
  /// Errc::io_error.
  bool map_segments = true;
  /// True: the checksums of a column's parts are compared before their first use since the store was opened, which
  /// reads them whole. Damage is Errc::corrupt_store then and is healed as damage that a search meets. False: verify()
  /// finds it, and until then a flipped bit may change a score.
  bool verify_on_first_use = false;
  /// True: a thread has the segments read into memory after the opening, so that first searches need not wait for the
  /// disk. Of use where they fit; where the system gives no thread, the store opens without it.
  bool warm_up = false;
  /// Rows of a column that may wait in the database until they are sealed into a segment file.
  std::size_t seal_rows = 1024;
};

/// A StoreEngine over a folder, which is made if it is not there: an SQLite database (store.db) for sources, texts and
/// nodes, and a folder of segment files for vectors and postings, mapped when the store is opened, and never parsed:
/// opening costs the same for small and large stores. src/store/FORMAT.md describes all files.
///
/// Commits of several threads that wait at the same time share one transaction. maintain() seals and merges segments
/// and moves the write-ahead log into the database; without it a commit does so when too much waits.
///
/// A process that was forked must not use what its parent opened: there, commits, maintain() and declarations are
/// Errc::unsupported, and close() leaves everything to the parent.
///
/// Where the folder is moved or replaced while the store is open for writing, or its file `lock` removed, nothing is
/// written any more (Errc::io_error) until it is put back: another store, or another writer, may be in its place.
///
/// Opened for writing, a store goes on without segments that are missing or cannot be read: verify() names the sources
/// that lost rows, and the next sync makes these anew. A file that cannot be read is renamed to NAME.damaged, and kept.
/// Vectors that no segment holds yet are read by the first search by vectors or the first change, which finds those
/// that cannot be opened.
/// Vectors and postings that no segment holds yet and that are damaged keep no commit from being made: maintain() and
/// close() take them out, and the next sync makes them anew. Other access, and export_store(), take nothing out: where
/// one such part cannot be opened, they fail as a whole (Errc::corrupt_store). Then open the store for writing once and
/// close it, or recover it.
///
/// A failed sync of SQLite's log that was not made good is noted in the file `lock`. The next opening for writing puts
/// a synced copy in the log's place then, which it can while nobody else reads the store.
///
/// Errors: Errc::invalid_argument for options out of range and an empty path; Errc::locked, naming the process that
/// writes, or telling that it is this one, or that readers keep a failed sync from being made good; Errc::not_found for
/// access other than read_write where there is no store, where all segments are missing, and where the database is
/// missing or empty beside other files of a store; Errc::corrupt_store; Errc::unsupported for a store of a newer
/// version; Errc::io_error; Errc::storage_full.
std::shared_ptr<StoreEngine> sqlite_engine(const std::filesystem::path& folder, SqliteOptions options = {});

static_assert(!std::is_aggregate_v<SqliteOptions>);

}  // namespace ragstone
