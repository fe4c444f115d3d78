#include "support/errors.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

/// A closed store, whose texts lie in the database in the order of its commits, and whose database is cut short.
class CutStore : public testing::Test {
 protected:
  CutStore() {
    const auto engine = sqlite_engine(folder_);
    for (std::uint64_t i = 0; i < kSources;) {
      Commit commit;
      for (const std::uint64_t end = i + 5; i < end; ++i)
        commit.sources.push_back(sample_lines(std::to_string(i) + " 号.txt", text_of(i)));
      engine->commit(std::move(commit));
    }
    engine->close();
    whole_ = fs::file_size(database_);
  }

  static std::string text_of(std::uint64_t number) {
    std::string text;
    for (int i = 0; i < 20; ++i) text += "fig " + std::to_string(number) + "\n一颗无花果\n";
    return text;
  }

  /// Saves what is left, and expects that to be what it was.
  RecoveryReport recover() {
    fs::remove_all(copy_);
    RecoveryReport report = recover_store(folder_, copy_);
    const auto engine = sqlite_engine(copy_);
    EXPECT_TRUE(engine->verify().ok());
    const auto saved = engine->snapshot();
    const auto sources = saved->sources({});
    EXPECT_EQ(sources.size(), report.sources);
    for (const SourceRecord& source : sources) EXPECT_EQ(saved->text(source.id), text_of(std::stoul(source.id)));
    return report;
  }

  static constexpr std::uint64_t kSources = 200;
  static constexpr std::uint64_t kPage = 4096;
  TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path() / "kb";
  fs::path database_ = folder_ / "store.db";
  fs::path copy_ = temporary_.path() / "copy";
  std::uint64_t whole_ = 0;
};

// F7
TEST_F(CutStore, WithoutItsLastPageIsRecoveredWhole) {
  fs::resize_file(database_, whole_ - kPage);
  EXPECT_EQ(error_of([&] { sqlite_engine(folder_); }).errc(), Errc::corrupt_store);
  EXPECT_EQ(recover().sources, kSources) << "the last page is the log's";
}

// F7
TEST_F(CutStore, IsRecoveredAsFarAsItGoes) {
  constexpr std::uint64_t kFewer = 20;  // The pages that tables begin with hold no texts.
  for (const std::uint64_t quarters : {3U, 2U, 1U}) {
    fs::resize_file(database_, whole_ * quarters / 4);
    const RecoveryReport report = recover();
    EXPECT_GE(report.sources + kFewer, kSources * quarters / 4);
    EXPECT_LT(report.sources, kSources);
    EXPECT_FALSE(report.lost.empty());
  }
}

// F7
TEST_F(CutStore, OfWhichNothingIsLeftIsAnErrorThatSaysSo) {
  for (const std::uint64_t size : {8 * kPage, kPage, kPage / 2, std::uint64_t{100}}) {
    fs::resize_file(database_, size);
    const Error error = error_of([&] { recover_store(folder_, copy_); });
    EXPECT_EQ(error.errc(), Errc::corrupt_store) << size << " bytes: " << error.what();
    EXPECT_FALSE(fs::exists(copy_));
  }
}

}  // namespace
}  // namespace ragstone::test
