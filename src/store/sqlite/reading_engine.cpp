#include "store/segment/index_folder.hpp"
#include "store/sqlite/access.hpp"
#include "store/sqlite/engine.hpp"
#include "store/sqlite/part_rows.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/snapshot.hpp"
#include "store/sqlite/warm_up.hpp"
#include "store/sqlite/whole_store.hpp"
#include <ragstone/base/error.hpp>

#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace ragstone::sqlite {
namespace {

// A writer may merge segments while their names are being read; each try sees its newest state.
constexpr int kTries = 10;

void refuse_unfinished(const std::filesystem::path& folder) {
  if (has_log(folder))
    throw Error(Errc::locked, "open store \"" + folder.string() +
                                  "\" as immutable: its last writer has not closed it; open it, or a copy that may be "
                                  "written, for writing and close it, or open it read-only");
}

StoreCapabilities reading_capabilities(bool follows) {
  StoreCapabilities capabilities = sqlite_capabilities();
  capabilities.read_only = true;
  capabilities.follows = follows;
  return capabilities;
}

class ReadingEngine final : public StoreEngine {
 public:
  ReadingEngine(const std::filesystem::path& folder, const SqliteOptions& options, EngineHooks hooks)
      : watches_(options.access == StoreAccess::read_only),
        vfs_(hooks.vfs),
        shared_(std::make_shared<SharedBySnapshots>(options.verify_on_first_use)) {
    if (hooks.files->type_of(folder / kDatabaseFile) == segment::FileType::none)
      throw Error(Errc::not_found, "open store \"" + folder.string() +
                                       "\" for reading: there is none; open it once for writing to make it");
    if (!watches_) refuse_unfinished(folder);
    indexes_ = std::make_shared<segment::IndexFolder>(hooks.files, folder / kIndexFolder, options.map_segments, false);
    folder_ = {std::move(hooks.files), folder / kPartFolder, options.map_segments};
    readers_ = std::make_shared<ReaderPool>(folder / kDatabaseFile, watches_ ? OpenMode::read : OpenMode::immutable,
                                            vfs_, options.lock_timeout);
    watch_ = readers_->take();
    check_schema(*watch_);
    opened_at_ = latest()->generation();
    if (options.warm_up) warm_up_.emplace(snapshot_->state());
  }

  const StoreCapabilities& capabilities() const noexcept override { return capabilities_; }

  Generation opened_at() const noexcept override { return opened_at_; }

  std::shared_ptr<const StoreSnapshot> snapshot() const override { return latest(); }

  std::shared_ptr<IndexFiles> index_files() const override { return indexes_; }

  VectorIndexes vector_indexes() const override { return *latest()->state()->vector_indexes; }

  void close() override {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
  }

 private:
  CommitResult do_commit(Commit, const StopToken&) override {
    throw Error(Errc::unsupported, "commit: the store is open for reading only; open it with StoreAccess::read_write");
  }

  void do_declare_vector_indexes(VectorIndexes, const StopToken&) override {}

  StoreReading reading() const {
    return {*readers_, [this] { return latest()->state(); }, folder_};
  }

  VerifyReport do_verify(const StopToken& stop) const override {
    return verify_store(reading(), *indexes_, nullptr, stop);
  }

  void do_backup(const std::filesystem::path& folder, const StopToken& stop) const override {
    copy_store(reading(), *indexes_, folder, vfs_, stop);
  }

  /// Reads the database where the writer has committed since the last call. Who is given a snapshot holds its readers;
  /// the engine alone does not: an idle process must not keep the writer's log from beginning anew.
  std::shared_ptr<const SqliteSnapshot> latest() const {
    const std::lock_guard lock(mutex_);
    if (!watches_ && snapshot_) return snapshot_;
    const std::int64_t version = is_closed_ ? version_ : data_version();
    if (snapshot_ && version == version_)
      if (auto held = hold(snapshot_)) return held;
    snapshot_ = load();
    version_ = version;
    return hold(snapshot_);
  }

  /// Null where the database has moved on.
  static std::shared_ptr<const SqliteSnapshot> hold(const std::shared_ptr<const SqliteSnapshot>& snapshot) {
    struct Hold {
      explicit Hold(std::shared_ptr<const SqliteSnapshot> held) : snapshot(std::move(held)) {}
      ~Hold() {
        if (is_held) snapshot->readers().release();
      }

      std::shared_ptr<const SqliteSnapshot> snapshot;
      bool is_held = false;
    };
    auto holding = std::make_shared<Hold>(snapshot);
    holding->is_held = snapshot->readers().hold();
    const SqliteSnapshot* held = holding->is_held ? snapshot.get() : nullptr;
    return {std::move(holding), held};
  }

  std::int64_t data_version() const {
    Statement& read = watch_->statement("PRAGMA data_version");
    const Rows guard(read);
    return read.step() ? read.integer(0) : 0;
  }

  std::shared_ptr<const SqliteSnapshot> load() const {
    for (int tries = 1;; ++tries) {
      std::unique_ptr<Database> database = readers_->take();
      database->execute("BEGIN");
      try {
        Loading loading;
        if (snapshot_) loading.known = snapshot_->state().get();
        State state = load_state(*database, folder_, loading);
        auto loaded =
            std::make_shared<const SqliteSnapshot>(std::make_shared<const State>(std::move(state)), readers_, shared_);
        loaded->readers().adopt(std::move(database));
        return loaded;
      } catch (const Error& error) {
        if (error.errc() != Errc::not_found || tries == kTries) throw;
      }
    }
  }

  const bool watches_;
  const std::string vfs_;
  const StoreCapabilities capabilities_ = reading_capabilities(watches_);
  Generation opened_at_ = 0;
  PartFolder folder_;
  std::shared_ptr<segment::IndexFolder> indexes_;
  std::shared_ptr<ReaderPool> readers_;
  const std::shared_ptr<SharedBySnapshots> shared_;
  std::unique_ptr<Database> watch_;
  mutable std::mutex mutex_;
  bool is_closed_ = false;
  mutable std::int64_t version_ = 0;
  mutable std::shared_ptr<const SqliteSnapshot> snapshot_;
  std::optional<WarmUp> warm_up_;
};

}  // namespace

std::shared_ptr<StoreEngine> reading_engine(const std::filesystem::path& folder, const SqliteOptions& options,
                                            EngineHooks hooks) {
  return std::make_shared<ReadingEngine>(folder, options, std::move(hooks));
}

}  // namespace ragstone::sqlite
