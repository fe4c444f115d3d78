#include "damaged_parts.hpp"
#include "support/errors.hpp"

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

/// A store whose folder, or what is in it, others move while it is open, or between two openings.
class ReplacedFolder : public SqliteHealing {
 protected:
  /// Of each file below a folder.
  static std::map<std::string, std::string> contents(const fs::path& folder) {
    std::map<std::string, std::string> found;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder))
      if (entry.is_regular_file()) found[entry.path().lexically_relative(folder)] = bytes_of(entry.path());
    return found;
  }

  void commit(int number) {
    Commit commit;
    commit.sources.push_back(source_of(number));
    engine_->commit(std::move(commit));
  }

  /// Whatever would write is refused, and closing tells it.
  void expect_refused() {
    const Error error = error_of([this] { commit(kSources + 1); });
    EXPECT_EQ(error.errc(), Errc::io_error);
    EXPECT_NE(std::string_view(error.what()).find("put it back"), std::string_view::npos) << error.what();
    EXPECT_EQ(error_of([this] { engine_->close(); }).errc(), Errc::io_error);
    engine_.reset();
  }
};

// F1
TEST_F(ReplacedFolder, LosesNothingOfTheStoreThatTookItsPlace) {
  const fs::path moved = temporary_.path() / "moved";
  fs::copy(folder_, temporary_.path() / "other", fs::copy_options::recursive);
  open();
  commit(kSources);
  fs::rename(folder_, moved);
  fs::rename(temporary_.path() / "other", folder_);
  const auto before = contents(folder_);
  expect_refused();
  EXPECT_EQ(contents(folder_), before);
  open();
  EXPECT_EQ(found_by_vectors(), std::size_t{kSources});
  EXPECT_TRUE(engine_->verify().ok());
  engine_->close();
  fs::remove_all(folder_);
  fs::rename(moved, folder_);
  open();
  EXPECT_EQ(found_by_vectors(), kSources + std::size_t{1}) << "what was acknowledged before";
  EXPECT_TRUE(engine_->verify().ok());
}

TEST_F(ReplacedFolder, GoesOnOnceItIsPutBack) {
  open();
  fs::rename(folder_, temporary_.path() / "moved");
  EXPECT_EQ(error_of([this] { commit(kSources); }).errc(), Errc::io_error);
  fs::rename(temporary_.path() / "moved", folder_);
  commit(kSources);
  engine_->close();
  open();
  EXPECT_EQ(found_by_vectors(), kSources + std::size_t{1});
}

TEST_F(ReplacedFolder, ARemovedLockLetsOnlyOneWriterGoOn) {
  open();
  fs::remove(folder_ / "lock");
  const auto second = sqlite_engine(folder_, options_);
  Commit of_second;
  of_second.sources.push_back(source_of(kSources));
  second->commit(std::move(of_second));
  expect_refused();
  second->close();
  open();
  EXPECT_EQ(found_by_vectors(), kSources + std::size_t{1});
  EXPECT_TRUE(engine_->verify().ok());
}

TEST_F(ReplacedFolder, IsTheSameWhereTheProgramMoves) {
  const fs::path here = fs::current_path();
  fs::current_path(temporary_.path());
  engine_ = sqlite_engine(folder_.lexically_relative(temporary_.path()), options_);
  fs::current_path(here);
  commit(kSources);
  engine_->close();
  open();
  EXPECT_EQ(found_by_vectors(), kSources + std::size_t{1});
}

// F7
TEST_F(ReplacedFolder, WithoutItsDatabaseItIsNoNewStore) {
  const fs::path database = folder_ / "store.db";
  const fs::path away = temporary_.path() / "away";
  const std::vector<std::function<void()>> ways = {[&] { fs::rename(database, away); },
                                                   [&] {
                                                     fs::rename(database, away);
                                                     std::ofstream(database).put('x');
                                                     fs::resize_file(database, 0);
                                                   }};
  for (const auto& lose : ways) {
    lose();
    const auto before = contents(folder_ / "segments");
    EXPECT_EQ(before.size(), 3u);
    const Error error = error_of([this] { open(); });
    EXPECT_EQ(error.errc(), Errc::not_found);
    EXPECT_NE(std::string_view(error.what()).find("put it back"), std::string_view::npos) << error.what();
    SqliteOptions reading;
    reading.access = StoreAccess::read_only;
    EXPECT_EQ(error_of([&] { sqlite_engine(folder_, reading); }).errc(), Errc::not_found);
    EXPECT_EQ(contents(folder_ / "segments"), before);
    fs::rename(away, database);
    open();
    EXPECT_EQ(found_by_vectors(), std::size_t{kSources});
    engine_->close();
    engine_.reset();
  }
}

}  // namespace
}  // namespace ragstone::test
