#include "recovered_store.hpp"

#include "store/segment/dense_part.hpp"
#include "store/segment/file_system.hpp"
#include "store/sqlite/database.hpp"
#include "support/faults/faulty_store.hpp"
#include "support/store/expect_state.hpp"
#include "support/store/saved_words.hpp"
#include "support/store/store_script.hpp"

#include <memory>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace fs = std::filesystem;

void expect_sound(const fs::path& folder) {
  sqlite::Database db(folder / "store.db", sqlite::OpenMode::read);
  sqlite::Statement& check = db.statement("PRAGMA integrity_check");
  sqlite::Rows verdict(check);
  ASSERT_TRUE(verdict.next());
  EXPECT_EQ(check.text(0), "ok");
  std::set<std::string> named;
  sqlite::Statement& parts = db.statement("SELECT file FROM part WHERE file <> ''");
  for (sqlite::Rows rows(parts); rows.next();) named.emplace(parts.text(0));
  std::set<std::string> there;
  for (const auto& entry : fs::directory_iterator(folder / "segments")) there.insert(entry.path().filename());
  EXPECT_EQ(there, named);
}

Generation expect_recovered(const fs::path& folder, StoreHistory& history, Generation at_least, Generation at_most,
                            bool goes_on) {
  const FaultyStore store(std::make_shared<FaultPlan>());
  Generation found = 0;
  try {
    {
      const auto engine = store.open(folder, busy_options());
      found = engine->snapshot()->generation();
      EXPECT_GE(found, at_least) << "an acknowledged commit is lost";
      EXPECT_LE(found, at_most) << "a commit that was never tried";
      if (testing::Test::HasFailure()) return found;
      expect_state(*engine->snapshot(), history);
      expect_sound(folder);
      for (const StoreFinding& finding : engine->verify().findings)
        ADD_FAILURE() << finding.object << ": " << finding.problem;
      expect_saved_words(*engine);
    }
    if (!goes_on) return found;
    StoreScript script(history, found, found, [&] { return store.open(folder, busy_options()); });
    script.on_read = [&](const StoreSnapshot& snapshot, Generation) { expect_state(snapshot, history); };
    script.on_acknowledged = [&](Generation generation) { save_words(*script.engine(), generation); };
    script.run(5);
    script.commit();
    script.maintain();
    script.close();
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
  return found;
}

std::size_t expect_whole_backups(const fs::path& folder, StoreHistory& history, Generation at_most) {
  std::size_t whole = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("backup") || name.find("unfinished") != std::string::npos) continue;
    SCOPED_TRACE(name);
    expect_recovered(entry.path(), history, 0, at_most);
    ++whole;
  }
  return whole;
}

std::size_t graphs_in(const fs::path& store) {
  std::size_t graphs = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(store / "segments")) {
    try {
      if (segment::DensePart(segment::posix_file_system()->open(entry.path(), true)).graph() != nullptr) ++graphs;
    } catch (const Error&) {
      // of another kind
    }
  }
  return graphs;
}

}  // namespace ragstone::test
