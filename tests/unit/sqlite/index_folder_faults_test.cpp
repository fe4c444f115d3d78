#include "store/segment/index_folder.hpp"
#include "support/errors.hpp"
#include "support/faults/fault_plan.hpp"
#include "support/faults/faulty_file_system.hpp"
#include "support/faults/power_loss_disk.hpp"
#include "support/temporary_folder.hpp"
#include "support/unprivileged.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/index/trie_index.hpp>
#include <ragstone/store/sqlite_engine.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

using segment::IndexFolder;

using Words = std::set<std::string>;

const Words kOld{"apple", "apply", "苹果"};
const Words kNew{"pear", "plum", "plums", "梨"};

std::shared_ptr<Index> index_of(const Words& words) {
  const std::shared_ptr<Index> index = trie_index();
  IndexUpdate update;
  update.to = 1;
  for (const std::string& word : words) {
    Node& node = update.upserts.emplace_back();
    node.id = update.upserts.size();
    node.text = word;
  }
  index->update(update, {});
  return index;
}

/// Those of all words that the saved index finds. Errors: what opening or asking throws.
Words saved_words(IndexFolder& folder) {
  const std::shared_ptr<Index> index = trie_index();
  index->load(folder.open("words", index->form()));
  Words found;
  for (const Words& words : {kOld, kNew})
    for (const std::string& word : words) {
      IndexQuery query;
      query.text = word;
      query.top_k = 10;
      if (!index->query(query, {}).empty()) found.insert(word);
    }
  return found;
}

class IndexFolderFaults : public testing::TestWithParam<Fault> {};

TEST_P(IndexFolderFaults, AFailedSaveLeavesAWholeIndexAndTheNextSucceeds) {
  const std::shared_ptr<Index> old_index = index_of(kOld);
  const std::shared_ptr<Index> new_index = index_of(kNew);
  for (std::size_t call = 0;; ++call) {
    const TemporaryFolder folder;
    const auto plan = std::make_shared<FaultPlan>();
    IndexFolder saved(faulty_file_system(plan, segment::posix_file_system()), folder.path() / "indexes", call % 2 == 0,
                      true);
    saved.save("words", *old_index, {});
    plan->fail(call, GetParam(), false);
    bool threw = false;
    try {
      saved.save("words", *new_index, {});
    } catch (const Error&) {
      threw = true;
    }
    const bool failed = plan->has_failed();
    plan->heal();
    const Words words = saved_words(saved);
    if (!failed) {
      EXPECT_FALSE(threw);
      EXPECT_EQ(words, kNew);
      EXPECT_GT(call, 0u) << "no call could fail so";
      return;
    }
    EXPECT_TRUE(words == kOld || words == kNew) << "call " << call;
    EXPECT_TRUE(threw || words == kNew) << "call " << call;
    EXPECT_TRUE(saved.verify({}).empty()) << "call " << call;
    saved.save("words", *new_index, {});
    EXPECT_EQ(saved_words(saved), kNew) << "call " << call;
  }
}

INSTANTIATE_TEST_SUITE_P(Faults, IndexFolderFaults,
                         testing::Values(Fault::io_error, Fault::short_write, Fault::failed_sync, Fault::full),
                         [](const auto& parameter) {
                           return "Fault" + std::to_string(static_cast<int>(parameter.param));
                         });

/// The folder with one saved index, whose bytes tests change.
class DamagedIndexFolder : public testing::Test {
 protected:
  void SetUp() override {
    folder.save("words", *index_of(kOld), {});
    file = place.path() / "indexes" / segment::index_file_name("words");
    std::ifstream in(file, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  void write(const std::string& content) {
    std::ofstream(file, std::ios::binary | std::ios::trunc)
        .write(content.data(), static_cast<std::streamsize>(content.size()));
  }

  TemporaryFolder place;
  IndexFolder folder{segment::posix_file_system(), place.path() / "indexes", false, true};
  std::filesystem::path file;
  std::string bytes;
};

TEST_F(DamagedIndexFolder, ATruncatedFileIsRefused) {
  for (std::size_t size = 0; size < bytes.size(); size += size < 256 ? 1 : 61) {
    write(bytes.substr(0, size));
    EXPECT_THROW(saved_words(folder), Error) << size;
    EXPECT_FALSE(folder.verify({}).empty()) << size;
  }
}

TEST_F(DamagedIndexFolder, AFlippedBitIsRefusedOrReportedOrHarmless) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (at >= 1024 && bytes[at] == 0 && at % 97 != 0) continue;  // mostly what fills pages
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
    write(damaged);
    const bool reported = !folder.verify({}).empty();
    try {
      EXPECT_TRUE(saved_words(folder) == kOld || reported) << at;
    } catch (const Error&) {
      EXPECT_TRUE(reported) << at;
    }
  }
}

TEST_F(DamagedIndexFolder, AFindingSaysHowToEndItWhetherTheIndexIsStillRegisteredOrNot) {
  write(bytes.substr(0, bytes.size() / 2));
  const std::vector<StoreFinding> findings = folder.verify({});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].object, (std::filesystem::path("indexes") / file.filename()).string());
  for (const char* way : {"rebuild_index()", "remove the file"})
    EXPECT_NE(findings[0].problem.find(way), std::string::npos) << findings[0].problem;
  std::filesystem::remove(file);
  EXPECT_TRUE(folder.verify({}).empty());
  EXPECT_EQ(folder.open("words", index_of(kOld)->form()), nullptr) << "it is built anew";
}

// A store that has lost commits removes the indexes that know them: for good.
TEST(IndexFolderPowerLoss, WhatIsRemovedForBeingNewerDoesNotComeBack) {
  const TemporaryFolder place;
  const std::filesystem::path indexes = place.path() / "indexes";
  IndexFolder(segment::posix_file_system(), indexes, false, true).save("words", *index_of(kOld), {});
  const auto disk = std::make_shared<PowerLossDisk>(place.path());
  const auto files = faulty_file_system(std::make_shared<FaultPlan>(disk), segment::posix_file_system());
  IndexFolder(files, indexes, false, true).remove_newer(0);
  DiskReplay replay(*disk);
  replay.advance(disk->position());
  const TemporaryFolder image;
  replay.write_image(image.path(), DiskReplay::Unsynced::lost, 1);
  EXPECT_TRUE(std::filesystem::is_empty(image.path() / "indexes"));
}

/// Whoever looks through an index folder is told that it cannot be read, and what to do; nothing in it is removed.
void expect_unreadable(IndexFolder& folder, const TemporaryFolder& place) {
  const std::vector<StoreFinding> findings = folder.verify({});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].object, "indexes");
  EXPECT_NE(findings[0].problem.find("remove it"), std::string::npos) << findings[0].problem;
  const auto expect = [](const Error& error) {
    EXPECT_EQ(error.errc(), Errc::io_error) << error.what();
    EXPECT_NE(std::string(error.what()).find("remove it"), std::string::npos) << error.what();
  };
  expect(error_of([&] { folder.copy_to(place.path() / "copy", 9, {}); }));
  EXPECT_FALSE(std::filesystem::exists(place.path() / "copy"));
  expect(error_of([&] { folder.remove_newer(0); }));
}

TEST(UnreadableIndexFolder, ThatCannotBeLookedAtIsNoEmptyOne) {
  const TemporaryFolder place;
  const auto plan = std::make_shared<FaultPlan>();
  IndexFolder folder(faulty_file_system(plan, segment::posix_file_system()), place.path() / "indexes", false, true);
  folder.save("words", *index_of(kOld), {});
  plan->fail(0, Fault::io_error, true);
  expect_unreadable(folder, place);
  plan->heal();
  EXPECT_EQ(saved_words(folder), kOld);
}

TEST(UnreadableIndexFolder, ThatIsAFileOrALinkToNothingIsNoEmptyOne) {
  const TemporaryFolder place;
  IndexFolder folder(segment::posix_file_system(), place.path() / "indexes", false, true);
  place.write("indexes", "no folder");
  expect_unreadable(folder, place);
  std::filesystem::remove(place.path() / "indexes");
  std::filesystem::create_symlink(place.path() / "elsewhere", place.path() / "indexes");
  expect_unreadable(folder, place);
  std::filesystem::remove(place.path() / "indexes");
  EXPECT_TRUE(folder.verify({}).empty());
}

TEST(UnreadableIndexFolder, AnIndexThatCannotBeReadNowIsNotLeftForLater) {
  const TemporaryFolder place;
  const auto plan = std::make_shared<FaultPlan>();
  IndexFolder folder(faulty_file_system(plan, segment::posix_file_system()), place.path() / "indexes", false, true);
  folder.save("words", *index_of(kOld), {});  // At generation 1.
  for (std::uint64_t call = 0;; ++call) {
    plan->fail(call, Fault::io_error, false);
    try {
      folder.remove_newer(0);
      break;
    } catch (const Error& error) {
      EXPECT_EQ(error.errc(), Errc::io_error) << error.what();
    }
  }
  EXPECT_TRUE(std::filesystem::is_empty(place.path() / "indexes"));
}

TEST(UnreadableIndexFolder, KeepsAStoreFromBeingOpenedForWritingAndKeepsWhatItHolds) {
  if (rerun_unprivileged()) return;
  const TemporaryFolder place;
  const std::filesystem::path indexes = place.path() / "kb" / "indexes";
  const auto words = index_of(kOld);  // At generation 1, which the store does not have: it would be removed.
  sqlite_engine(place.path() / "kb")->index_files()->save("words", *words, {});
  std::filesystem::permissions(indexes, std::filesystem::perms::none);
  const Error error = error_of([&] { sqlite_engine(place.path() / "kb"); });
  std::filesystem::permissions(indexes, std::filesystem::perms::owner_all);
  EXPECT_EQ(error.errc(), Errc::io_error);
  EXPECT_NE(std::string(error.what()).find("remove it"), std::string::npos) << error.what();
  EXPECT_TRUE(std::filesystem::exists(indexes / segment::index_file_name("words")));
}

}  // namespace
}  // namespace ragstone::test
