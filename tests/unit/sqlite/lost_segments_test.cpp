#include "damaged_parts.hpp"
#include "support/errors.hpp"
#include <ragstone/store/sqlite_tools.hpp>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

// F6
TEST_F(SqliteHealing, ASegmentThatCannotBeOpenedIsTakenOutAtOpening) {
  const TemporaryFolder copy;
  fs::copy(folder_, copy.path() / "kb", fs::copy_options::recursive);
  const std::vector<std::function<void(const fs::path&)>> ways = {
      [](const fs::path& file) { fs::remove(file); }, [](const fs::path& file) { fs::resize_file(file, 0); },
      [](const fs::path& file) { fs::resize_file(file, fs::file_size(file) - 1); },
      [](const fs::path& file) {
        std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekp(33);
        stream.put('x');
      }};
  for (std::size_t way = 0; way < ways.size(); ++way)
    for (const segment::Kind kind : {segment::Kind::dense, segment::Kind::sparse, segment::Kind::fields}) {
      SCOPED_TRACE("way " + std::to_string(way) + ", kind " + std::to_string(static_cast<int>(kind)));
      const fs::path file = file_of(kind);
      ways[way](file);
      const std::string damaged = bytes_of(file);
      const auto expect_kept = [&] {
        std::vector<std::string> kept;
        if (way > 0) kept.push_back("segments/" + file.filename().string() + ".damaged");
        EXPECT_EQ(engine_->verify().set_aside, kept);
        EXPECT_FALSE(fs::exists(file));
        EXPECT_EQ(bytes_of(file.string() + ".damaged"), damaged);
      };
      open();
      expect_kept();
      EXPECT_EQ(engine_->snapshot()->text(id_of(7)), source_of(7).text);
      const bool is_fields = kind == segment::Kind::fields;
      EXPECT_EQ(found_by_vectors(), kind == segment::Kind::dense ? 0 : std::size_t{kSources});
      EXPECT_EQ(found_by_terms().size(), kind == segment::Kind::sparse ? 0 : std::size_t{kSources});
      const VerifyReport report = engine_->verify();
      ASSERT_EQ(report.findings.size(), 1u);
      EXPECT_EQ(report.findings[0].sources.size(), std::size_t{kSources});
      engine_.reset();  // As a crash does.
      open();
      EXPECT_EQ(pending("e", "model").size(), kind == segment::Kind::dense ? std::size_t{kSources} : 0);
      EXPECT_EQ(pending(kBm25Key, "standard").size(), kind == segment::Kind::sparse ? std::size_t{kSources} : 0);
      if (!is_fields)
        renew(pending(is_dense(kind) ? "e" : kBm25Key, is_dense(kind) ? "model" : "standard"), is_dense(kind));
      settle();
      EXPECT_EQ(found_by_vectors(), std::size_t{kSources});
      EXPECT_EQ(found_by_terms(Filter::parse("number >= 50")).size(), kSources - 50u);
      EXPECT_TRUE(engine_->verify().ok());
      engine_->close();
      open();
      expect_kept();
      engine_.reset();
      fs::remove_all(folder_);
      fs::copy(copy.path() / "kb", folder_, fs::copy_options::recursive);
    }
}

TEST_F(SqliteHealing, ASegmentThatWasSetAsideBeforeACrashIsNotTakenForMislaid) {
  for (const auto& file : fs::directory_iterator(folder_ / "segments"))
    fs::rename(file.path(), file.path().string() + ".damaged");
  open();
  EXPECT_EQ(engine_->verify().set_aside.size(), 3u);
  EXPECT_EQ(pending("e", "model", true).size(), std::size_t{kSources});
  engine_.reset();
  const RecoveryReport report = recover_store(folder_, temporary_.path() / "copy");
  EXPECT_EQ(report.sources, std::uint64_t{kSources});
  EXPECT_EQ(report.set_aside.size(), 3u);
  EXPECT_FALSE(fs::exists(temporary_.path() / "copy" / "segments" / "part-1.seg.damaged"));
}

TEST_F(SqliteHealing, AMislaidFolderOfSegmentsIsNotTakenForALoss) {
  fs::rename(folder_ / "segments", temporary_.path() / "segments");
  EXPECT_EQ(error_of([&] { open(); }).errc(), Errc::not_found);
  fs::remove(folder_ / "segments");
  fs::rename(temporary_.path() / "segments", folder_ / "segments");
  open();
  EXPECT_EQ(found_by_vectors(), std::size_t{kSources});
  EXPECT_TRUE(engine_->verify().ok());
}

}  // namespace
}  // namespace ragstone::test
