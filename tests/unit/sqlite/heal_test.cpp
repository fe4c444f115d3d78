#include "damaged_parts.hpp"
#include "support/errors.hpp"
#include <ragstone/store/sqlite_tools.hpp>

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

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
