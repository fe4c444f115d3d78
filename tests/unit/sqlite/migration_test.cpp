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

}  // namespace
}  // namespace ragstone::test
