#include "store/sqlite/database.hpp"
#include "support/errors.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kEnough = 1'000;

/// Ids that lie between each other's, so that what is fresh comes amid what is not.
std::string id_of(std::size_t number) { return std::string(1, static_cast<char>('a' + number * 7 % 26)) + "/源"; }

/// With a group of nodes that have a text and metadata of their own.
SourceWrite source_of(std::size_t number) {
  SourceWrite write = sample_lines(id_of(number), "river " + std::to_string(number) + "\n河流 石头\n",
                                   {{"number", Scalar(static_cast<std::int64_t>(number))}});
  GroupRows notes;
  notes.group = "note";
  notes.parent = "line";
  notes.signature = "notes/1";
  NodeRow note;
  note.is_span = false;
  note.text = "a note on " + id_of(number);
  note.content = hash128(note.text);
  note.uid = hash128(note.text + "!");
  note.metadata = {{"kind", Scalar(std::string("note"))}};
  notes.rows.push_back(std::move(note));
  write.groups.push_back(std::move(notes));
  return write;
}

void put(StoreEngine& engine, std::size_t number) {
  Commit commit;
  commit.sources.push_back(source_of(number));
  engine.commit(std::move(commit));
}

void describe(const Node& node, std::string& to) {
  to += std::to_string(node.id) + ' ' + node.source + ' ' + node.group + ' ' + std::to_string(node.number) + ' ' +
        std::to_string(node.parent) + ' ' + std::to_string(node.span.begin) + ' ' + node.text + ' ' +
        std::to_string(node.metadata.size()) + '\n';
}

/// All that the readers of a snapshot tell, in words.
std::string contents(const StoreSnapshot& at) {
  std::string all;
  for (const std::size_t limit : {std::size_t{1}, std::size_t{3}, kEnough}) {
    SourceQuery query;
    query.limit = limit;
    for (bool more = true; more;) {
      const std::vector<SourceRecord> records = at.sources(query);
      more = records.size() == limit && limit < kEnough;
      for (const SourceRecord& record : records) {
        query.after = record.id;
        all += record.id + ' ' + std::to_string(record.generation) + ' ' + *at.text(record.id) + '\n';
      }
    }
  }
  for (const std::size_t limit : {std::size_t{2}, kEnough}) {
    PendingQuery pending;
    pending.group = "none";
    pending.signature = "none/1";
    pending.after = "c";
    pending.limit = limit;
    for (const std::string& id : at.pending(pending)) all += id + '\n';
  }
  for (const char* group : {"root", "line", "note"}) {
    NodeQuery of_group;
    of_group.group = group;
    of_group.after = 5;
    for (const Node& node : at.nodes(of_group)) {
      describe(node, all);
      NodeQuery one;
      one.ids = std::vector<NodeId>{node.id};
      for (const Node& same : at.nodes(one)) describe(same, all);
      NodeQuery children;
      children.parent = node.id;
      children.group = "line";
      for (const Node& child : at.nodes(children)) describe(child, all);
    }
    NodeQuery filtered;
    filtered.group = group;
    filtered.source = id_of(4);
    filtered.filter = Filter::parse("number == 4 and not kind == 'x'");
    for (const Node& node : at.nodes(filtered)) describe(node, all);
  }
  const std::vector<TermWeight> terms = {{"river", 1}};
  for (const ScoredNode& hit :
       at.search_terms("line", kBm25Key, terms, {}, Filter::parse("number > 2 and number != 5"), kEnough))
    all += std::to_string(hit.id) + '\n';
  return all;
}

std::int64_t rows_of(const fs::path& folder, const std::string& table) {
  sqlite::Database database(folder / "store.db", sqlite::OpenMode::read);
  sqlite::Statement& read = database.statement("SELECT count(*) FROM " + table);
  const sqlite::Rows guard(read);
  return read.step() ? read.integer(0) : -1;
}

class FreshSources : public testing::Test {
 protected:
  const TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path() / "kb";
};

TEST_F(FreshSources, AreReadLikeOthersByAllSnapshotsBeforeAndAfterTheyAreUnfolded) {
  const auto engine = sqlite_engine(folder_);
  // Not fresh: they share a transaction with a change of another kind.
  Commit first;
  for (std::size_t i = 0; i < 5; ++i) first.sources.push_back(source_of(i));
  engine->commit(std::move(first));
  for (std::size_t i = 5; i < 12; ++i) put(*engine, i);
  EXPECT_EQ(rows_of(folder_, "source"), 5);
  const auto before = engine->snapshot();
  const std::string fresh = contents(*before);
  EXPECT_TRUE(engine->verify().ok());
  {
    SqliteOptions reading;
    reading.access = StoreAccess::read_only;
    const auto reader = sqlite_engine(folder_, reading);
    EXPECT_EQ(contents(*reader->snapshot()), fresh);
    EXPECT_TRUE(reader->verify().ok());
  }
  engine->close();
  EXPECT_EQ(rows_of(folder_, "source"), 12);
  EXPECT_EQ(contents(*before), fresh);
  // Several at a time take connections that were not there before: for these the tables hold the sources, too.
  std::vector<std::future<std::string>> several;
  for (int i = 0; i < 6; ++i) several.push_back(std::async(std::launch::async, [&] { return contents(*before); }));
  for (std::future<std::string>& one : several) EXPECT_EQ(one.get(), fresh);
  const auto again = sqlite_engine(folder_);
  EXPECT_EQ(contents(*again->snapshot()), fresh);
  EXPECT_TRUE(again->verify().ok());
}

TEST_F(FreshSources, AreUnfoldedByMaintenanceOnceThereAreSome) {
  SqliteOptions options;
  options.seal_rows = 128;
  const auto engine = sqlite_engine(folder_, options);
  for (std::size_t i = 0; i < 4; ++i) put(*engine, i);
  const std::string fresh = contents(*engine->snapshot());
  const auto before = engine->snapshot();
  EXPECT_EQ(rows_of(folder_, "source"), 0);
  while (engine->maintain()) {
  }
  EXPECT_EQ(rows_of(folder_, "source"), 4);
  EXPECT_EQ(rows_of(folder_, "text_block"), 1);
  EXPECT_EQ(contents(*engine->snapshot()), fresh);
  EXPECT_EQ(contents(*before), fresh);
  EXPECT_TRUE(engine->verify().ok());
}

// F1
TEST_F(FreshSources, AreThereAfterACrashAndAreUpdatedAndRemoved) {
  for (std::size_t i = 0; i < 3; ++i) put(*sqlite_engine(folder_), i);  // Never closed.
  const auto engine = sqlite_engine(folder_);
  EXPECT_EQ(rows_of(folder_, "source"), 0);
  EXPECT_EQ(engine->snapshot()->sources({}).size(), 3u);
  Commit commit;
  commit.sources.push_back(sample_lines(id_of(0), "another text"));
  commit.removals.push_back(id_of(1));
  engine->commit(std::move(commit));
  EXPECT_EQ(engine->snapshot()->text(id_of(0)), "another text");
  EXPECT_FALSE(engine->snapshot()->text(id_of(1)).has_value());
  EXPECT_TRUE(engine->snapshot()->text(id_of(2)).has_value());
  EXPECT_TRUE(engine->verify().ok());
}

TEST_F(FreshSources, WithoutNodesHideNoOthers) {
  const auto engine = sqlite_engine(folder_);
  for (std::size_t i = 0; i < 5; ++i) {
    if (i % 2 == 0) {
      put(*engine, i);
      continue;
    }
    Commit empty;
    empty.sources.push_back(source_of(i));
    empty.sources.back().groups.clear();
    engine->commit(std::move(empty));
  }
  EXPECT_EQ(rows_of(folder_, "source"), 0);
  const auto at = engine->snapshot();
  NodeQuery all;
  all.group = "line";
  const std::vector<Node> lines = at->nodes(all);
  EXPECT_EQ(lines.size(), 6u);
  for (const Node& line : lines) {
    NodeQuery one;
    one.ids = std::vector<NodeId>{line.id};
    EXPECT_EQ(at->nodes(one).size(), 1u) << line.id;
  }
  EXPECT_TRUE(engine->verify().ok());
}

TEST_F(FreshSources, AreSmallInAllThatTheyBring) {
  const auto engine = sqlite_engine(folder_);
  Commit much_metadata;
  much_metadata.sources.push_back(sample_lines("m", "text", {{"all", Scalar(std::string(20'000, 'x'))}}));
  engine->commit(std::move(much_metadata));
  EXPECT_EQ(rows_of(folder_, "source"), 1);
  std::string lines;
  for (int i = 0; i < 300; ++i) lines += "a\n";
  Commit many_nodes;
  many_nodes.sources.push_back(sample_lines("n", lines));
  engine->commit(std::move(many_nodes));
  EXPECT_EQ(rows_of(folder_, "source"), 2);
}

// F7
TEST_F(FreshSources, ThatAreDamagedAreRefusedAtOpeningAndTheOthersAreRecovered) {
  for (std::size_t i = 0; i < 3; ++i) put(*sqlite_engine(folder_), i);
  sqlite::Database(folder_ / "store.db", sqlite::OpenMode::write)
      .execute("UPDATE commit_log SET sources = CAST(replace(sources, 'river 1', 'river 9') AS BLOB)");
  const Error refused = error_of([&] { sqlite_engine(folder_); });
  EXPECT_EQ(refused.errc(), Errc::corrupt_store);
  EXPECT_NE(std::string(refused.what()).find(id_of(1) + "\" of commit 2 is damaged; recover the store"),
            std::string::npos)
      << refused.what();
  const RecoveryReport report = recover_store(folder_, temporary_.path() / "copy");
  EXPECT_EQ(report.sources, 2u);
  ASSERT_EQ(report.lost.size(), 1u);
  EXPECT_EQ(report.lost.front().sources, std::vector<std::string>{id_of(1)});
  const auto copy = sqlite_engine(temporary_.path() / "copy");
  EXPECT_TRUE(copy->verify().ok());
  EXPECT_EQ(copy->snapshot()->text(id_of(2)), "river 2\n河流 石头\n");
  EXPECT_FALSE(copy->snapshot()->text(id_of(1)).has_value());
}

TEST_F(FreshSources, ThatAreDamagedAreFoundByName) {
  const auto engine = sqlite_engine(folder_);
  Commit commit;
  for (std::size_t i = 0; i < 3; ++i) commit.sources.push_back(source_of(i));
  engine->commit(std::move(commit));
  sqlite::Database(folder_ / "store.db", sqlite::OpenMode::write)
      .execute("UPDATE commit_log SET sources = CAST(replace(sources, 'river 1', 'river 9') AS BLOB)");
  put(*engine, 3);  // Whoever reads from now on sees the damage.
  const VerifyReport report = engine->verify();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.findings.front().sources, std::vector<std::string>{id_of(1)});
  EXPECT_EQ(report.sources, 3u) << "the others are looked at all the same";
  const RecoveryReport recovered = recover_store(folder_, temporary_.path() / "copy");
  EXPECT_EQ(recovered.sources, 3u);
}

}  // namespace
}  // namespace ragstone::test
