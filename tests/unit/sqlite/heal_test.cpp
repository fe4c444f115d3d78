#include "store/segment/container.hpp"
#include "store/segment/file_system.hpp"
#include "support/errors.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;
using segment::SectionId;

constexpr int kSources = 60;
constexpr std::uint32_t kDimension = 512;
constexpr std::size_t kVectorBytes = kDimension * sizeof(float);

std::string id_of(int number) { return "source " + std::to_string(100 + number); }

/// One line that has the source's number, so that rows are in the order of the sources.
SourceWrite source_of(int number) {
  SourceWrite write = sample_lines(id_of(number), "river 河流 " + std::to_string(number) + "\n",
                                   {{"number", Scalar(std::int64_t{number})}});
  std::vector<float> vector(kDimension, 1);
  vector[0] = static_cast<float>(number);
  write.groups[1].dense.push_back(sample_vectors("e", "model", {vector}, kDimension));
  return write;
}

/// A closed store with one sealed part of vectors, postings and fields each.
class SqliteHealing : public testing::Test {
 protected:
  SqliteHealing() {
    open();
    engine_->declare_fields({{"number", FieldKind::integer}});
    for (int i = 0; i < kSources; ++i) {
      Commit commit;
      commit.sources.push_back(source_of(i));
      engine_->commit(std::move(commit));
    }
    engine_->close();
    engine_.reset();
  }

  void open() { engine_ = sqlite_engine(folder_, options_); }

  /// Flips all bits of some bytes of a section in the sealed part of a kind; SIZE_MAX: as far as it goes.
  void damage(segment::Kind kind, SectionId section, std::size_t from, std::size_t bytes) {
    std::size_t files = 0;
    for (const auto& file : fs::directory_iterator(folder_ / "segments")) {
      const auto image = segment::posix_file_system()->open(file.path(), false);
      std::size_t offset = 0;
      try {
        const segment::Container container(image, kind);
        offset = static_cast<std::size_t>(container.bytes(section).data() -
                                          reinterpret_cast<const char*>(image->bytes().data()));
        bytes = std::min(bytes, container.bytes(section).size() - from);
      } catch (const Error&) {
        continue;
      }
      ++files;
      std::fstream stream(file.path(), std::ios::in | std::ios::out | std::ios::binary);
      for (std::size_t i = 0; i < bytes; ++i) {
        const auto at = static_cast<std::streamoff>(offset + from + i);
        stream.seekg(at);
        const int byte = stream.get();
        stream.seekp(at);
        stream.put(static_cast<char>(byte ^ 0xFF));
      }
    }
    ASSERT_EQ(files, 1u);
  }

  /// Empty where there is no such file.
  static std::string bytes_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  static bool is_dense(segment::Kind kind) { return kind == segment::Kind::dense; }

  /// The sealed part of a kind.
  fs::path file_of(segment::Kind kind) const {
    for (const auto& file : fs::directory_iterator(folder_ / "segments")) try {
        const segment::Container container(segment::posix_file_system()->open(file.path(), false), kind);
        return file.path();
      } catch (const Error&) {
        continue;
      }
    return {};
  }

  void settle() {
    while (engine_->maintain()) {
    }
  }

  std::vector<std::string> pending(const char* key, const char* signature, bool lost_only = false) const {
    PendingQuery query;
    query.lost_only = lost_only;
    query.group = "line";
    query.signature = "spans/1";
    query.columns.push_back({key, signature});
    return engine_->snapshot()->pending(query);
  }

  /// The vectors that the store still has for the lines, by source.
  std::vector<std::vector<float>> vectors() const {
    std::vector<Hash128> contents;
    for (int i = 0; i < kSources; ++i) contents.push_back(source_of(i).groups[1].rows[0].content);
    return engine_->snapshot()->vectors("e", "model", contents);
  }

  /// Writes the column anew for these sources, as a Document does.
  void renew(const std::vector<std::string>& sources, bool dense) {
    for (const std::string& id : sources) {
      SourceWrite whole = source_of(std::stoi(id.substr(7)) - 100);
      GroupWrite write;
      write.source = id;
      write.content = whole.record.content;
      GroupRows columns = std::move(whole.groups[1]);
      columns.rows.clear();
      if (dense) {
        columns.sparse.clear();
      } else {
        columns.dense.clear();
      }
      write.columns.push_back(std::move(columns));
      Commit commit;
      commit.groups.push_back(std::move(write));
      engine_->commit(std::move(commit));
    }
  }

  std::set<std::string> found_by_terms(const Filter& filter = {}) const {
    const auto at = engine_->snapshot();
    const std::vector<TermWeight> terms = {{"river", 1}};
    std::set<std::string> sources;
    for (const ScoredNode& hit : at->search_terms("line", kBm25Key, terms, {}, filter, kSources)) {
      NodeQuery query;
      query.ids = {hit.id};
      sources.insert(at->nodes(query).at(0).source);
    }
    return sources;
  }

  /// Adds a source, which stays fresh, and heals the vectors of `count` others.
  void expect_new_source_kept(std::size_t count) {
    open();
    Commit commit;
    commit.sources.push_back(source_of(kSources));
    engine_->commit(std::move(commit));
    engine_->verify();
    ASSERT_TRUE(engine_->maintain());
    const std::vector<std::string> lost = pending("e", "model");
    EXPECT_EQ(lost.size(), count);
    EXPECT_EQ(std::count(lost.begin(), lost.end(), id_of(kSources)), 0);
    for (const bool reopened : {false, true}) {
      if (reopened) {
        engine_.reset();  // As a crash does.
        open();
      }
      EXPECT_EQ(pending("e", "model"), lost);
      EXPECT_EQ(engine_->snapshot()->text(id_of(kSources)), source_of(kSources).text);
      EXPECT_EQ(found_by_vectors(), kSources + 1 - count);
    }
    renew(lost, true);
    settle();
    EXPECT_EQ(found_by_vectors(), kSources + 1u);
    EXPECT_TRUE(engine_->verify().ok());
  }

  std::size_t found_by_vectors() const {
    const std::vector<float> query(kDimension, 1);
    return engine_->snapshot()->search_vectors("line", "e", query, Metric::inner_product, {}, 2 * kSources).size();
  }

  TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path() / "kb";
  SqliteOptions options_;
  std::shared_ptr<StoreEngine> engine_;
};

TEST_F(SqliteHealing, ADamagedBlockOfVectorsIsMadeAnewForItsSourcesOnly) {
  // The second of the section's two blocks of 64 KiB holds rows 32 and up.
  damage(segment::Kind::dense, SectionId::vectors, 40 * kVectorBytes + 7, 3);
  open();
  const VerifyReport report = engine_->verify();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.findings[0].sources.size(), kSources - 32u);
  EXPECT_EQ(report.findings[0].sources[0], id_of(32));
  settle();
  const std::vector<std::string> lost = pending("e", "model");
  ASSERT_EQ(lost.size(), kSources - 32u);
  EXPECT_EQ(lost.front(), id_of(32));
  EXPECT_EQ(pending(kBm25Key, "standard").size(), 0u);
  EXPECT_EQ(found_by_vectors(), 32u) << "what is left is found meanwhile";
  const auto kept = vectors();
  for (int i = 0; i < kSources; ++i) EXPECT_EQ(kept[i].empty(), i >= 32) << i;

  engine_->close();
  open();
  EXPECT_EQ(pending("e", "model"), lost) << "after reopening";
  EXPECT_FALSE(engine_->verify().ok()) << "rows are missing still";
  renew(lost, true);
  EXPECT_TRUE(pending("e", "model").empty());
  EXPECT_EQ(found_by_vectors(), std::size_t{kSources});
  for (const StoreFinding& finding : engine_->verify().findings)
    ADD_FAILURE() << finding.object << ": " << finding.problem;
  settle();
  EXPECT_TRUE(engine_->verify().ok());
}

TEST_F(SqliteHealing, WhatIsLostIsToldFromWhatWasNeverBuilt) {
  damage(segment::Kind::dense, SectionId::vectors, 40 * kVectorBytes, 3);
  open();
  for (int i = kSources; i < kSources + 2; ++i) {
    Commit commit;
    commit.sources.push_back(source_of(i));
    commit.sources[0].groups[1].dense.clear();
    engine_->commit(std::move(commit));
  }
  EXPECT_TRUE(pending("e", "model", true).empty());
  engine_->verify();
  settle();
  EXPECT_EQ(pending("e", "model").size(), kSources - 32u + 2);
  const std::vector<std::string> lost = pending("e", "model", true);
  ASSERT_EQ(lost.size(), kSources - 32u);
  EXPECT_EQ(lost.front(), id_of(32));
  EXPECT_TRUE(pending("e", "another model", true).empty());
  EXPECT_TRUE(pending(kBm25Key, "standard", true).empty());
  renew(lost, true);
  EXPECT_TRUE(pending("e", "model", true).empty());
  EXPECT_EQ(pending("e", "model").size(), 2u);
}

TEST_F(SqliteHealing, SourcesThatAreNotInTheTablesYetKeepWhatTheyHave) {
  damage(segment::Kind::dense, SectionId::vectors, 40 * kVectorBytes, 3);
  expect_new_source_kept(kSources - 32u);
}

TEST_F(SqliteHealing, SourcesThatAreNotInTheTablesYetKeepWhatTheyHaveWhereAPartIsMadeAnewWhole) {
  damage(segment::Kind::dense, SectionId::sources, 0, 3);
  expect_new_source_kept(kSources);
}

TEST_F(SqliteHealing, DamagedPostingsAreTakenOutSoThatSearchesGoOn) {
  damage(segment::Kind::sparse, SectionId::posting_lists, 0, 40);
  damage(segment::Kind::sparse, SectionId::terms, 0, 20);
  open();
  try {
    found_by_terms();
  } catch (const Error& error) {
    EXPECT_EQ(error.errc(), Errc::corrupt_store);
  }
  engine_->verify();
  settle();
  EXPECT_TRUE(found_by_terms().empty());
  EXPECT_EQ(found_by_vectors(), std::size_t{kSources});
  const std::vector<std::string> lost = pending(kBm25Key, "standard");
  EXPECT_EQ(lost.size(), std::size_t{kSources});
  renew(lost, false);
  EXPECT_EQ(found_by_terms().size(), std::size_t{kSources});
  settle();
  EXPECT_TRUE(engine_->verify().ok());
}

TEST_F(SqliteHealing, DamageIsFoundAtTheFirstUseWhereThatIsAskedFor) {
  damage(segment::Kind::dense, SectionId::vectors, 40 * kVectorBytes + 7, 3);
  options_.verify_on_first_use = true;
  open();
  EXPECT_EQ(found_by_terms().size(), std::size_t{kSources}) << "what is sound is used";
  EXPECT_EQ(error_of([&] { found_by_vectors(); }).errc(), Errc::corrupt_store);
  settle();
  EXPECT_EQ(found_by_vectors(), 32u);
  engine_->close();
  open();
  EXPECT_EQ(found_by_vectors(), 32u) << "damage that was taken out is none";
}

TEST_F(SqliteHealing, DamagedVectorsAreNotTakenForTextsThatComeAgain) {
  damage(segment::Kind::dense, SectionId::vectors, 40 * kVectorBytes + 7, 3);
  open();
  const auto stored = vectors();
  for (int i = 0; i < kSources; ++i) EXPECT_EQ(stored[i].empty(), i >= 32) << i;
  settle();
  EXPECT_EQ(pending("e", "model").size(), kSources - 32u) << "the damage is noted";
}

TEST_F(SqliteHealing, VectorsThatAreNotFoundForDamageAreNoError) {
  damage(segment::Kind::dense, SectionId::content_order, 0, SIZE_MAX);
  open();
  for (const std::vector<float>& vector : vectors()) EXPECT_TRUE(vector.empty());
  settle();
  for (const std::vector<float>& vector : vectors()) EXPECT_EQ(vector.size(), kDimension) << "derived again";
}

TEST_F(SqliteHealing, DamagedSparseVectorsAreNotTakenForTextsThatComeAgain) {
  const auto read = [this] {
    const std::vector<Hash128> contents = {source_of(1).groups[1].rows[0].content};
    return engine_->snapshot()->sparse_vectors("splade", "splade/1", contents).front().has_value();
  };
  open();
  for (int i = 0; i < kSources; ++i) {
    Commit commit;
    commit.sources.push_back(source_of(i));
    SparseRows& given = commit.sources[0].groups[1].sparse[0];
    given.key = "splade";
    given.signature = "splade/1";
    engine_->commit(std::move(commit));
  }
  engine_->close();
  open();
  EXPECT_TRUE(read());
  engine_->close();
  damage(segment::Kind::sparse, SectionId::posting_lists, 0, 1);
  open();
  EXPECT_FALSE(read());
  settle();
  EXPECT_EQ(pending("splade", "splade/1").size(), std::size_t{kSources}) << "the damage is noted";
}

TEST_F(SqliteHealing, AStoreThatIsReadAheadAnswersMeanwhileAndCloses) {
  options_.warm_up = true;
  open();
  EXPECT_EQ(found_by_vectors(), std::size_t{kSources});
  engine_->close();
}

TEST_F(SqliteHealing, ASearchThatMeetsDamageHasItHealedWithoutAVerify) {
  damage(segment::Kind::sparse, SectionId::posting_lists, 0, SIZE_MAX);
  open();
  EXPECT_EQ(error_of([&] { found_by_terms(); }).errc(), Errc::corrupt_store);
  settle();
  EXPECT_TRUE(found_by_terms().empty());
  EXPECT_EQ(pending(kBm25Key, "standard").size(), std::size_t{kSources});
}

TEST_F(SqliteHealing, DamageWhoseHealingWasStoppedIsHealedLater) {
  damage(segment::Kind::dense, SectionId::vectors, 40 * kVectorBytes + 7, 3);
  open();
  engine_->verify();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(engine_->maintain(stop.get_token()), boost::system::system_error);
  settle();
  EXPECT_EQ(pending("e", "model").size(), kSources - 32u);
}

TEST_F(SqliteHealing, DamagedCodesAreDerivedAgain) {
  damage(segment::Kind::dense, SectionId::codes, 100, 50);
  open();
  EXPECT_FALSE(engine_->verify().ok());
  settle();
  EXPECT_TRUE(engine_->verify().ok());
  EXPECT_TRUE(pending("e", "model").empty());
  EXPECT_EQ(found_by_vectors(), std::size_t{kSources});
}

TEST_F(SqliteHealing, DamagedFieldsAreMadeAnewFromTheMetadata) {
  const Filter filter = Filter::parse("number >= 50");
  damage(segment::Kind::fields, SectionId::value_ends, 0, 16);
  open();
  EXPECT_FALSE(engine_->verify().ok());
  settle();
  EXPECT_EQ(found_by_terms(filter).size(), kSources - 50u);
  EXPECT_TRUE(engine_->verify().ok());
}

TEST_F(SqliteHealing, APartWhoseRowsCannotBeToldIsMadeAnewWhole) {
  damage(segment::Kind::dense, SectionId::sources, 0, 4);
  open();
  engine_->verify();
  settle();
  EXPECT_EQ(pending("e", "model").size(), std::size_t{kSources});
  renew(pending("e", "model"), true);
  settle();
  EXPECT_TRUE(engine_->verify().ok());
  EXPECT_EQ(found_by_vectors(), std::size_t{kSources});
}

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

TEST_F(SqliteHealing, AMergeThatMeetsDamageIsNoEndOfMaintenance) {
  damage(segment::Kind::dense, SectionId::vectors, 0, 1);
  open();
  // More than a quarter is dead, so that the part is to be written anew.
  for (int i = 40; i < kSources; ++i) {
    Commit commit;
    commit.removals.push_back(id_of(i));
    engine_->commit(std::move(commit));
  }
  EXPECT_EQ(error_of([&] { settle(); }).errc(), Errc::corrupt_store);
  settle();
  EXPECT_EQ(pending("e", "model").size(), 32u);
  renew(pending("e", "model"), true);
  settle();
  EXPECT_TRUE(engine_->verify().ok());
}

TEST_F(SqliteHealing, ALossIsForgottenWithItsSource) {
  damage(segment::Kind::dense, SectionId::vectors, 0, 1);
  open();
  engine_->verify();
  settle();
  ASSERT_EQ(pending("e", "model").size(), 32u);
  for (int i = 0; i < 32; ++i) {
    Commit commit;
    if (i % 2 == 0) {
      commit.removals.push_back(id_of(i));
    } else {
      commit.sources.push_back(source_of(i));
    }
    engine_->commit(std::move(commit));
  }
  EXPECT_TRUE(pending("e", "model").empty());
  engine_->close();
  open();
  EXPECT_TRUE(pending("e", "model").empty());
  EXPECT_TRUE(engine_->verify().ok());
}

}  // namespace
}  // namespace ragstone::test
