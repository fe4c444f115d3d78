#include "store/sqlite/database.hpp"
#include "store/sqlite/engine.hpp"
#include "store/sqlite/tools.hpp"
#include "support/errors.hpp"
#include "support/forwarding_file_system.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include "support/unprivileged.hpp"
#include <ragstone/store/sqlite_engine.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

/// The disk, with something to be done when the first file is made.
class WatchedFiles final : public ForwardingFileSystem {
 public:
  std::unique_ptr<segment::OutputFile> create(const fs::path& path) override {
    if (const auto run = std::exchange(on_create, nullptr)) run();
    return ForwardingFileSystem::create(path);
  }

  std::function<void()> on_create;
};

class UnfinishedStore : public testing::Test {
 protected:
  UnfinishedStore() {
    hooks_.files = files_;
    const auto engine = sqlite_engine(in("kb"));
    Commit commit;
    SourceWrite write = sample_lines("a", "river 河流");
    write.groups[1].dense.push_back(sample_vectors("e", "two", {{1, 2}}, 2));
    commit.sources.push_back(std::move(write));
    engine->commit(std::move(commit));
    engine->close();
  }

  fs::path in(const char* name) const { return temporary_.path() / name; }

  std::set<std::string> names() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(temporary_.path())) names.insert(entry.path().filename());
    return names;
  }

  static void expect_whole(const fs::path& folder) {
    const auto engine = sqlite_engine(folder);
    EXPECT_EQ(engine->snapshot()->text("a"), "river 河流");
    EXPECT_TRUE(engine->verify().ok());
  }

  TemporaryFolder temporary_;
  const std::shared_ptr<WatchedFiles> files_ = std::make_shared<WatchedFiles>();
  sqlite::EngineHooks hooks_;
};

TEST_F(UnfinishedStore, OfABackupIsNotTakenAwayByAnotherOneToTheSameFolder) {
  const auto engine = sqlite::make_engine(in("kb"), SqliteOptions(), hooks_);
  bool met = false;
  files_->on_create = [&] {
    met = true;
    EXPECT_EQ(error_of([&] { engine->backup(in("copy")); }).errc(), Errc::locked);
    EXPECT_NO_THROW(engine->backup(in("other")));
  };
  engine->backup(in("copy"));
  EXPECT_TRUE(met);
  EXPECT_EQ(error_of([&] { engine->backup(in("copy")); }).errc(), Errc::already_exists);
  engine->close();
  expect_whole(in("copy"));
  expect_whole(in("other"));
  EXPECT_EQ(names(), (std::set<std::string>{"copy", "kb", "other"})) << "nothing is left over";
}

TEST_F(UnfinishedStore, OfAnExportIsNotTakenAwayByAnotherOneToTheSameFile) {
  files_->on_create = [&] { EXPECT_EQ(error_of([&] { export_store(in("kb"), in("kb.rag")); }).errc(), Errc::locked); };
  sqlite::export_store(in("kb"), in("kb.rag"), hooks_, {});
  EXPECT_FALSE(files_->on_create) << "another one was tried";
  files_->on_create = [&] {
    EXPECT_EQ(error_of([&] { import_store(in("kb.rag"), in("copy")); }).errc(), Errc::locked);
  };
  sqlite::import_store(in("kb.rag"), in("copy"), hooks_, {});
  EXPECT_FALSE(files_->on_create) << "another one was tried";
  expect_whole(in("copy"));
  EXPECT_EQ(names(), (std::set<std::string>{"copy", "kb", "kb.rag"})) << "nothing is left over";
}

TEST_F(UnfinishedStore, ThatACrashLeftIsRemovedByTheNextOne) {
  temporary_.write("copy.unfinished/segments/part-9.seg", "half a part");
  temporary_.write("copy.unfinished.lock", "");
  sqlite_engine(in("kb"))->backup(in("copy"));
  EXPECT_FALSE(fs::exists(in("copy") / "segments" / "part-9.seg"));
  expect_whole(in("copy"));
  EXPECT_EQ(names(), (std::set<std::string>{"copy", "kb"}));
}

TEST_F(UnfinishedStore, ThatCannotBeRemovedIsAnErrorAndNoPartOfTheNextOne) {
  if (rerun_unprivileged()) return;
  const TemporaryFolder place;  // Of the unprivileged user.
  const fs::path copy = place.path() / "副本";
  const fs::path left = copy.string() + ".unfinished";
  const fs::path store = place.path() / "kb";
  sqlite_engine(store)->close();
  fs::create_directories(left / "segments" / "part-9.seg");
  fs::permissions(left / "segments", fs::perms::owner_read | fs::perms::owner_exec);
  const Error error = error_of([&] { sqlite_engine(store)->backup(copy); });
  EXPECT_EQ(error.errc(), Errc::io_error);
  EXPECT_NE(std::string(error.what()).find(left.string() + "\", which another one left"), std::string::npos)
      << error.what();
  EXPECT_FALSE(fs::exists(copy));
  fs::permissions(left / "segments", fs::perms::owner_all);
  sqlite_engine(store)->backup(copy);
  EXPECT_FALSE(fs::exists(copy / "segments" / "part-9.seg"));
  EXPECT_FALSE(fs::exists(left));
}

/// Whatever makes something at a path.
std::vector<std::function<void(const fs::path&)>> makers(const fs::path& store, const fs::path& archive) {
  return {[=](const fs::path& to) { sqlite_engine(store)->backup(to); },
          [=](const fs::path& to) { recover_store(store, to); }, [=](const fs::path& to) { export_store(store, to); },
          [=](const fs::path& to) { import_store(archive, to); }};
}

TEST_F(UnfinishedStore, SlashesAfterItsNameSayNothing) {
  export_store(in("kb"), in("kb.rag"));
  int number = 0;
  for (const auto& make : makers(in("kb"), in("kb.rag"))) {
    const fs::path made = in("made") / ("副本 " + std::to_string(number++));
    fs::create_directories(in("made"));
    make(made / "");
    EXPECT_EQ(error_of([&] { make(made.string() + "///"); }).errc(), Errc::already_exists);
  }
  import_store(in("made") / "副本 2", in("copy") / "");
  for (const fs::path& store : {in("made") / "副本 0", in("made") / "副本 1", in("made") / "副本 3", in("copy")})
    expect_whole(store);
  EXPECT_EQ(names(), (std::set<std::string>{"copy", "kb", "kb.rag", "made"})) << "nothing is left over";
}

TEST_F(UnfinishedStore, WithoutANameOrAFolderIsRefusedAndSaysWhatToDo) {
  export_store(in("kb"), in("kb.rag"));
  for (const auto& make : makers(in("kb"), in("kb.rag"))) {
    EXPECT_EQ(error_of([&] { make(""); }).errc(), Errc::invalid_argument);
    const Error error = error_of([&] { make(in("none") / "copy"); });
    EXPECT_EQ(error.errc(), Errc::io_error);
    EXPECT_NE(std::string(error.what()).find("there is no folder \"" + in("none").string() + "\"; make it first"),
              std::string::npos)
        << error.what();
  }
  EXPECT_EQ(names(), (std::set<std::string>{"kb", "kb.rag"})) << "nothing is left over";
}

TEST_F(UnfinishedStore, OfAnImportComesFromWhereALinkLeads) {
  export_store(in("kb"), in("kb.rag"));
  fs::create_symlink("kb.rag", in("newest"));
  import_store(in("newest"), in("copy"));
  expect_whole(in("copy"));
}

// F7
TEST_F(UnfinishedStore, OfARecoveryDoesNotLookLikeAWholeOne) {
  files_->on_create = [&] { EXPECT_FALSE(fs::exists(in("saved"))); };
  sqlite::recover_store(in("kb"), in("saved"), hooks_, {});
  EXPECT_FALSE(files_->on_create);
  expect_whole(in("saved"));
  EXPECT_EQ(names(), (std::set<std::string>{"kb", "saved"}));
}

}  // namespace
}  // namespace ragstone::test
