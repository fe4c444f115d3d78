#include "support/errors.hpp"
#include "support/mounts.hpp"
#include "support/rounds.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/sqlite_engine.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <sys/mount.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

/// A file system of 3 MB and 300 files in memory.
class SmallDisk {
 public:
  SmallDisk() : is_mounted_(::mount("none", folder_.path().c_str(), "tmpfs", 0, "size=3m,nr_inodes=300") == 0) {}
  ~SmallDisk() {
    if (is_mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool is_mounted() const noexcept { return is_mounted_; }
  const fs::path& path() const noexcept { return folder_.path(); }
  /// Takes a megabyte away, or gives it back.
  void fill() const {
    std::ofstream out(path() / "other program's", std::ios::binary);
    out << std::string(1 << 20, 'x');
  }
  void free() const { fs::remove(path() / "other program's"); }
  /// Takes every block that is left, and gives them back.
  void fill_to_the_brim() const {
    std::ofstream out(path() / "the rest", std::ios::binary);
    while (out << std::string(512, 'x') << std::flush) {
    }
  }
  void free_brim() const { fs::remove(path() / "the rest"); }
  /// Takes every file that may still be made.
  void use_all_files() const {
    for (int i = 0; std::ofstream(path() / ("file " + std::to_string(i))); ++i) {
    }
  }
  void grow() const { ASSERT_EQ(::mount("none", path().c_str(), "tmpfs", MS_REMOUNT, "size=9m"), 0); }

 private:
  TemporaryFolder folder_;
  bool is_mounted_;
};

class FullDisk : public testing::Test {
 protected:
  /// False: the test runs elsewhere, or, which it says, nowhere.
  bool can_run() {
    std::string why_not;
    const Mounts mounts = find_mounts(why_not);
    if (mounts == Mounts::allowed) disk_.emplace();
    if (mounts == Mounts::refused) [&] { GTEST_SKIP() << why_not; }();
    return disk_ && disk_->is_mounted();
  }

  void open() {
    SqliteOptions options;
    options.seal_rows = 50;
    engine_ = sqlite_engine(disk_->path() / "store", options);
  }

  std::string text(std::size_t bytes) {
    std::string text;
    while (text.size() < bytes) text += "word" + std::to_string(random_() % 5000) + (random_() % 9 == 0 ? "\n" : " ");
    return text;
  }

  void put(const std::string& id, std::string text) {
    Commit commit;
    commit.sources.push_back(sample_lines(id, text));
    engine_->commit(std::move(commit));
    stored_[id] = std::move(text);
  }

  void remove_all() {
    Commit commit;
    for (const auto& [id, text] : stored_) commit.removals.push_back(id);
    engine_->commit(std::move(commit));
    stored_.clear();
  }

  /// Writes until there is no space.
  void fill_store() {
    for (int i = 0;; ++i) {
      try {
        put("source " + std::to_string(i), text(20'000 + random_() % 40'000));
        if (i % 4 == 0) engine_->maintain();
      } catch (const Error& error) {
        EXPECT_EQ(error.errc(), Errc::storage_full) << error.what();
        return;
      }
      ASSERT_LT(i, 1000) << "3 MB are never full";
    }
  }

  void expect_stored() const {
    const auto snapshot = engine_->snapshot();
    EXPECT_EQ(snapshot->sources({}).size(), stored_.size());
    for (const auto& [id, text] : stored_) EXPECT_EQ(snapshot->text(id), std::optional(text)) << id;
    for (const StoreFinding& finding : engine_->verify().findings)
      ADD_FAILURE() << finding.object << ": " << finding.problem;
  }

  /// A start while there is no space.
  void expect_stored_or_full(StoreAccess access) {
    SCOPED_TRACE(access == StoreAccess::read_only ? "read-only" : "for writing");
    SqliteOptions options;
    options.access = access;
    try {
      engine_ = sqlite_engine(disk_->path() / "store", options);
      expect_stored();
      ++starts_;
    } catch (const Error& error) {
      EXPECT_EQ(error.errc(), Errc::storage_full) << error.what();
      ++refused_starts_;
    }
    engine_.reset();
  }

  std::optional<SmallDisk> disk_;
  std::size_t starts_ = 0;
  std::size_t refused_starts_ = 0;
  std::mt19937_64 random_{7};
  std::shared_ptr<StoreEngine> engine_;
  std::map<std::string, std::string> stored_;
};

// F4
TEST_F(FullDisk, IsToldLosesNothingAndIsForgottenOnceThereIsSpace) {
  if (!can_run()) return;
  open();
  for (std::size_t cycle = 0; cycle < std::min<std::size_t>(rounds(10), 100) && !HasFailure(); ++cycle) {
    SCOPED_TRACE("cycle " + std::to_string(cycle));
    disk_->fill();
    fill_store();
    expect_stored();
    if (cycle % 3 == 2) {
      // A crash on a full disk, and starts before there is space again.
      engine_.reset();
      for (const bool to_the_brim : {false, true}) {
        if (to_the_brim) disk_->fill_to_the_brim();
        for (const StoreAccess access : {StoreAccess::read_only, StoreAccess::read_write, StoreAccess::read_only})
          expect_stored_or_full(access);
      }
      disk_->free_brim();
      disk_->free();
      open();
      expect_stored();
    }
    disk_->free();
    put("one more", text(1000));
    expect_stored();
    remove_all();
    while (engine_->maintain()) {
    }
    if (cycle % 2 == 1) {
      engine_->close();
      open();
    }
    expect_stored();
  }
  std::cout << starts_ << " starts on a full disk, " << refused_starts_ << " refused\n";
  EXPECT_GT(starts_, 0U);
}

// F4
TEST_F(FullDisk, WhereNoFileCanBeMadeIsToldByWhoNeedsALock) {
  if (!can_run()) return;
  open();
  put("a", text(1000));
  engine_->close();
  fs::remove(disk_->path() / "store" / "lock");
  disk_->use_all_files();
  EXPECT_EQ(error_of([&] { open(); }).errc(), Errc::storage_full);
  EXPECT_EQ(error_of([&] { export_store(disk_->path() / "store", disk_->path() / "archive"); }).errc(),
            Errc::storage_full);
  fs::remove(disk_->path() / "file 0");
  EXPECT_EQ(error_of([&] { open(); }).errc(), Errc::storage_full) << "room for the lock, none for SQLite's log";
  for (const char* file : {"file 1", "file 2", "file 3"}) fs::remove(disk_->path() / file);
  open();
  expect_stored();
}

// F4
TEST_F(FullDisk, IsToldByClosingWhichLosesNothing) {
  if (!can_run()) return;
  open();
  fill_store();
  for (int i = 0;; ++i) {  // Until no small source fits either, which leaves some that are not in the tables yet.
    try {
      put("small 小 " + std::to_string(i), text(100));
    } catch (const Error& error) {
      ASSERT_EQ(error.errc(), Errc::storage_full) << error.what();
      break;
    }
  }
  const Error told = error_of([&] { engine_->close(); });
  EXPECT_EQ(told.errc(), Errc::storage_full);
  EXPECT_NE(std::string(told.what()).find("it is closed and has all that was acknowledged"), std::string::npos)
      << told.what();
  EXPECT_EQ(error_of([&] { put("late", "text"); }).errc(), Errc::closed);
  engine_->close();
  disk_->grow();
  open();
  expect_stored();
  put("one more", text(1000));
  engine_->close();
  open();
  expect_stored();
}

}  // namespace
}  // namespace ragstone::test
