#include "damaged_parts.hpp"
#include "store/sqlite/commit_log.hpp"
#include "store/sqlite/staged_parts.hpp"
#include "support/errors.hpp"
#include "support/faults/fault_plan.hpp"
#include "support/faults/faulty_store.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

constexpr int kStaged = 56;
constexpr int kPerCommit = 8;
constexpr std::size_t kPageBytes = 4096;

/// The store of SqliteHealing with sources whose parts are staged: its last writer did not close it.
class SqliteUnread : public SqliteHealing {
 protected:
  SqliteUnread() {
    open();
    for (int i = 0; i < kStaged; i += kPerCommit) add(kSources + i, kPerCommit);
    crash();
  }

  ~SqliteUnread() override { crash(); }

  void add(int first, int count) {
    Commit commit;
    for (int i = first; i < first + count; ++i) commit.sources.push_back(source_of(i));
    engine_->commit(std::move(commit));
  }

  void crash() { engine_.reset(); }

  void reopen() {
    crash();
    open();
  }

  static std::vector<Hash128> content_of(int number) { return {source_of(number).groups[1].rows[0].content}; }

  static constexpr std::size_t kAll = kSources + kStaged;

  const std::shared_ptr<FaultPlan> plan_ = std::make_shared<FaultPlan>();
  const FaultyStore store_{plan_};
};

TEST_F(SqliteUnread, VectorsAreReadByTheFirstWhoNeedsThem) {
  engine_ = store_.open(folder_, options_);
  EXPECT_EQ(found_by_terms().size(), std::size_t{kSources});
  EXPECT_FALSE(engine_->maintain()) << "nothing is due";
  constexpr std::size_t kPages = kStaged * kVectorBytes / kPageBytes;
  plan_->reset();
  EXPECT_EQ(found_by_vectors(), kAll);
  EXPECT_GE(plan_->calls(), kPages);
  plan_->reset();
  EXPECT_EQ(found_by_vectors(), kAll);
  EXPECT_EQ(plan_->calls(), 0u) << "they are read once";
}

TEST_F(SqliteUnread, WhateverComesFirstFindsThemAll) {
  const std::vector<std::pair<const char*, std::function<void()>>> firsts = {
      {"a search", [this] { EXPECT_EQ(found_by_vectors(), kAll); }},
      {"texts that come again",
       [this] {
         const auto at = engine_->snapshot();
         EXPECT_EQ(at->vectors("e", "model", content_of(kSources + 1))[0].size(), kDimension);
       }},
      {"a commit", [this] { add(kSources, 1); }},
      {"a declaration",
       [this] {
         engine_->declare_fields({{"number", FieldKind::real}});
       }},
      {"upkeep", [this] { settle(); }},
      {"verify()", [this] { EXPECT_TRUE(engine_->verify().ok()); }},
      {"a backup", [this] { engine_->backup(temporary_.path() / "backup"); }},
  };
  for (const auto& [name, first] : firsts) {
    SCOPED_TRACE(name);
    reopen();
    const auto before = engine_->snapshot();
    first();
    EXPECT_EQ(found_by_vectors(), kAll);
    EXPECT_EQ(
        before->search_vectors("line", "e", std::vector<float>(kDimension, 1), Metric::inner_product, {}, 999).size(),
        kAll)
        << "an older snapshot";
    EXPECT_TRUE(engine_->verify().ok());
  }
  engine_ = sqlite_engine(temporary_.path() / "backup");
  EXPECT_EQ(found_by_vectors(), kAll);
}

TEST_F(SqliteUnread, ChangesReachThem) {
  open();
  Commit commit;
  commit.removals.push_back(id_of(kSources + 3));
  commit.removals.push_back(id_of(5));
  engine_->commit(std::move(commit));
  EXPECT_EQ(found_by_vectors(), kAll - 2);
  reopen();
  EXPECT_EQ(found_by_vectors(), kAll - 2);
  reopen();
  engine_->close();
  open();
  EXPECT_EQ(found_by_vectors(), kAll - 2) << "sealed";
  EXPECT_TRUE(engine_->verify().ok());
}

TEST_F(SqliteUnread, TheyCountForWhatIsToBeSealed) {
  options_.seal_rows = kStaged - 1;
  open();
  EXPECT_TRUE(engine_->maintain());
  settle();
  EXPECT_EQ(found_by_vectors(), kAll);
  EXPECT_TRUE(engine_->verify().ok());
  sqlite::Database database(folder_ / "store.db", sqlite::OpenMode::read);
  EXPECT_TRUE(sqlite::load_catalog(database).staged.empty());
}

/// Damages the image of the staged vectors that were committed first: its head, so that it cannot be opened, or a
/// vector.
void damage_first_image(const fs::path& file, bool only_a_vector = false) {
  sqlite::Database database(file, sqlite::OpenMode::write);
  const sqlite::Catalog catalog = sqlite::load_catalog(database);
  for (const Generation commit : catalog.staged) {
    std::optional<std::string> head;
    std::string parts;
    sqlite::read_staged(database, commit, [&](const sqlite::StagedPart& part) {
      sqlite::StagedPart copy = part;
      std::string image(part.image);
      if (!head && catalog.column(part.definition).is_dense()) {
        head = image.substr(0, 8);
        const float one = 1;
        const std::string ones(reinterpret_cast<const char*>(&one), sizeof one);
        image.replace(only_a_vector ? image.find(ones + ones + ones) + 1 : 0, 8, 8, 'x');
      }
      copy.image = image;
      sqlite::append_staged(parts, copy);
    });
    if (!head) continue;
    sqlite::Statement& write = database.statement("UPDATE commit_log SET parts = ?2 WHERE generation = ?1");
    write.bind_integer(1, static_cast<std::int64_t>(commit));
    write.bind_blob(2, parts);
    write.run();
    return;
  }
  FAIL() << "no vectors are staged";
}

TEST_F(SqliteUnread, DamagedOnesAreTakenOutByWhoeverMeetsThem) {
  damage_first_image(folder_ / "store.db");
  open();
  EXPECT_EQ(found_by_terms().size(), std::size_t{kSources}) << "what is sound is used";
  EXPECT_EQ(error_of([&] { found_by_vectors(); }).errc(), Errc::corrupt_store);
  settle();
  const std::vector<std::string> lost = pending("e", "model");
  ASSERT_EQ(lost.size(), std::size_t{kPerCommit});
  EXPECT_EQ(lost.front(), id_of(kSources));
  EXPECT_EQ(found_by_vectors(), kAll - kPerCommit);
  renew(lost, true);
  EXPECT_EQ(found_by_vectors(), kAll);
  EXPECT_TRUE(engine_->verify().ok());
}

TEST_F(SqliteUnread, ACommitGoesOnWithoutDamagedOnes) {
  damage_first_image(folder_ / "store.db");
  open();
  add(kSources + kStaged, 1);
  const std::vector<std::string> lost = pending("e", "model");
  EXPECT_EQ(lost.size(), std::size_t{kPerCommit});
  reopen();
  EXPECT_EQ(pending("e", "model"), lost);
  EXPECT_EQ(found_by_vectors(), kAll - kPerCommit + 1);
  renew(lost, true);
  EXPECT_TRUE(engine_->verify().ok());
}

TEST_F(SqliteUnread, CloseTakesDamagedVectorsOutAndSealsTheRest) {
  damage_first_image(folder_ / "store.db", true);
  open();
  engine_->close();
  {
    sqlite::Database database(folder_ / "store.db", sqlite::OpenMode::read);
    EXPECT_TRUE(sqlite::load_catalog(database).staged.empty());
  }
  open();
  const std::vector<std::string> lost = pending("e", "model");
  EXPECT_EQ(lost.size(), std::size_t{kPerCommit});
  EXPECT_EQ(found_by_vectors(), kAll - lost.size());
  EXPECT_EQ(found_by_terms().size(), std::size_t{kSources}) << "as many as are asked for";
  renew(lost, true);
  EXPECT_EQ(found_by_vectors(), kAll);
  engine_->close();
  open();
  EXPECT_TRUE(engine_->verify().ok());
}

TEST_F(SqliteUnread, CommitsGoOnBesideDamagedVectorsThatAreToBeSealed) {
  damage_first_image(folder_ / "store.db", true);
  options_.seal_rows = 1;
  open();
  for (int i = 0; i < 3; ++i) add(kSources + kStaged + i, 1);
  EXPECT_EQ(found_by_terms().size(), std::size_t{kSources});
  settle();
  const std::vector<std::string> lost = pending("e", "model");
  EXPECT_EQ(lost.size(), std::size_t{kPerCommit});
  renew(lost, true);
  EXPECT_EQ(found_by_vectors(), kAll + 3);
  settle();
  EXPECT_TRUE(engine_->verify().ok());
}

TEST_F(SqliteUnread, AChangeThatFailsLeavesNothingBehind) {
  for (const bool only_a_vector : {false, true}) {
    SCOPED_TRACE(only_a_vector);
    if (only_a_vector) {
      settle();
      engine_->close();
      open();
      for (int i = 0; i < kStaged; i += kPerCommit) add(kSources + i, kPerCommit);
      crash();
    }
    damage_first_image(folder_ / "store.db", only_a_vector);
    open();
    Commit commit;
    commit.sources.push_back(source_of(kSources + kStaged));
    commit.sources[0].groups[1].dense[0].dimension = kDimension / 2;
    EXPECT_THROW(engine_->commit(std::move(commit)), Error);
    EXPECT_EQ(engine_->verify().ok(), false) << "told at last where nothing else met it";
    settle();
    const std::vector<std::string> lost = pending("e", "model");
    EXPECT_EQ(lost.size(), std::size_t{kPerCommit});
    EXPECT_EQ(found_by_vectors(), kAll - lost.size());
    renew(lost, true);
    EXPECT_EQ(found_by_vectors(), kAll);
    EXPECT_TRUE(engine_->verify().ok());
  }
}

TEST_F(SqliteUnread, DamagedOnesHoldNoVectorsOfTextsThatComeAgain) {
  damage_first_image(folder_ / "store.db");
  open();
  const auto at = engine_->snapshot();
  EXPECT_TRUE(at->vectors("e", "model", content_of(kSources))[0].empty());
  EXPECT_FALSE(at->vectors("e", "model", content_of(kSources + kPerCommit))[0].empty());
  EXPECT_FALSE(at->vectors("e", "model", content_of(0))[0].empty());
}

TEST_F(SqliteUnread, OtherColumnsAreSearchedBesideDamagedOnes) {
  open();
  Commit commit;
  commit.sources.push_back(source_of(kSources + kStaged));
  std::vector<DenseRows>& dense = commit.sources[0].groups[1].dense;
  dense.push_back(dense[0]);
  dense[1].key = "another";
  engine_->commit(std::move(commit));
  crash();
  damage_first_image(folder_ / "store.db");
  open();
  const auto before = engine_->snapshot();
  const auto found = [&] {
    return before->search_vectors("line", "another", std::vector<float>(kDimension, 1), Metric::inner_product, {}, 9)
        .size();
  };
  EXPECT_EQ(found(), 1u);
  settle();
  EXPECT_EQ(pending("e", "model").size(), std::size_t{kPerCommit});
  EXPECT_EQ(found(), 1u) << "of an older snapshot";
}

TEST_F(SqliteUnread, VerifyTellsOfDamagedOnesThatCannotBeTakenOut) {
  damage_first_image(folder_ / "store.db");
  engine_ = store_.open(folder_, options_);
  plan_->fail(0, Fault::full, true);
  EXPECT_FALSE(engine_->verify().ok());
  plan_->reset();
  settle();
  EXPECT_FALSE(engine_->verify().ok());
  EXPECT_EQ(pending("e", "model").size(), std::size_t{kPerCommit});
}

TEST_F(SqliteUnread, VerifyTellsWhatDamagedOnesHeld) {
  damage_first_image(folder_ / "store.db");
  open();
  const VerifyReport report = engine_->verify();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.findings[0].sources.size(), std::size_t{kPerCommit});
  EXPECT_EQ(pending("e", "model").size(), std::size_t{kPerCommit});
}

TEST_F(SqliteUnread, AFileThatCannotBeReadForAMomentLosesNothing) {
  for (std::size_t call = 0;; ++call) {
    crash();
    engine_ = store_.open(folder_, options_);
    plan_->fail(call, Fault::io_error, false);
    try {
      found_by_vectors();
    } catch (const Error& error) {
      EXPECT_EQ(error.errc(), Errc::io_error) << call;
    }
    const bool has_failed = plan_->has_failed();
    plan_->reset();
    EXPECT_EQ(found_by_vectors(), kAll) << call;
    if (!has_failed) break;
    ASSERT_LT(call, 1000u);
  }
}

}  // namespace
}  // namespace ragstone::test
