#include "store/sqlite/snapshot.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>

#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

constexpr int kSources = 64;

/// Eight of them fill a block of text.
std::string text_of(int number) {
  return "fig 无花果 " + std::to_string(number) + "\n" + std::string(8000, 'x') + "\n";
}

std::string id_of(int number) { return "s" + std::to_string(number); }

/// The first line of a source.
std::string line_of(const StoreSnapshot& at, int number) {
  const std::string id = id_of(number);
  NodeQuery query;
  query.group = "line";
  query.source = id;
  query.limit = 1;
  return at.nodes(query).at(0).text;
}

std::string expected(int number) {
  const std::string text = text_of(number);
  return text.substr(0, text.find('\n'));
}

// Two threads that ask one snapshot have a reader each. What one of them read before texts were moved, and the other
// one after it, must not be mixed up.
TEST(MovedTexts, ReadersOfOneSnapshotFindThemWhereEachSeesThem) {
  const TemporaryFolder folder;
  const auto engine = sqlite_engine(folder.path() / "kb");
  Commit commit;
  for (int i = 0; i < kSources; ++i) commit.sources.push_back(sample_lines(id_of(i), text_of(i)));
  engine->commit(std::move(commit));
  Commit removal;
  for (int i = 0; i < kSources; ++i)
    if (i % 8 != 3) removal.removals.push_back(id_of(i));
  engine->commit(std::move(removal));

  const auto at = engine->snapshot();
  sqlite::ReaderSet& readers = dynamic_cast<const sqlite::SqliteSnapshot&>(*at).readers();
  EXPECT_EQ(line_of(*at, 3), expected(3));
  while (engine->maintain()) {
  }
  std::optional<sqlite::ReaderSet::Lease> before;
  before.emplace(readers);
  std::optional<sqlite::ReaderSet::Lease> after;
  after.emplace(readers);
  const auto place = [](sqlite::Database& database) {
    sqlite::Statement& read = database.statement("SELECT text_block FROM source WHERE id = 's11'");
    const sqlite::Rows guard(read);
    return read.step() ? read.integer(0) : 0;
  };
  ASSERT_NE(place(**before), place(**after)) << "the texts have moved";
  after.reset();
  EXPECT_EQ(line_of(*at, 3), expected(3)) << "remembered by a reader from before";
  EXPECT_EQ(line_of(*at, 11), expected(11));
  after.emplace(readers);
  before.reset();
  EXPECT_EQ(line_of(*at, 11), expected(11)) << "remembered by a reader from after it";
}

}  // namespace
}  // namespace ragstone::test
