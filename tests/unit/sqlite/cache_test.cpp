#include "store/sqlite/database.hpp"
#include "support/cache_cases.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/model/sqlite_cache.hpp>

#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

class SqliteCacheTest : public ::testing::Test {
 protected:
  std::shared_ptr<Cache> open(CacheOptions options = {}) {
    return sqlite_cache(runtime.pool(), folder.path(), options);
  }
  void put(Cache& cache, const std::string& key, const std::string& value) {
    std::vector<CacheEntry> entries;
    entries.emplace_back(hash128(key), value);
    runtime.run(cache.put(CacheKind::chat, std::move(entries)));
  }
  std::optional<std::string> get(Cache& cache, const std::string& key) {
    return runtime.run(cache.get(CacheKind::chat, std::vector<Hash128>(1, hash128(key)))).at(0);
  }

  TemporaryFolder folder;
  Runtime runtime;
};

TEST_F(SqliteCacheTest, KeepsWhatItIsGiven) { expect_cache_keeps(runtime, *open()); }

// CA-2
TEST_F(SqliteCacheTest, ForgetsTheLeastRecentlyUsedAndWhatIsTooOld) {
  expect_cache_forgets(runtime, [this](CacheOptions options) { return open(options); });
}

TEST_F(SqliteCacheTest, IsThereAtTheNextStart) {
  put(*open(), "键", "值");
  EXPECT_EQ(get(*open(), "键"), "值");
}

TEST_F(SqliteCacheTest, MayBeOpenedTwice) {
  const auto first = open();
  const auto second = open();
  put(*first, "a", "1");
  put(*second, "b", "2");
  EXPECT_EQ(get(*second, "a"), "1");
  EXPECT_EQ(get(*first, "b"), "2");
  EXPECT_EQ(runtime.run(first->stats()).entries, 2u);
}

TEST_F(SqliteCacheTest, StartsAnewInPlaceOfAFileThatIsNoCache) {
  std::ofstream(folder.path() / "cache.db") << std::string(10'000, 'x');
  const auto cache = open();
  put(*cache, "a", "1");
  EXPECT_EQ(get(*open(), "a"), "1");
}

TEST_F(SqliteCacheTest, LeavesAnotherProgramsFileAlone) {
  {
    sqlite::Database other(folder.path() / "cache.db", sqlite::OpenMode::create);
    other.execute("CREATE TABLE mine(x); INSERT INTO mine VALUES(1)");
  }
  EXPECT_EQ(error_of([&] { open(); }).errc(), Errc::already_exists);
  sqlite::Database other(folder.path() / "cache.db", sqlite::OpenMode::read);
  sqlite::Statement& count = other.statement("SELECT count(*) FROM mine");
  ASSERT_TRUE(count.step());
  EXPECT_EQ(count.integer(0), 1);
}

TEST_F(SqliteCacheTest, LeavesAFileOfANewerVersionAlone) {
  put(*open(), "a", "1");
  const auto set_version = [&](const char* sql) {
    sqlite::Database database(folder.path() / "cache.db", sqlite::OpenMode::write);
    database.execute(sql);
  };
  set_version("PRAGMA user_version = 99");
  EXPECT_EQ(error_of([&] { open(); }).errc(), Errc::unsupported);
  set_version("PRAGMA user_version = 1");
  EXPECT_EQ(get(*open(), "a"), "1");
}

TEST_F(SqliteCacheTest, NotesWhatWasUsedThoughNothingIsPut) {
  CacheOptions options;
  options.max_bytes = 2;
  put(*open(options), "often", "1");
  put(*open(options), "once", "1");
  {
    const auto cache = open(options);
    for (int i = 0; i < 1024; ++i) get(*cache, "often");
  }
  const auto cache = open(options);
  put(*cache, "new", "1");
  EXPECT_EQ(get(*cache, "often"), "1");
  EXPECT_EQ(get(*cache, "once"), std::nullopt);
}

TEST_F(SqliteCacheTest, ALookUpWaitsForNoWriter) {
  const auto cache = open();
  put(*cache, "a", "1");
  sqlite::Database other(folder.path() / "cache.db", sqlite::OpenMode::write);
  const sqlite::Transaction transaction(other);
  for (int i = 0; i < 3000; ++i) ASSERT_EQ(get(*cache, "a"), "1");
}

TEST_F(SqliteCacheTest, NeverGivesAValueThatWasDamaged) {
  const std::string value(2000, 'v');
  put(*open(), "a", value);
  const auto file = folder.path() / "cache.db";
  std::string bytes;
  {
    std::ifstream in(file, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  const std::size_t at = bytes.find(value);
  ASSERT_NE(at, std::string::npos);
  bytes[at + 1000] = 'w';
  std::ofstream(file, std::ios::binary) << bytes;
  EXPECT_EQ(get(*open(), "a"), std::nullopt);
}

}  // namespace
}  // namespace ragstone::test
