#include "store/sqlite/database.hpp"
#include "support/data.hpp"
#include "support/faults/faulty_store.hpp"
#include "support/rounds.hpp"
#include "support/store/expect_state.hpp"
#include "support/store/samples.hpp"
#include "support/store/store_history.hpp"
#include "support/store/store_script.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/sqlite_engine.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPage = 4096;

/// A page, or a bit, or the end of the file.
std::string damaged(std::string bytes, std::mt19937_64& random) {
  const auto place = [&](std::size_t size) { return random() % (bytes.size() - size + 1); };
  const std::size_t pages = bytes.size() / kPage;
  const auto page = [&] { return random() % pages * kPage; };
  switch (random() % 7) {
    case 0:
      bytes[place(1)] ^= static_cast<char>(1U << random() % 8);
      break;
    case 1:  // Where the numbers of a page are.
      bytes[page() + random() % 16] = static_cast<char>(random());
      break;
    case 2:
      for (std::size_t begin = page(), i = 0; i < kPage; ++i) bytes[begin + i] = static_cast<char>(random());
      break;
    case 3:
      std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(page()), kPage, '\0');
      break;
    case 4:
      bytes.resize(place(1));
      break;
    case 5:
      bytes.replace(page(), kPage, bytes.substr(page(), kPage));
      break;
    default:
      for (std::size_t begin = place(64), i = 0; i < 64; ++i) bytes[begin + i] = static_cast<char>(random());
  }
  return bytes;
}

struct Count {
  std::size_t refused = 0;   ///< At opening.
  std::size_t found = 0;     ///< By verify().
  std::size_t harmless = 0;  ///< Nothing that is stored was hit.
  std::size_t failed = 0;    ///< Reads and commits that ended with an error.
  std::size_t given_up = 0;  ///< By recover_store().
  std::size_t saved = 0;     ///< By recover_store(), with losses or without.
};

/// A header that counts too many pages makes SQLite believe that the file has reached its limit: storage_full. Where
/// all was in a log that is damaged from its beginning, the database is empty: not_found.
void expect_typed(const Error& error) {
  EXPECT_TRUE(error.errc() == Errc::corrupt_store || error.errc() == Errc::not_found ||
              error.errc() == Errc::io_error || error.errc() == Errc::unsupported ||
              error.errc() == Errc::limit_exceeded || error.errc() == Errc::storage_full)
      << name_of(error.errc()) << ": " << error.what();
}

/// Whatever the answers, they come, or an error that says so.
template <class Call>
void try_to(Count& count, Call call) {
  try {
    call();
  } catch (const Error& error) {
    ++count.failed;
    expect_typed(error);
  }
}

void use(StoreEngine& engine, Commit commit, Count& count) {
  const auto snapshot = engine.snapshot();
  RandomCommits random(1);
  try_to(count, [&] {
    for (const SourceRecord& record : snapshot->sources({})) snapshot->text(record.id);
  });
  for (const std::string group : {"root", "line", "word", "note"}) {
    NodeQuery query;
    query.group = group;
    try_to(count, [&] { snapshot->nodes(query); });
    try_to(count, [&] { snapshot->changes(group, 0); });
    try_to(count, [&] { snapshot->search_terms(group, kBm25Key, random.terms(), {}, random.filter(), 10); });
  }
  try_to(count, [&] { engine.commit(std::move(commit)); });
  try_to(count, [&] { engine.maintain(); });
}

void open_damaged(const fs::path& folder, StoreHistory& history, Generation newest, Count& count) {
  const FaultyStore store(std::make_shared<FaultPlan>());
  std::shared_ptr<StoreEngine> engine;
  try {
    engine = store.open(folder, busy_options());
  } catch (const Error& error) {
    expect_typed(error);
    ++count.refused;
    return;
  }
  VerifyReport report;
  try_to(count, [&] { report = engine->verify(); });
  if (report.ok()) {
    ++count.harmless;
    EXPECT_EQ(engine->snapshot()->generation(), newest) << "commits are lost, and nothing says so";
    expect_state(*engine->snapshot(), history);
  } else {
    ++count.found;
  }
  // At the last generation that is stored, or, if that is damaged, at some.
  use(*engine, history.commits_after(std::min<Generation>(engine->snapshot()->generation(), 30)).back(), count);
  try_to(count, [&] { engine->close(); });
}

bool is_same(const Node& node, const PlainNode& expected) {
  return node.uid == expected.uid && node.span == expected.span && node.is_span == expected.is_span &&
         node.text == expected.text && node.metadata == expected.visible;
}

bool has_vectors(const StoreSnapshot& snapshot, const PlainGroup& group) {
  const auto column = group.columns.find(RandomCommits::kKey);
  if (column == group.columns.end()) return true;
  std::vector<Hash128> contents;
  for (const PlainNode& node : group.nodes) contents.push_back(node.content);
  const auto found = snapshot.vectors(RandomCommits::kKey, column->second.signature, contents);
  return std::none_of(found.begin(), found.end(), [](const std::vector<float>& vector) { return vector.empty(); });
}

/// Whether a source, its text and all groups that it has are those of a state; `is_complete`: that it has all groups.
bool is_whole(const StoreSnapshot& snapshot, const SourceRecord& record, const PlainModel& model, bool is_complete) {
  const auto source = model.sources.find(record.id);
  if (source == model.sources.end()) return false;
  const PlainSource& expected = source->second;
  if (record.content != expected.record.content || record.metadata != expected.record.metadata) return false;
  if (snapshot.text(record.id) != expected.text) return false;
  for (const auto& [name, group] : expected.groups) {
    NodeQuery query;
    query.group = name;
    query.source = record.id;
    const std::vector<Node> nodes = snapshot.nodes(query);
    if (nodes.empty() && !is_complete) continue;
    std::vector<const Node*> in_order(group.nodes.size());
    if (nodes.size() != in_order.size()) return false;
    for (const Node& node : nodes) in_order.at(node.number) = &node;
    for (std::size_t i = 0; i < in_order.size(); ++i)
      if (!is_same(*in_order[i], group.nodes[i])) return false;
    if (is_complete && !has_vectors(snapshot, group)) return false;
  }
  return true;
}

/// What was saved must be of one state, most likely the newest; a page may hold rows of older ones, too.
void expect_whole(const StoreSnapshot& snapshot, const RecoveryReport& report, StoreHistory& history,
                  Generation newest) {
  std::set<std::string> incomplete;
  for (const StoreFinding& finding : report.lost) incomplete.insert(finding.sources.begin(), finding.sources.end());
  std::uint64_t sources = 0;
  for (const SourceRecord& record : snapshot.sources({})) {
    if (record.generation == 0) continue;
    ++sources;
    bool found = false;
    for (Generation at = newest; !found && at > 0; --at)
      found = is_whole(snapshot, record, history.at(at), !incomplete.contains(record.id));
    EXPECT_TRUE(found) << "source " << record.id << " is not what it ever was";
  }
  EXPECT_EQ(sources, report.sources);
}

void recover_damaged(const fs::path& folder, StoreHistory& history, Generation newest, Count& count) {
  const fs::path target = folder / "saved";
  RecoveryReport report;
  try {
    report = recover_store(folder / "store", target);
  } catch (const Error& error) {
    expect_typed(error);
    EXPECT_FALSE(fs::exists(target));
    ++count.given_up;
    return;
  }
  ++count.saved;
  const auto engine = sqlite_engine(target);
  for (const StoreFinding& finding : engine->verify().findings)
    ADD_FAILURE() << finding.object << ": " << finding.problem;
  expect_whole(*engine->snapshot(), report, history, newest);
}

// F7
TEST(DamagedDatabase, IsRefusedOrFoundOrHarmlessAndWhatIsRecoveredIsWhole) {
  Count count;
  std::mt19937_64 random(8);
  const std::size_t files = rounds(50);
  for (std::size_t tried = 0; tried < files && !HasFailure();) {
    const TemporaryFolder folder;
    StoreHistory history(tried);
    Generation newest = 0;
    {
      const FaultyStore store(std::make_shared<FaultPlan>());
      StoreScript script(history, tried, 0, [&] { return store.open(folder.path() / "store", busy_options()); });
      script.run(40);
      newest = script.acknowledged();
      script.close();
    }
    const std::string database = read_file(folder.path() / "store" / "store.db");
    for (int i = 0; i < 50 && tried < files && !HasFailure(); ++i, ++tried) {
      SCOPED_TRACE("file " + std::to_string(tried));
      const TemporaryFolder copy;
      fs::copy(folder.path() / "store", copy.path() / "store", fs::copy_options::recursive);
      copy.write("store/store.db", damaged(database, random));
      recover_damaged(copy.path(), history, newest, count);
      open_damaged(copy.path() / "store", history, newest, count);
    }
  }
  std::cout << count.refused << " refused, " << count.found << " found by verify, " << count.harmless << " harmless, "
            << count.failed << " operations ended with an error, " << count.saved << " recovered, " << count.given_up
            << " beyond recovery\n";
  EXPECT_GT(count.refused + count.found, files / 4);
  EXPECT_GT(count.saved, files / 2);
}

/// A copy of a store whose writer is killed now: what is only in the log is lost with it.
void copy_as_killed(const fs::path& store, const fs::path& to) {
  fs::copy(store, to, fs::copy_options::recursive);
  fs::remove(to / "store.db-shm");
}

/// Opens a store with a damaged log; gives the generation that it shows where nothing says that it is damaged.
std::optional<Generation> open_with_damaged_log(const fs::path& folder, StoreHistory& history, Count& count) {
  const FaultyStore store(std::make_shared<FaultPlan>());
  std::shared_ptr<StoreEngine> engine;
  try {
    engine = store.open(folder, busy_options());
  } catch (const Error& error) {
    // An earlier state may name segments that have been merged since.
    if (error.errc() != Errc::not_found) expect_typed(error);
    ++count.refused;
    return std::nullopt;
  }
  VerifyReport report;
  try_to(count, [&] { report = engine->verify(); });
  if (!report.ok()) {
    ++count.found;
    return std::nullopt;
  }
  ++count.harmless;
  const Generation generation = engine->snapshot()->generation();
  if (generation > 0) expect_state(*engine->snapshot(), history);
  return generation;
}

// F7: the log's frames have checksums, and whoever opens it takes what is behind a bad one for unwritten, as it is
// after a loss of power.
TEST(DamagedLog, OfAKilledStoreMayTakeItsLastCommitsAsWholesAndSaysNothingOfThem) {
  Count count;
  std::mt19937_64 random(9);
  const std::size_t files = rounds(50);
  std::size_t shortened = 0;
  for (std::size_t tried = 0; tried < files && !HasFailure();) {
    const TemporaryFolder folder;
    StoreHistory history(tried);
    const FaultyStore store(std::make_shared<FaultPlan>());
    StoreScript script(history, tried, 0, [&] { return store.open(folder.path() / "store", busy_options()); });
    script.run(40);
    script.commit();
    const Generation newest = script.acknowledged();
    const TemporaryFolder killed;
    copy_as_killed(folder.path() / "store", killed.path() / "store");
    const std::string log = read_file(killed.path() / "store" / "store.db-wal");
    ASSERT_GT(log.size(), kPage);
    for (int i = 0; i < 50 && tried < files && !HasFailure(); ++i, ++tried) {
      SCOPED_TRACE("file " + std::to_string(tried));
      const TemporaryFolder copy;
      fs::copy(killed.path() / "store", copy.path() / "store", fs::copy_options::recursive);
      copy.write("store/store.db-wal", damaged(log, random));
      recover_damaged(copy.path(), history, newest, count);
      const std::optional<Generation> found = open_with_damaged_log(copy.path() / "store", history, count);
      if (!found) continue;
      EXPECT_LE(*found, newest);
      shortened += *found < newest ? 1 : 0;
    }
  }
  std::cout << count.refused << " refused, " << count.found << " found by verify, " << count.harmless
            << " whole states, " << shortened << " of them without the last commits, " << count.saved << " recovered, "
            << count.given_up << " beyond recovery\n";
  EXPECT_GT(shortened, 0U);
}

/// Four sources in one leaf page of the database.
std::string four_sources(const fs::path& folder, std::size_t& page) {
  {
    const auto engine = sqlite_engine(folder);
    Commit commit;
    for (const char* id : {"a", "b", "c", "d"}) commit.sources.push_back(sample_lines(id, "some text"));
    engine->commit(std::move(commit));
    engine->close();
  }
  sqlite::Database db(folder / "store.db", sqlite::OpenMode::read);
  sqlite::Statement& root = db.statement("SELECT rootpage FROM sqlite_schema WHERE name = 'source'");
  const sqlite::Rows guard(root);
  if (root.step()) page = static_cast<std::size_t>(root.integer(0) - 1) * kPage;
  return read_file(folder / "store.db");
}

// F7
TEST(DamagedDatabase, VerifyEndsWhateverTheOrderOfRows) {
  const TemporaryFolder folder;
  std::size_t page = 0;
  const std::string whole = four_sources(folder.path() / "store", page);
  constexpr std::size_t kPointers = 8;  // Behind the header of a leaf page; two bytes for each row.
  ASSERT_EQ(whole.at(page), 13) << "a leaf page";
  std::vector<std::size_t> order = {0, 1, 2, 3};
  while (std::next_permutation(order.begin(), order.end())) {
    std::string bytes = whole;
    for (std::size_t i = 0; i < order.size(); ++i)
      bytes.replace(page + kPointers + 2 * i, 2, whole.substr(page + kPointers + 2 * order[i], 2));
    folder.write("store/store.db", bytes);
    const auto engine = sqlite_engine(folder.path() / "store");
    EXPECT_FALSE(engine->verify().ok());
  }
}

// F7: an index that asked the shortened log would miss updates.
TEST(DamagedDatabase, VerifyMissesEntriesOfTheChangeLog) {
  const TemporaryFolder folder;
  std::size_t page = 0;
  four_sources(folder.path() / "store", page);
  {
    const auto engine = sqlite_engine(folder.path() / "store");
    Commit commit;
    commit.sources.push_back(sample_lines("e", "more text"));
    engine->commit(std::move(commit));
  }
  sqlite::Database(folder.path() / "store" / "store.db", sqlite::OpenMode::write)
      .execute("DELETE FROM commit_log WHERE generation = 1");
  const VerifyReport report = sqlite_engine(folder.path() / "store")->verify();
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings.front().object, "change log");
}

}  // namespace
}  // namespace ragstone::test
