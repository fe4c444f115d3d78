#include "store/own_threads.hpp"
#include "store/segment/index_folder.hpp"
#include "store/sqlite/commit_queue.hpp"
#include "store/sqlite/engine.hpp"
#include "store/sqlite/folder_lock.hpp"
#include "store/sqlite/renew_log.hpp"
#include "store/sqlite/snapshot.hpp"
#include "store/sqlite/store_folder.hpp"
#include "store/sqlite/warm_up.hpp"
#include "store/sqlite/whole_store.hpp"
#include "store/sqlite/writer.hpp"
#include "store/vector_form.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace ragstone::sqlite {
namespace {

// 4 MiB, as SQLite does by itself: what is in the log is read whole at the first opening after a crash.
constexpr std::size_t kCheckpointPages = 1000;
// After a kill, an opening and the first search read what a column has in the database until it is sealed.
constexpr std::size_t kMaxStagedBytes = std::size_t{512} << 10;
// Parts of a few rows are cheap to write, but each costs every search a look: of the rows that may wait, so many for
// each of them.
constexpr std::size_t kRowsPerSmallPart = 32;
// Commits wait for more of them to be unfolded.
constexpr std::size_t kFreshSources = 32;
// So many times what is due waits at most where nobody calls maintain().
constexpr std::size_t kPatience = 8;

/// What close() says where the rest could not be done.
[[noreturn]] void throw_unfinished(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& reason) {
    throw Error(reason.errc(),
                std::string("close store: it is closed and has all that was acknowledged, but not all is "
                            "sealed, which it goes on with once it is opened again: ") +
                    reason.what());
  }
}

class WritingEngine final : public StoreEngine {
 public:
  WritingEngine(const std::filesystem::path& folder, const SqliteOptions& options, EngineHooks hooks)
      : options_(options),
        vfs_(hooks.vfs),
        now_(hooks.now),
        graph_rows_(hooks.graph_rows),
        shared_(std::make_shared<SharedBySnapshots>(options.verify_on_first_use)),
        queue_([this](const std::vector<PendingCommit*>& group) { return carry_out(group); }) {
    context_.folder = {hooks.files, folder / kPartFolder, options.map_segments};
    if (hooks.files->type_of(folder / kDatabaseFile) == segment::FileType::none ||
        hooks.files->type_of(context_.folder.path) != segment::FileType::directory)
      create_folders(*hooks.files, context_.folder.path);
    lock_.emplace(folder / kLockFile, options.lock_timeout);
    refuse_lost_database(*hooks.files, folder);
    remove_unfinished_log(*hooks.files, folder / kDatabaseFile);
    if (lock_->doubts_log()) {
      renew_log(*hooks.files, folder / kDatabaseFile, hooks.vfs_name(), options.lock_timeout);
      lock_->doubt_log(false);
    }
    writer_ = std::make_unique<Writer>(folder / kDatabaseFile, hooks.vfs, options.durability, context_, *lock_,
                                       options.lock_timeout);
    // Until its first commit, the names of a new store's files may be lost.
    opened_at_ = writer_->state()->catalog.generation;
    if (opened_at_ == 0) hooks.files->sync_directory(folder);
    readers_ = std::make_shared<ReaderPool>(folder / kDatabaseFile, OpenMode::read, hooks.vfs, options.lock_timeout);
    indexes_ = std::make_shared<segment::IndexFolder>(hooks.files, folder / kIndexFolder, options.map_segments, true);
    indexes_->remove_newer(opened_at_);
    publish();
    if (options_.warm_up) warm_up_ = std::make_unique<WarmUp>(writer_->state());
  }

  ~WritingEngine() override {
    if (!is_forked()) return;
    // What is the parent's is left as it is: to close a connection may write, and the threads are not here.
    static_cast<void>(writer_.release());
    static_cast<void>(warm_up_.release());
    static_cast<void>(new (std::nothrow) std::shared_ptr<ReaderPool>(readers_));
  }

  const StoreCapabilities& capabilities() const noexcept override { return capabilities_; }

  Generation opened_at() const noexcept override { return opened_at_; }

  std::shared_ptr<const StoreSnapshot> snapshot() const override { return current(); }

  std::shared_ptr<IndexFiles> index_files() const override { return indexes_; }

  VectorIndexes vector_indexes() const override { return *newest_state()->vector_indexes; }

  void close() override {
    // In a forked process the store stays its parent's.
    if (is_forked()) return;
    const std::lock_guard maintaining(maintenance_mutex_);
    std::exception_ptr first_error;
    const auto attempt = [&first_error](auto step) {
      try {
        step();
      } catch (...) {
        if (!first_error) first_error = std::current_exception();
      }
    };
    // Kept from the last seal on, so that no commit begins one that would outlast the writer.
    const std::lock_guard sealing(seal_mutex_);
    attempt([&] { seal_all(first_error); });
    const std::lock_guard lock(commit_mutex_);
    if (!writer_) return;
    warm_up_.reset();
    attempt([this] {
      if (writer_->unfold()) publish();
    });
    attempt([this] {
      checkpoint();
      writer_->checkpoint_and_truncate();
    });
    writer_.reset();
    lock_.reset();
    if (first_error) throw_unfinished(first_error);
  }

 private:
  StagedLimit staged_limit() const noexcept {
    return {options_.seal_rows, kMaxStagedBytes, std::max<std::size_t>(options_.seal_rows / kRowsPerSmallPart, 2)};
  }

  std::size_t fresh_limit() const noexcept { return std::min(staged_limit().small_parts, kFreshSources); }

  /// Holds commit_mutex_ for a change, and publishes the state that the writer has at its end: where the change fails,
  /// the writer may have read what the state was loaded without, or have given up what of it was damaged.
  class Change {
   public:
    explicit Change(const WritingEngine& engine) : engine_(engine), lock_(engine.commit_mutex_) {}
    ~Change() {
      // Only who has commit_mutex_ writes newest_.
      if (engine_.writer_ && engine_.writer_->state() != engine_.newest_) engine_.publish();
    }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

   private:
    const WritingEngine& engine_;
    const std::lock_guard<std::mutex> lock_;
  };

  /// Ends a merge's claim on its inputs.
  class Unbusy {
   public:
    Unbusy(WritingEngine& engine, const Merge& merge) : engine_(engine), merge_(merge) {}
    ~Unbusy() {
      const std::lock_guard lock(engine_.commit_mutex_);
      for (const Part& part : merge_.inputs.parts) engine_.context_.busy.erase(part.number);
    }
    Unbusy(const Unbusy&) = delete;
    Unbusy& operator=(const Unbusy&) = delete;

   private:
    WritingEngine& engine_;
    const Merge& merge_;
  };

  /// Of SQLite's connections a forked process has only what looks like one: its locks are the parent's.
  bool is_forked() const noexcept { return ::getpid() != process_; }

  void refuse_after_fork(const char* operation) const {
    if (is_forked())
      throw Error(Errc::unsupported, std::string(operation) + ": process " + std::to_string(process_) +
                                         " opened the store, and this one was forked from it; fork before the store "
                                         "is opened, or execute a program that opens it");
  }

  CommitResult do_commit(Commit commit, const StopToken& stop) override {
    PendingCommit mine(std::move(commit), stop);
    PendingCommit* one = &mine;
    queue_.run({&one, 1});
    if (mine.error) std::rethrow_exception(mine.error);
    return std::move(mine.result);
  }

  std::size_t do_commit_together(std::span<PendingCommit* const> commits) override { return queue_.run(commits); }

  std::size_t carry_out(const std::vector<PendingCommit*>& group) {
    try {
      refuse_after_fork("commit");
      catch_up();
      const Change change(*this);
      if (!writer_) throw Error(Errc::closed, "commit: the store is closed");
      return writer_->commit(group, now_);
    } catch (...) {
      for (PendingCommit* waiting : group) waiting->error = std::current_exception();
      return group.size();
    }
  }

  /// Does what maintain() should have done, where too much of it waits. Not for a merge, which may take minutes.
  void catch_up() {
    const StagedLimit most = staged_limit().times(kPatience);
    const std::set<DefinitionNumber> damaged = damaged_columns(*newest_state());
    // Not for the caller alone: its stop token must not end what other commits wait for.
    if (choose_seal(*newest_state(), most, damaged)) try {
        seal({}, most, damaged);
      } catch (const Error& error) {
        // What is damaged is a suspect now, which maintain() heals.
        if (error.errc() != Errc::corrupt_store) throw;
      }
    const std::lock_guard lock(commit_mutex_);
    if (writer_ && writer_->log_pages() > kPatience * kCheckpointPages) checkpoint();
  }

  /// Those that cannot be sealed, in all likelihood, before maintain() has healed them.
  std::set<DefinitionNumber> damaged_columns(const State& state) const {
    const std::set<PartNumber> suspects = shared_->damage.suspects();
    std::set<DefinitionNumber> damaged;
    if (suspects.empty()) return damaged;
    for (const auto& [definition, column] : state.columns)
      for (const Part& part : column->parts)
        if (part.is_staged() && suspects.contains(part.number)) damaged.insert(definition);
    return damaged;
  }

  bool do_maintain(const StopToken& stop, Upkeep upkeep) override {
    refuse_after_fork("maintain");
    const std::lock_guard maintaining(maintenance_mutex_);
    // What cannot be healed keeps nothing else from being done.
    std::exception_ptr not_healed;
    if (heal_suspects(not_healed, stop) || unfold_fresh()) return true;
    if (seal(stop, staged_limit(), damaged_columns(*newest_state())) || merge(stop, upkeep) || compact()) return true;
    if (not_healed) std::rethrow_exception(not_healed);
    return false;
  }

  bool compact() {
    const Change change(*this);
    if (writer_ && (writer_->rebuild_fields() || writer_->compact())) return true;
    if (writer_ && (writer_->log_pages() > kCheckpointPages || writer_->has_retired_files())) checkpoint();
    return false;
  }

  bool unfold_fresh() {
    const Change change(*this);
    // Together, so that their texts share a block.
    return writer_ && writer_->state()->fresh->size() >= fresh_limit() && writer_->unfold();
  }

  void do_declare_fields(std::vector<FieldDeclaration> fields, const StopToken&) override {
    refuse_after_fork("declare fields");
    const Change change(*this);
    if (!writer_) throw Error(Errc::closed, "declare fields: the store is closed");
    writer_->declare_fields(std::move(fields));
  }

  void do_declare_vector_indexes(VectorIndexes indexes, const StopToken&) override {
    refuse_after_fork("declare vector indexes");
    const Change change(*this);
    if (!writer_) throw Error(Errc::closed, "declare vector indexes: the store is closed");
    writer_->declare_vector_indexes(indexes);
  }

  StoreReading reading() const {
    return {*readers_, [this] { return newest_state(); }, context_.folder};
  }

  VerifyReport do_verify(const StopToken& stop) const override {
    try {
      read_rest();
    } catch (const Error&) {
      // verify_store() reads the same, meets it too, and tells of it.
    }
    return verify_store(reading(), *indexes_, &shared_->damage, stop);
  }

  void do_backup(const std::filesystem::path& folder, const StopToken& stop) const override {
    read_rest();
    copy_store(reading(), *indexes_, folder, vfs_, stop);
  }

  /// False if there is nothing to seal.
  bool seal(const StopToken& stop, const StagedLimit& limit, const std::set<DefinitionNumber>& without = {}) {
    const std::lock_guard sealing(seal_mutex_);
    return merge_chosen([&](const State& state) { return choose_seal(state, limit, without); }, stop);
  }

  /// Under maintenance_mutex_ and seal_mutex_. Heals what turns out to be damaged. A column that cannot be sealed keeps
  /// no other one from it; `first_error` says why.
  void seal_all(std::exception_ptr& first_error) {
    std::set<DefinitionNumber> healed;
    std::set<DefinitionNumber> left;
    for (;;) {
      std::optional<DefinitionNumber> column;
      const auto choose = [&](const State& state) {
        std::optional<Merge> merge = choose_seal(state, {}, left);
        if (merge) column = merge->definition;
        return merge;
      };
      try {
        if (!merge_chosen(choose, {})) return;
        continue;
      } catch (const Error& error) {
        if (column && error.errc() == Errc::corrupt_store && healed.insert(*column).second) {
          if (heal_staged(*column, first_error)) continue;
        } else if (!first_error) {
          first_error = std::current_exception();
        }
      } catch (...) {
        if (!first_error) first_error = std::current_exception();
      }
      if (!column) return;
      left.insert(*column);
    }
  }

  /// Under maintenance_mutex_, of sealed parts. False if there is nothing to merge.
  bool merge(const StopToken& stop, Upkeep upkeep) {
    return merge_chosen([&](const State& state) { return choose_merge(state, upkeep, graph_rows_); }, stop);
  }

  template <class Choose>
  bool merge_chosen(Choose choose, const StopToken& stop) {
    std::optional<Merge> merge;
    Generation generation = 0;
    {
      const Change change(*this);
      if (!writer_) return false;
      merge = choose(*writer_->state());
      if (merge && writer_->read_rest()) merge = choose(*writer_->state());
      if (!merge || is_busy(merge->inputs)) return false;
      generation = claim(*merge);
    }
    const Unbusy unbusy(*this, *merge);
    carry_out_merge(*merge, generation, stop);
    return true;
  }

  bool is_busy(const Column& inputs) const {
    return std::any_of(inputs.parts.begin(), inputs.parts.end(),
                       [this](const Part& part) { return context_.busy.contains(part.number); });
  }

  /// Under commit_mutex_, with a writer. Gives the generation that the merge is of.
  Generation claim(const Merge& merge) {
    lock_->expect_held("seal or merge");
    for (const Part& part : merge.inputs.parts) context_.busy.insert(part.number);
    return writer_->state()->catalog.generation;
  }

  void carry_out_merge(const Merge& merge, Generation generation, const StopToken& stop) {
    try {
      Part merged = merge_parts(merge, context_.folder, context_.next_part++, generation, helpers_, stop);
      const Change change(*this);
      // The folder may be another writer's by now, who removes the part's file as an orphan.
      if (!writer_) throw Error(Errc::closed, "seal or merge: the store is closed");
      writer_->replace(merge, std::move(merged));
    } catch (const Error& error) {
      if (error.errc() == Errc::corrupt_store) shared_->damage.suspect(merge.inputs);
      throw;
    }
  }

  /// Under maintenance_mutex_. False if nothing was healed. Parts whose healing broke off stay suspects; `first_error`
  /// says why.
  bool heal_suspects(std::exception_ptr& first_error, const StopToken& stop) {
    bool healed = false;
    for (const PartNumber number : shared_->damage.suspects()) try {
        healed = heal(number, stop) || healed;
        shared_->damage.forget(number);
      } catch (...) {
        throw_if_stopped(stop);
        if (!first_error) first_error = std::current_exception();
      }
    return healed;
  }

  /// Under maintenance_mutex_ and seal_mutex_: the suspects among a column's staged parts. False if that broke off.
  bool heal_staged(DefinitionNumber definition, std::exception_ptr& first_error) {
    try {
      const std::shared_ptr<const State> state = newest_state();
      const std::set<PartNumber> suspects = shared_->damage.suspects();
      const Column* column = state->column(definition);
      if (column == nullptr) return true;
      for (const Part& part : column->parts) {
        if (!part.is_staged() || !suspects.contains(part.number)) continue;
        heal_unmerged(part.number, {});
        shared_->damage.forget(part.number);
      }
      return true;
    } catch (...) {
      if (!first_error) first_error = std::current_exception();
      return false;
    }
  }

  /// False if the part was not damaged.
  bool heal(PartNumber number, const StopToken& stop) {
    read_rest();
    // So no part that is looked at is being merged.
    std::unique_lock sealing(seal_mutex_, std::defer_lock);
    if (is_staged(number)) sealing.lock();
    return heal_unmerged(number, stop);
  }

  /// Of a part that nobody else merges meanwhile.
  bool heal_unmerged(PartNumber number, const StopToken& stop) {
    const std::optional<PartDamage> damage = find_damage(*newest_state(), number, stop);
    if (!damage) return false;
    if (damage->is_whole || !damage->rows.empty()) {
      const Change change(*this);
      if (!writer_) return false;
      writer_->heal(*damage);
    }
    if (!damage->is_whole && damage->is_derived) derive_again(*damage, stop);
    return true;
  }

  bool is_staged(PartNumber number) const {
    const std::shared_ptr<const State> state = newest_state();
    return std::any_of(state->columns.begin(), state->columns.end(), [&](const auto& item) {
      return std::any_of(item.second->parts.begin(), item.second->parts.end(),
                         [&](const Part& part) { return part.number == number && part.is_staged(); });
    });
  }

  /// Merges a part with itself alone, which derives what is damaged from the rest.
  void derive_again(const PartDamage& damage, const StopToken& stop) {
    Merge merge;
    Generation generation = 0;
    {
      const std::lock_guard lock(commit_mutex_);
      if (!writer_) return;
      const State& state = *writer_->state();
      const Column* column = state.column(damage.definition);
      if (column == nullptr) return;
      for (const Part& part : column->parts)
        if (part.number == damage.number) merge.inputs.parts.push_back(part);
      if (merge.inputs.parts.empty()) return;
      merge.definition = damage.definition;
      merge.column = state.catalog.column(damage.definition);
      merge.form = form_of(*state.vector_indexes, merge.column.key, merge.column.dimension, graph_rows_);
      merge.form.from_scratch = true;
      generation = claim(merge);
    }
    const Unbusy unbusy(*this, merge);
    carry_out_merge(merge, generation, stop);
  }

  /// Under commit_mutex_, which keeps commits waiting, on purpose: SQLite up to 3.51.2 may corrupt a database where one
  /// connection begins the log anew while another one checkpoints it. So the one connection that writes does both.
  void checkpoint() {
    // The log can begin anew only once no reader reads from it, that of the newest snapshot included.
    if (writer_->checkpoint()) publish();
  }

  /// For what looks at all parts: takes those that are damaged out first.
  void read_rest() const {
    if (is_forked()) return;
    const Change change(*this);
    if (writer_) writer_->read_rest();
  }

  /// Under commit_mutex_. A reader is only made for whoever asks for a snapshot: a commit need not wait for one, and
  /// nobody holds the log who does not read.
  void publish() const noexcept {
    std::shared_ptr<const SqliteSnapshot> before;
    const std::lock_guard lock(snapshot_mutex_);
    newest_ = writer_->state();
    snapshot_.swap(before);
  }

  std::shared_ptr<const State> newest_state() const {
    const std::lock_guard lock(snapshot_mutex_);
    return newest_;
  }

  /// None if it could not be tied to a reader: most likely since the database has a newer state, which is about to be
  /// published.
  std::shared_ptr<const SqliteSnapshot> pinned_snapshot() const {
    auto made = std::make_shared<const SqliteSnapshot>(newest_state(), readers_, shared_);
    try {
      made->readers().pin();
    } catch (const Error&) {
      return nullptr;
    }
    return made;
  }

  /// Of the newest state.
  std::shared_ptr<const SqliteSnapshot> current() const {
    {
      const std::lock_guard lock(snapshot_mutex_);
      if (snapshot_) return snapshot_;
    }
    std::shared_ptr<const SqliteSnapshot> made = pinned_snapshot();
    if (!made) {
      const std::lock_guard between_commits(commit_mutex_);
      made = pinned_snapshot();
      // Its first read tries again, and throws then.
      if (!made) made = std::make_shared<const SqliteSnapshot>(newest_state(), readers_, shared_);
    }
    const std::lock_guard lock(snapshot_mutex_);
    if (!snapshot_ && made->state() == newest_) snapshot_ = made;
    return made;
  }

  const pid_t process_ = ::getpid();
  const SqliteOptions options_;
  const std::string vfs_;
  const MonotonicClock now_;
  const std::size_t graph_rows_;
  const OwnThreads helpers_ = OwnThreads::all_but_one();
  const StoreCapabilities capabilities_ = sqlite_capabilities();
  Generation opened_at_ = 0;
  const std::shared_ptr<SharedBySnapshots> shared_;
  CommitQueue queue_;
  std::mutex maintenance_mutex_;     ///< Of merges. Before seal_mutex_.
  std::mutex seal_mutex_;            ///< Of staged parts, which nobody else merges. Before commit_mutex_.
  mutable std::mutex commit_mutex_;  ///< Before snapshot_mutex_.
  PartContext context_;
  std::optional<FolderLock> lock_;
  std::unique_ptr<Writer> writer_;  ///< None once the store is closed.
  std::shared_ptr<ReaderPool> readers_;
  std::shared_ptr<segment::IndexFolder> indexes_;
  mutable std::mutex snapshot_mutex_;
  mutable std::shared_ptr<const State> newest_;
  mutable std::shared_ptr<const SqliteSnapshot> snapshot_;  ///< Of newest_; none before somebody asked for it.
  std::unique_ptr<WarmUp> warm_up_;
};

}  // namespace

std::shared_ptr<StoreEngine> writing_engine(const std::filesystem::path& folder, const SqliteOptions& options,
                                            EngineHooks hooks) {
  return std::make_shared<WritingEngine>(folder, options, std::move(hooks));
}

}  // namespace ragstone::sqlite
