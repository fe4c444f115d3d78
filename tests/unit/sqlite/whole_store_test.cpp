#include "store/sqlite/engine.hpp"
#include "support/forwarding_file_system.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

/// The files of the medium, with a call before each file of the store or of its copy is opened or made.
class HookedFiles final : public ForwardingFileSystem {
 public:
  std::function<void(const fs::path&)> on_file = [](const fs::path&) {};

  std::unique_ptr<segment::OutputFile> create(const fs::path& path) override {
    on_file(path);
    return ForwardingFileSystem::create(path);
  }
  std::shared_ptr<const segment::Image> open(const fs::path& path, bool map) override {
    on_file(path);
    return ForwardingFileSystem::open(path, map);
  }
};

/// A store with a sealed part and something that is no saved index.
class WholeStore : public testing::Test {
 protected:
  WholeStore() {
    add("a");
    engine_->close();
    engine_ = open();
    fs::create_directory(folder_ / "indexes");
    temporary_.write("kb/indexes/none.idx", "no index");
    add("b");
  }

  std::shared_ptr<StoreEngine> open() const {
    sqlite::EngineHooks hooks;
    hooks.files = files_;
    return sqlite::make_engine(folder_, SqliteOptions(), std::move(hooks));
  }

  void add(const std::string& id) {
    Commit commit;
    commit.sources.push_back(sample_lines(id, "river " + id + "\n河流\n"));
    engine_->commit(std::move(commit));
  }

  /// Has `run` go on until it is at a file whose name ends so, and queries a state from before by then: while it runs,
  /// and after a commit.
  void expect_answers_during(const std::string& suffix, const std::function<void()>& run) {
    const std::shared_ptr<const StoreSnapshot> before = engine_->snapshot();
    std::future<std::size_t> found;
    files_->on_file = [&](const fs::path& path) {
      if (!path.native().ends_with(suffix) || found.valid()) return;
      add("c");
      found = std::async(std::launch::async, [&before] {
        NodeQuery lines;
        lines.group = "line";
        return before->nodes(lines).size();
      });
      EXPECT_EQ(found.wait_for(std::chrono::seconds(20)), std::future_status::ready) << "it waits for the end";
    };
    run();
    files_->on_file = [](const fs::path&) {};
    ASSERT_TRUE(found.valid());
    EXPECT_EQ(found.get(), 4u);
    EXPECT_TRUE(engine_->snapshot()->text("c").has_value());
  }

  TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path() / "kb";
  std::shared_ptr<HookedFiles> files_ = std::make_shared<HookedFiles>();
  std::shared_ptr<StoreEngine> engine_ = open();
};

TEST_F(WholeStore, AnswersQueriesOfASnapshotWhileItIsBackedUp) {
  expect_answers_during(".seg.tmp", [this] { engine_->backup(temporary_.path() / "copy"); });
  const auto copy = sqlite_engine(temporary_.path() / "copy");
  EXPECT_TRUE(copy->snapshot()->text("b").has_value());
  EXPECT_FALSE(copy->snapshot()->text("c").has_value()) << "the state at the beginning";
  EXPECT_TRUE(copy->verify().ok());
}

TEST_F(WholeStore, AnswersQueriesOfASnapshotWhileItIsVerified) {
  expect_answers_during(".idx", [this] { EXPECT_EQ(engine_->verify().findings.size(), 1u) << "the index alone"; });
}

}  // namespace
}  // namespace ragstone::test
