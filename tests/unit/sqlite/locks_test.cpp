#include "store/sqlite/database.hpp"
#include "store/sqlite/engine.hpp"
#include "store/sqlite/tools.hpp"
#include "support/errors.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

/// SQLite's default file layer, but for its sleep: it does what a test says instead, in no time.
class SleeplessVfs {
 public:
  explicit SleeplessVfs(std::function<void()> on_sleep) : on_sleep_(std::move(on_sleep)) {
    layer_ = *sqlite3_vfs_find(nullptr);
    layer_.zName = kName;
    layer_.pNext = nullptr;
    layer_.xSleep = [](sqlite3_vfs*, int microseconds) {
      ++current_->sleeps_;
      current_->on_sleep_();
      return microseconds;
    };
    current_ = this;
    sqlite3_vfs_register(&layer_, 0);
  }
  ~SleeplessVfs() { sqlite3_vfs_unregister(&layer_); }
  SleeplessVfs(const SleeplessVfs&) = delete;
  SleeplessVfs& operator=(const SleeplessVfs&) = delete;

  int sleeps() const noexcept { return sleeps_; }

  static constexpr char kName[] = "sleepless";

 private:
  static inline SleeplessVfs* current_ = nullptr;
  std::function<void()> on_sleep_;
  sqlite3_vfs layer_;
  int sleeps_ = 0;
};

/// A closed store that a foreign connection locks as SQLite does while it opens or closes one.
class SqliteLocks : public testing::Test {
 protected:
  SqliteLocks() {
    const auto engine = sqlite_engine(folder_);
    Commit commit;
    commit.sources.push_back(sample_lines("a", "river 河流\n"));
    engine->commit(std::move(commit));
    engine->close();
  }

  void lock() {
    lock_.emplace(folder_ / "store.db", sqlite::OpenMode::write);
    lock_->execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; ROLLBACK");
  }

  std::shared_ptr<StoreEngine> open(StoreAccess access) const {
    SqliteOptions options;
    options.access = access;
    sqlite::EngineHooks hooks;
    hooks.vfs = SleeplessVfs::kName;
    return sqlite::make_engine(folder_, options, std::move(hooks));
  }

  TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path() / "kb";
  std::optional<sqlite::Database> lock_;
};

TEST_F(SqliteLocks, ThatAreHeldForAMomentAreWaitedForByAnOpening) {
  for (const StoreAccess access : {StoreAccess::read_write, StoreAccess::read_only}) {
    const SleeplessVfs vfs([this] { lock_.reset(); });
    lock();
    const auto engine = open(access);
    EXPECT_EQ(vfs.sleeps(), 1);
    EXPECT_EQ(engine->snapshot()->text("a"), "river 河流\n");
    engine->close();
  }
}

TEST_F(SqliteLocks, ThatStayAreAnErrorInTheEnd) {
  for (const StoreAccess access : {StoreAccess::read_write, StoreAccess::read_only}) {
    const SleeplessVfs vfs([] {});
    lock();
    EXPECT_EQ(error_of([&] { open(access); }).errc(), Errc::locked);
    EXPECT_GT(vfs.sleeps(), 1);
    lock_.reset();
  }
}

TEST_F(SqliteLocks, OfReadersAreNotWaitedForByAClosing) {
  const SleeplessVfs vfs([] {});
  const auto reader = open(StoreAccess::read_only);
  const auto seen = reader->snapshot();
  const auto writer = open(StoreAccess::read_write);
  Commit commit;
  commit.sources.push_back(sample_lines("b", "bridge 桥\n"));
  writer->commit(std::move(commit));
  writer->close();
  EXPECT_EQ(vfs.sleeps(), 0);
  EXPECT_FALSE(seen->text("b").has_value());
  EXPECT_EQ(reader->snapshot()->text("b"), "bridge 桥\n");
}

TEST_F(SqliteLocks, ThatAreHeldForAMomentAreWaitedForByARecovery) {
  const SleeplessVfs vfs([this] { lock_.reset(); });
  lock();
  sqlite::EngineHooks hooks;
  hooks.vfs = SleeplessVfs::kName;
  EXPECT_EQ(sqlite::recover_store(folder_, temporary_.path() / "copy", hooks, {}).sources, 1u);
}

}  // namespace
}  // namespace ragstone::test
