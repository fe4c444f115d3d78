#include "store/sqlite/database.hpp"
#include "store/sqlite/schema.hpp"
#include "support/errors.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>

#include <string>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

// F8
TEST(SqliteMigration, AStoreOfAVersionThatIsNoLongerKnownIsRefusedUnchangedAndTheMessageSaysWhatToDo) {
  const TemporaryFolder temporary;
  const auto folder = temporary.path() / "kb";
  const std::string set = "PRAGMA user_version=";
  {
    const auto engine = sqlite_engine(folder);
    Commit commit;
    commit.sources.push_back(sample_lines("a", "river\n"));
    engine->commit(std::move(commit));
    engine->close();
    sqlite::Database(folder / "store.db", sqlite::OpenMode::write)
        .execute((set + std::to_string(sqlite::kOldestSchemaVersion - 1)).c_str());
  }
  SqliteOptions read_only;
  read_only.access = StoreAccess::read_only;
  for (const SqliteOptions& options : {SqliteOptions(), read_only}) {
    const Error error = error_of([&] { sqlite_engine(folder, options); });
    EXPECT_EQ(error.errc(), Errc::unsupported);
    EXPECT_NE(std::string(error.what()).find("sync its dataset into a new store"), std::string::npos) << error.what();
  }
  sqlite::Database(folder / "store.db", sqlite::OpenMode::write)
      .execute((set + std::to_string(sqlite::kSchemaVersion)).c_str());
  EXPECT_TRUE(sqlite_engine(folder)->verify().ok());
}

/// A database of three versions ago.
void make_old(const std::filesystem::path& file) {
  sqlite::Database database(file, sqlite::OpenMode::create);
  database.execute(
      ("CREATE TABLE steps(number INTEGER) STRICT; PRAGMA application_id=" + std::to_string(sqlite::kApplicationId) +
       "; PRAGMA user_version=" + std::to_string(sqlite::kSchemaVersion - 3))
          .c_str());
}

std::int64_t first_of(sqlite::Database& database, const char* sql) {
  sqlite::Statement& read = database.statement(sql);
  const sqlite::Rows guard(read);
  return read.step() ? read.integer(0) : -1;
}

template <int number>
void step(sqlite::Database& database) {
  database.execute(("INSERT INTO steps VALUES(" + std::to_string(number) + ")").c_str());
}

void step_that_breaks_off(sqlite::Database& database) {
  step<2>(database);
  throw Error(Errc::storage_full, "no space for the second step");
}

// F8
TEST(SqliteMigration, TakesEachStepOnceFromTheVersionThatIsThere) {
  const TemporaryFolder folder;
  make_old(folder.path() / "old.db");
  sqlite::Database database(folder.path() / "old.db", sqlite::OpenMode::write);
  // The first of four leads to the version that the database has.
  constexpr sqlite::MigrationStep steps[] = {step<0>, step<1>, step<2>, step<3>};
  for (int opening = 0; opening < 2; ++opening) {
    sqlite::migrate(database, steps);
    EXPECT_EQ(first_of(database, "PRAGMA user_version"), sqlite::kSchemaVersion);
    EXPECT_EQ(first_of(database, "SELECT group_concat(number, '') = '123' FROM steps"), 1);
  }
}

// F8
TEST(SqliteMigration, AStepThatBreaksOffLeavesNothingAndTheNextOpeningGoesOnWithIt) {
  const TemporaryFolder folder;
  make_old(folder.path() / "old.db");
  {
    sqlite::Database database(folder.path() / "old.db", sqlite::OpenMode::write);
    constexpr sqlite::MigrationStep steps[] = {step<1>, step_that_breaks_off, step<3>};
    EXPECT_EQ(error_of([&] { sqlite::migrate(database, steps); }).errc(), Errc::storage_full);
    EXPECT_EQ(first_of(database, "PRAGMA user_version"), sqlite::kSchemaVersion - 2);
    EXPECT_EQ(first_of(database, "SELECT group_concat(number, '') = '1' FROM steps"), 1);
  }
  sqlite::Database database(folder.path() / "old.db", sqlite::OpenMode::write);
  constexpr sqlite::MigrationStep steps[] = {step<1>, step<2>, step<3>};
  sqlite::migrate(database, steps);
  EXPECT_EQ(first_of(database, "PRAGMA user_version"), sqlite::kSchemaVersion);
  EXPECT_EQ(first_of(database, "SELECT group_concat(number, '') = '123' FROM steps"), 1);
}

// F8
TEST(SqliteMigration, AVersionBeforeTheFirstStepIsRefused) {
  const TemporaryFolder folder;
  make_old(folder.path() / "old.db");
  sqlite::Database database(folder.path() / "old.db", sqlite::OpenMode::write);
  constexpr sqlite::MigrationStep steps[] = {step<2>, step<3>};
  EXPECT_EQ(error_of([&] { sqlite::migrate(database, steps); }).errc(), Errc::unsupported);
  EXPECT_EQ(first_of(database, "SELECT count(*) FROM steps"), 0);
}

}  // namespace
}  // namespace ragstone::test
