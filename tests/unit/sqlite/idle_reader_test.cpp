#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMebibyte = 1 << 20;

class IdleReader : public testing::Test {
 protected:
  IdleReader() {
    SqliteOptions writing;
    writing.durability = Durability::fast;
    writer_ = sqlite_engine(folder_, writing);
    SqliteOptions reading;
    reading.access = StoreAccess::read_only;
    reader_ = sqlite_engine(folder_, reading);
  }

  /// Commits so many MiB of text, and gives the size that the log had at most.
  std::uintmax_t write(int mebibytes) {
    std::uintmax_t most = 0;
    for (int i = 0; i < mebibytes; ++i) {
      Commit commit;
      commit.sources.push_back(sample_source("s" + std::to_string(written_++), std::string(kMebibyte, 'x')));
      writer_->commit(std::move(commit));
      while (writer_->maintain()) {
      }
      most = std::max(most, fs::file_size(folder_ / "store.db-wal"));
    }
    return most;
  }

  TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path() / "kb";
  std::shared_ptr<StoreEngine> writer_;
  std::shared_ptr<StoreEngine> reader_;
  int written_ = 0;
};

TEST_F(IdleReader, LetsTheWritersLogBeginAnew) {
  write(1);
  EXPECT_TRUE(reader_->snapshot()->text("s0").has_value());
  EXPECT_LT(write(20), 12 * kMebibyte);
  EXPECT_EQ(reader_->snapshot()->sources({}).size(), 21u);
}

TEST_F(IdleReader, KeepsASnapshotAsLongAsAnybodyHasIt) {
  write(1);
  const auto first = reader_->snapshot();
  auto second = reader_->snapshot();
  second.reset();
  EXPECT_GT(write(20), 12 * kMebibyte) << "the log is needed";
  EXPECT_EQ(first->sources({}).size(), 1u);
  EXPECT_EQ(first->text("s1"), std::nullopt);
  EXPECT_EQ(reader_->snapshot()->sources({}).size(), 21u);
  reader_->close();
  EXPECT_EQ(first->text("s0").value().size(), kMebibyte);
  EXPECT_EQ(reader_->snapshot()->sources({}).size(), 21u);
}

}  // namespace
}  // namespace ragstone::test
