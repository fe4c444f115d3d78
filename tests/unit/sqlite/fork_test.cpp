#include "support/errors.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>

#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

void put(StoreEngine& engine, const std::string& id) {
  Commit commit;
  commit.sources.push_back(sample_lines(id, "river 河流"));
  engine.commit(std::move(commit));
}

/// Whether `run` says so in a forked process.
bool holds_in_child(const std::function<bool()>& run) {
  const pid_t child = ::fork();
  if (child == 0) {
    bool holds = false;
    try {
      holds = run();
    } catch (...) {
    }
    ::_exit(holds ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::size_t segments(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder / "segments"), fs::directory_iterator()));
}

class ForkedStore : public testing::Test {
 protected:
  TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path() / "kb";
  std::shared_ptr<StoreEngine> engine_ = sqlite_engine(folder_);
};

// F10
TEST_F(ForkedStore, IsLeftToTheParentByCloseAndByTheEngine) {
  put(*engine_, "a");
  EXPECT_TRUE(holds_in_child([&] {
    engine_->close();
    engine_.reset();
    return true;
  }));
  EXPECT_EQ(segments(folder_), 0u) << "closing in the child would seal";
  EXPECT_EQ(error_of([&] { sqlite_engine(folder_); }).errc(), Errc::locked);
  put(*engine_, "b");
  engine_->close();
  engine_ = sqlite_engine(folder_);
  EXPECT_EQ(engine_->snapshot()->sources({}).size(), 2u);
  EXPECT_TRUE(engine_->verify().ok());
}

// F10
TEST_F(ForkedStore, TakesNoDeclarationsInTheChild) {
  EXPECT_TRUE(holds_in_child([&] {
    return error_of([&] {
             engine_->declare_fields({{"number", FieldKind::integer}});
           }).errc() == Errc::unsupported &&
           error_of([&] {
             engine_->declare_vector_indexes({{"e", VectorIndexOptions()}});
           }).errc() == Errc::unsupported;
  }));
  EXPECT_TRUE(engine_->vector_indexes().empty());
}

TEST_F(ForkedStore, IsFreeOnceTheParentHasClosedItThoughTheChildLives) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(pipe[1]);
    char end;
    ::_exit(static_cast<int>(::read(pipe[0], &end, 1)));
  }
  engine_->close();
  EXPECT_NO_THROW(sqlite_engine(folder_));
  ::close(pipe[1]);
  ::close(pipe[0]);
  ::waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace ragstone::test
