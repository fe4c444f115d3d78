#include "store/sqlite/writer.hpp"

#include "store/sqlite/commit_log.hpp"
#include "store/sqlite/compaction.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/unread_parts.hpp"
#include "store/sqlite/vector_index_settings.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <set>
#include <type_traits>
#include <utility>
#include <vector>

#include <sqlite3.h>

namespace ragstone::sqlite {
namespace {

// Whoever waits for a commit of the transaction waits for all of it.
constexpr std::chrono::milliseconds kTimeForMore{50};

/// Ends with everything since its beginning undone, unless it was kept.
class Savepoint {
 public:
  explicit Savepoint(Database& database) : database_(database) { database_.execute("SAVEPOINT one"); }
  ~Savepoint() {
    // An error such as a full disk may have ended the whole transaction.
    if (kept_ || !database_.in_transaction()) return;
    try {
      database_.execute("ROLLBACK TO one; RELEASE one");
    } catch (const std::exception&) {
      // Half a commit must not be committed with the others.
      try {
        database_.execute("ROLLBACK");
      } catch (const std::exception&) {
        // The connection is no longer in a transaction, or every later statement fails too.
      }
    }
  }
  Savepoint(const Savepoint&) = delete;
  Savepoint& operator=(const Savepoint&) = delete;

  void keep() {
    database_.execute("RELEASE one");
    kept_ = true;
  }

 private:
  Database& database_;
  bool kept_ = false;
};

void set_journal(Database& database) {
  // Takes effect where the database is still empty; elsewhere it would only be written again, and synced.
  constexpr std::int64_t kIncremental = 2;
  Statement& vacuum = database.statement("PRAGMA auto_vacuum");
  const bool is_set = vacuum.step() && vacuum.integer(0) == kIncremental;
  vacuum.reset();
  if (!is_set) database.execute("PRAGMA auto_vacuum=INCREMENTAL");
  database.execute("PRAGMA journal_mode=WAL");
  database.execute("PRAGMA journal_size_limit=67108864");
}

/// Whether an error left what was written to the log, which then may or may not reach the medium.
bool may_be_in_log(int code) { return code != SQLITE_FULL && code != SQLITE_IOERR_WRITE; }

void set_synced(Database& database, bool synced) {
  database.execute(synced ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
}

}  // namespace

Writer::Writer(const std::filesystem::path& file, const std::string& vfs, Durability durability, PartContext& context,
               FolderLock& lock, std::chrono::milliseconds lock_timeout)
    : context_(context),
      lock_(lock),
      durability_(durability),
      database_(file, OpenMode::create, vfs.empty() ? nullptr : vfs.c_str(), std::max(lock_timeout, kMomentaryLocks)) {
  // By itself SQLite moves the log into the database when a connection is closed, be it durable or not, and removes it:
  // if the removal is then lost with power, a log with gaps lies over a newer database.
  keep_log(true);
  set_journal(database_);
  set_synced(database_, durability == Durability::durable);
  is_synced_ = durability == Durability::durable;
  sqlite3_wal_hook(database_.handle(), &Writer::on_commit, this);
  // What another process left in the log may have been on its way to the disk when that ended. It is shown as the
  // store's state from now on, so it must survive as what is acknowledged does.
  try {
    if (is_synced_) database_.sync_log();
    migrate(database_);
  } catch (const Error& error) {
    // Perhaps it was a sync of the log.
    if (error.errc() == Errc::io_error || error.errc() == Errc::storage_full) lock_.doubt_log(true);
    throw;
  }
  begin_with_log();
  // Until here an opening that fails leaves the log where it is.
  keep_log(false);
  // From here on it would be readers that are waited for, when the log is cut.
  database_.set_lock_timeout(std::chrono::milliseconds(0));
}

void Writer::begin_with_log() {
  if (is_synced_) {
    log_frames_ = database_.log_frames();
    note_synced_log();
    // With the next commit, where the database has all of it.
    may_begin_anew_ = true;
  }
  std::vector<LostPart> lost;
  Loading loading;
  loading.lost = &lost;
  loading.leaves_vectors = true;
  state_ = std::make_shared<const State>(load_state(database_, context_.folder, loading));
  context_.next_part = state_->catalog.next_part;
  if (!lost.empty()) give_up(std::move(lost));
  remove_orphans();
}

Writer::~Writer() {
  // The log is removed by its name, which may be another store's.
  if (log_has_gaps_ || !lock_.is_held()) {
    keep_log(true);
    return;
  }
  // SQLite syncs what it moves into the database, and tells nobody that this failed.
  try {
    database_.sync_log();
  } catch (const std::exception&) {
    keep_log(true);
    lock_.doubt_log(true);
  }
}

void Writer::keep_log(bool kept) noexcept {
  sqlite3_db_config(database_.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, kept ? 1 : 0, nullptr);
}

int Writer::on_commit(void* writer, sqlite3*, const char*, int pages) {
  Writer& self = *static_cast<Writer*>(writer);
  self.log_pages_ = self.log_frames_ = static_cast<std::size_t>(pages);
  return SQLITE_OK;
}

bool Writer::read_rest() {
  if (!state_->unread) return false;
  CompleteState complete = sqlite::read_rest(database_, *state_);
  if (complete.lost.empty()) {
    state_ = std::move(complete.state);
  } else {
    give_up({});
  }
  return true;
}

void Writer::give_up(std::vector<LostPart> lost) {
  std::shared_ptr<const State> whole = state_;
  if (state_->unread) {
    // What is lost of a column can only be told from all of it.
    CompleteState complete = sqlite::read_rest(database_, *state_);
    whole = std::move(complete.state);
    std::move(complete.lost.begin(), complete.lost.end(), std::back_inserter(lost));
  }
  // Who mislaid the folder wants it back rather than to pay for all embeddings again.
  bool has_files = false;
  for (const auto& [definition, column] : whole->columns)
    for (const Part& part : column->parts) has_files = has_files || !part.is_staged();
  const auto is_missing = [this](const LostPart& one) {
    return one.is_gone && !was_set_aside(context_.folder, one.part.file);
  };
  if (!has_files && std::all_of(lost.begin(), lost.end(), is_missing))
    throw Error(Errc::not_found, "open store: none of its segment files is in \"" + context_.folder.path.string() +
                                     "\"; put them back, or recover the store");
  // Before the transaction, after which they would be orphans.
  bool is_renamed = false;
  for (const LostPart& one : lost) {
    if (one.part.is_staged() || one.is_gone) continue;
    set_aside(context_.folder, one.part.file);
    is_renamed = true;
  }
  if (is_renamed) context_.folder.files->sync_directory(context_.folder.path);
  std::vector<std::string> created;
  Transaction transaction = begin();
  auto state = std::make_shared<const State>(apply_losses(database_, *whole, lost));
  finish(transaction, created, {});
  state_ = std::move(state);
}

std::size_t Writer::commit(std::span<PendingCommit* const> commits, const MonotonicClock& now) {
  read_rest();
  State next = *state_;
  FileChanges files;
  std::size_t taken = 0;
  try {
    Transaction transaction = begin();
    const auto last_for_more = now() + kTimeForMore;
    for (PendingCommit* waiting : commits) {
      if (taken > 0 && now() > last_for_more) break;
      ++taken;
      FileChanges of_one;
      try {
        std::optional<Savepoint> savepoint;
        // A commit that is alone fails with its transaction.
        if (commits.size() > 1) savepoint.emplace(database_);
        State after = apply_commit(database_, context_, next, std::move(waiting->commit), commits.size() == 1,
                                   waiting->result, of_one, waiting->stop);
        files.make_room_for(of_one);
        if (savepoint) savepoint->keep();
        // Nothing may fail once it is kept.
        static_assert(std::is_nothrow_move_assignable_v<State>);
        next = std::move(after);
        files.take(of_one);
      } catch (...) {
        remove_files(of_one.created);
        if (commits.size() == 1 || !database_.in_transaction()) throw;
        waiting->error = std::current_exception();
      }
    }
    auto state = std::make_shared<const State>(std::move(next));
    finish(transaction, files.created, std::move(files.obsolete));
    state_ = std::move(state);
  } catch (...) {
    remove_files(files.created);
    throw;
  }
  return taken;
}

bool Writer::unfold() {
  if (state_->fresh->empty()) return false;
  read_rest();
  // With or without it, the database holds the same sources.
  Transaction transaction = begin(Sync::relaxed);
  auto state = std::make_shared<const State>(sqlite::unfold(database_, *state_));
  update_counters(database_, state->catalog);
  std::vector<std::string> created;
  finish(transaction, created, {});
  state_ = std::move(state);
  return true;
}

void Writer::replace(const Merge& merge, Part merged) {
  State next = *state_;
  std::vector<std::string> created;
  std::vector<std::string> obsolete;
  if (!merged.is_staged()) created.push_back(merged.file);
  try {
    // Between staged parts alone: with or without it, the database holds the same rows.
    Transaction transaction = begin(merged.is_staged() ? Sync::relaxed : Sync::as_asked);
    // The column is gone if its last source is.
    const Column* now = next.column(merge.definition);
    Column column = now ? *now : Column();
    kill_since(merge, column, merged);
    for (const Part& input : merge.inputs.parts) {
      const auto part = std::find_if(column.parts.begin(), column.parts.end(),
                                     [&](const Part& p) { return p.number == input.number; });
      if (part == column.parts.end()) continue;
      erase_part(database_, next.catalog, *part);
      if (!part->is_staged()) obsolete.push_back(part->file);
      column.parts.erase(part);
    }
    if (now && merged.live_rows() > 0) {
      insert_part(database_, merge.definition, merged);
      column.parts.push_back(merged);
    } else if (!merged.is_staged()) {
      obsolete.push_back(merged.file);
    }
    if (column.parts.empty()) {
      next.columns.erase(merge.definition);
    } else {
      next.columns[merge.definition] = std::make_shared<const Column>(std::move(column));
    }
    next.catalog.next_part = context_.next_part;
    update_counters(database_, next.catalog);
    auto state = std::make_shared<const State>(std::move(next));
    finish(transaction, created, std::move(obsolete));
    state_ = std::move(state);
  } catch (...) {
    remove_files(created);
    throw;
  }
}

void Writer::declare_fields(std::vector<FieldDeclaration> fields) {
  if (fields == state_->fields->declared) return;
  read_rest();
  FieldSettings settings;
  settings.declared = std::move(fields);
  if (state_->catalog.stored > 0) settings.next_source = 1;
  Transaction transaction = begin();
  save_fields(database_, settings);
  State next = *state_;
  next.fields = std::make_shared<const FieldSettings>(std::move(settings));
  auto state = std::make_shared<const State>(std::move(next));
  std::vector<std::string> created;
  finish(transaction, created, {});
  state_ = std::move(state);
}

bool Writer::rebuild_fields() {
  if (!state_->fields->next_source) return false;
  read_rest();
  FileChanges files;
  try {
    Transaction transaction = begin();
    auto state = std::make_shared<const State>(apply_field_rebuild(database_, context_, *state_, files));
    finish(transaction, files.created, std::move(files.obsolete));
    state_ = std::move(state);
  } catch (...) {
    remove_files(files.created);
    throw;
  }
  return true;
}

void Writer::declare_vector_indexes(const VectorIndexes& indexes) {
  auto all = std::make_shared<VectorIndexes>(*state_->vector_indexes);
  for (const auto& [key, options] : indexes) (*all)[key] = options;
  if (*all == *state_->vector_indexes) return;
  read_rest();
  Transaction transaction = begin();
  save_vector_indexes(database_, *all);
  State next = *state_;
  next.vector_indexes = std::move(all);
  auto state = std::make_shared<const State>(std::move(next));
  std::vector<std::string> created;
  finish(transaction, created, {});
  state_ = std::move(state);
}

void Writer::heal(const PartDamage& damage) {
  FileChanges files;
  Transaction transaction = begin();
  auto state = std::make_shared<const State>(apply_healing(database_, *state_, damage, files));
  finish(transaction, files.created, std::move(files.obsolete));
  state_ = std::move(state);
}

bool Writer::compact() {
  if (!needs_compaction(database_)) return false;
  read_rest();
  State next = *state_;
  Transaction transaction = begin();
  const bool moved = compact_texts(database_, next.catalog);
  if (!moved && !free_pages(database_)) return false;
  update_counters(database_, next.catalog);
  auto state = std::make_shared<const State>(std::move(next));
  std::vector<std::string> created;
  finish(transaction, created, {});
  state_ = std::move(state);
  return true;
}

Transaction Writer::begin(Sync sync) {
  lock_.expect_held("write to the store");
  mend_log();
  const bool synced = durability_ == Durability::durable && sync == Sync::as_asked;
  if (synced != is_synced_) set_synced(database_, synced);
  is_synced_ = synced;
  return Transaction(database_);
}

void Writer::finish(Transaction& transaction, std::vector<std::string>& created, std::vector<std::string> obsolete) {
  // Nothing may fail once the transaction is committed.
  obsolete.insert(obsolete.end(), doubtful_.begin(), doubtful_.end());
  retired_.reserve(retired_.size() + obsolete.size());
  doubtful_.reserve(doubtful_.size() + created.size());
  try {
    transaction.commit();
  } catch (...) {
    // The page that commits is the last one written: where the writing failed, nothing can come back. Where the sync
    // failed, recovery from the log would bring the transaction back, until another one is written over it.
    if (may_be_in_log(sqlite3_extended_errcode(database_.handle()))) {
      note_gaps();
      std::move(created.begin(), created.end(), std::back_inserter(doubtful_));
      created.clear();
    }
    throw;
  }
  doubtful_.clear();
  if (is_synced_) {
    note_synced_log();
    remove_files(obsolete);
  } else {
    std::move(obsolete.begin(), obsolete.end(), std::back_inserter(retired_));
  }
}

bool Writer::checkpoint() {
  lock_.expect_held("checkpoint");
  mend_log();
  int log = 0;
  int moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(database_.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &log, &moved);
  if (code != SQLITE_OK && code != SQLITE_BUSY) {
    note_gaps();
    raise(code, database_.handle(), "checkpoint");
  }
  if (code != SQLITE_OK || log != moved) return false;
  log_frames_ = static_cast<std::size_t>(std::max(log, 0));
  note_synced_log();
  may_begin_anew_ = true;
  log_pages_ = 0;
  remove_files(std::exchange(retired_, {}));
  return true;
}

void Writer::checkpoint_and_truncate() {
  lock_.expect_held("checkpoint");
  mend_log();
  may_begin_anew_ = true;
  const int code = sqlite3_wal_checkpoint_v2(database_.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code != SQLITE_OK && code != SQLITE_BUSY) {
    note_gaps();
    raise(code, database_.handle(), "checkpoint");
  }
  if (code == SQLITE_OK) remove_files(std::exchange(retired_, {}));
}

void Writer::note_synced_log() noexcept {
  synced_frames_ = 0;
  try {
    if (may_begin_anew_) {
      const std::uint64_t salt = database_.log_salt();
      may_begin_anew_ = salt == synced_log_;
      synced_log_ = salt;
    }
    synced_frames_ = log_frames_;
  } catch (const std::exception&) {
    // All of it would be written again.
  }
}

void Writer::note_gaps() noexcept {
  log_has_gaps_ = true;
  lock_.doubt_log(true);
  try {
    // At once: the process may end before it writes again.
    mend_log();
  } catch (const std::exception&) {
    // It is tried again then.
  }
}

void Writer::mend_log() {
  if (!log_has_gaps_) return;
  // What is durable must not be in the system's hands again.
  database_.rewrite_log(database_.log_salt() == synced_log_ ? synced_frames_ : 0);
  log_has_gaps_ = false;
  lock_.doubt_log(false);
}

void Writer::remove_orphans() {
  std::set<std::string> named;
  for (const auto& [definition, column] : state_->columns)
    for (const Part& part : column->parts) named.insert(part.file);
  std::vector<std::string> orphans;
  for (std::string& name : context_.folder.files->list(context_.folder.path))
    if (name.starts_with("part-") && !named.contains(name) && !is_set_aside(name)) orphans.push_back(std::move(name));
  // What was found in the log may not have been synced before a crash; without it an older state needs the files.
  if (!orphans.empty() && checkpoint()) remove_files(orphans);
}

void Writer::remove_files(const std::vector<std::string>& names) noexcept {
  // Another store's files may have these names.
  if (names.empty() || !lock_.is_held()) return;
  for (const std::string& name : names) try {
      context_.folder.files->remove(context_.folder.path / name);
    } catch (const std::exception&) {
      // It is an orphan: removed when the store is opened the next time.
    }
}

}  // namespace ragstone::sqlite
