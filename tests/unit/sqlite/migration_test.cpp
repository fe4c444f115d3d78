#include "store/sqlite/database.hpp"
#include "store/sqlite/schema.hpp"
#include "support/errors.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

/// Stores as released versions wrote them.
class SqliteMigration : public testing::TestWithParam<std::int64_t> {
 protected:
  SqliteMigration() {
    fs::create_directories(folder_ / "segments");
    const fs::path golden = fs::path(RAGSTONE_GOLDEN) / ("version_" + std::to_string(GetParam()) + ".sql");
    std::ifstream file(golden, std::ios::binary);
    const std::string sql((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    EXPECT_FALSE(sql.empty()) << golden;
    sqlite::Database database(folder_ / "store.db", sqlite::OpenMode::create);
    database.execute("PRAGMA journal_mode=WAL");
    database.execute(sql.c_str());
  }

  std::int64_t version() const {
    sqlite::Database database(folder_ / "store.db", sqlite::OpenMode::read);
    sqlite::Statement& read = database.statement("PRAGMA user_version");
    const sqlite::Rows guard(read);
    return read.step() ? read.integer(0) : -1;
  }

  TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path() / "kb";
};

void expect_content(const StoreEngine& engine) {
  const VerifyReport report = engine.verify();
  for (const StoreFinding& finding : report.findings) ADD_FAILURE() << finding.object << ": " << finding.problem;
  const auto at = engine.snapshot();
  EXPECT_EQ(at->text("folder/a.md"), "The keys are rotated hourly.\nNothing else.\n");
  EXPECT_EQ(at->text("目录/乙.md"), "密钥每天轮换一次。\n没有别的。\n");
  EXPECT_FALSE(at->text("gone").has_value());
  SourceQuery failed;
  failed.failed_only = true;
  EXPECT_EQ(at->sources(failed).at(0).reason, "not a PDF");
  NodeQuery lines;
  lines.group = "line";
  lines.filter = Filter::parse("lang in ['zh', 'fr'] or year == 2021");
  EXPECT_EQ(at->nodes(lines).size(), 5u);
  NodeQuery notes;
  notes.group = "note";
  EXPECT_EQ(at->nodes(notes).at(2).text, "a note on line 2");
}

// F8
TEST_P(SqliteMigration, AnOlderStoreIsBroughtUpToDateWhenItIsOpenedForWriting) {
  EXPECT_EQ(version(), GetParam());
  {
    const auto engine = sqlite_engine(folder_);
    EXPECT_EQ(version(), sqlite::kSchemaVersion);
    const Generation before = engine->snapshot()->generation();
    expect_content(*engine);
    engine->declare_fields({{"year", FieldKind::integer}});
    engine->declare_vector_indexes({{"e", VectorIndexOptions()}});
    Commit commit;
    commit.sources.push_back(sample_lines("new", "river\n"));
    EXPECT_EQ(engine->commit(std::move(commit)).generation, before + 1);
    while (engine->maintain()) {
    }
    EXPECT_TRUE(engine->verify().ok());
    engine->close();
  }
  EXPECT_TRUE(sqlite_engine(folder_)->verify().ok());
}

// F8
TEST_P(SqliteMigration, AnOlderStoreIsNotReadAndTheMessageSaysWhatToDo) {
  SqliteOptions options;
  options.access = StoreAccess::read_only;
  const Error error = error_of([&] { sqlite_engine(folder_, options); });
  EXPECT_EQ(error.errc(), Errc::unsupported);
  EXPECT_NE(std::string(error.what()).find("open it once for writing"), std::string::npos) << error.what();
  EXPECT_EQ(version(), GetParam());
  sqlite_engine(folder_)->close();
  expect_content(*sqlite_engine(folder_, options));
}

INSTANTIATE_TEST_SUITE_P(Released, SqliteMigration, testing::Values(2, 3),
                         [](const auto& instance) { return "Version" + std::to_string(instance.param); });

}  // namespace
}  // namespace ragstone::test
