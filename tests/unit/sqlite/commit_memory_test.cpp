#include "support/faults/failing_memory.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/sqlite_engine.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

/// The generation of a commit whose allocation of that number fails; none if it was refused.
std::optional<Generation> commit(StoreEngine& engine, std::size_t number, bool for_good, bool& is_over) {
  Commit commit;
  commit.sources.push_back(sample_lines("s" + std::to_string(number), "river " + std::to_string(number)));
  const MemoryFault fault(number, for_good);
  std::optional<Generation> generation;
  try {
    generation = engine.commit(std::move(commit)).generation;
  } catch (const std::bad_alloc&) {
  } catch (const Error&) {
  }
  is_over = fault.allocations() <= number;
  return generation;
}

class CommitMemory : public testing::TestWithParam<bool> {};

// F5: what was committed must not be told as refused, whatever is left to do after it.
TEST_P(CommitMemory, ACommitThatRunsOutOfMemoryIsRefusedOnlyIfItWasNotCarriedOut) {
  const TemporaryFolder folder;
  SqliteOptions options;
  options.durability = Durability::fast;
  const auto engine = sqlite_engine(folder.path() / "kb", options);
  Generation last = engine->snapshot()->generation();
  std::size_t refused = 0;
  bool is_over = false;
  for (std::size_t number = 0; !is_over && !HasFailure(); ++number) {
    SCOPED_TRACE("allocation " + std::to_string(number));
    const std::optional<Generation> generation = commit(*engine, number, GetParam(), is_over);
    if (generation) {
      EXPECT_EQ(*generation, last + 1) << "one that was refused had been carried out";
      last = *generation;
    } else {
      ++refused;
    }
    EXPECT_EQ(engine->snapshot()->generation(), last);
    EXPECT_EQ(engine->snapshot()->text("s" + std::to_string(number)).has_value(), generation.has_value());
  }
  EXPECT_GT(refused, 0u);
  EXPECT_EQ(engine->snapshot()->sources({}).size(), last);
  EXPECT_TRUE(engine->verify().ok());
}

/// Commits a source that is sealed at once.
void put_sealed(StoreEngine& engine, const std::string& id) {
  Commit commit;
  commit.sources.push_back(sample_lines(id, "river " + id));
  engine.commit(std::move(commit));
  while (engine.maintain()) {
  }
}

/// Removes one source and adds two, in three commits together whose allocation of that number fails; gives which of
/// them were carried out, as they are told.
std::vector<bool> commit_together(StoreEngine& engine, const std::string& id, std::size_t number, bool for_good,
                                  bool& is_over) {
  std::vector<PendingCommit> commits(3);
  commits[0].commit.removals.push_back(id);
  commits[1].commit.sources.push_back(sample_lines(id + " a", "river"));
  commits[2].commit.sources.push_back(sample_lines(id + " b", "river"));
  std::vector<PendingCommit*> all;
  for (PendingCommit& commit : commits) all.push_back(&commit);
  bool is_begun = true;
  {
    const MemoryFault fault(number, for_good);
    try {
      engine.commit_together(all);
    } catch (const std::bad_alloc&) {
      is_begun = false;
    }
    is_over = fault.allocations() <= number;
  }
  std::vector<bool> carried_out;
  for (const PendingCommit& commit : commits) carried_out.push_back(is_begun && !commit.error);
  return carried_out;
}

TEST_P(CommitMemory, OfCommitsTogetherThoseThatRunOutOfMemoryAreRefusedAndTheOthersCarriedOut) {
  const TemporaryFolder folder;
  SqliteOptions options;
  options.durability = Durability::fast;
  options.seal_rows = 1;
  const auto engine = sqlite_engine(folder.path() / "kb", options);
  std::size_t some_refused = 0;
  bool is_over = false;
  for (std::size_t number = 0; !is_over && !HasFailure(); ++number) {
    SCOPED_TRACE("allocation " + std::to_string(number));
    const std::string id = "s" + std::to_string(number);
    put_sealed(*engine, id);
    const Generation before = engine->snapshot()->generation();
    const std::vector<bool> carried_out = commit_together(*engine, id, number, GetParam(), is_over);
    const auto count = std::count(carried_out.begin(), carried_out.end(), true);
    some_refused += count == 1 || count == 2 ? 1 : 0;
    const auto at = engine->snapshot();
    EXPECT_EQ(at->generation(), before + static_cast<Generation>(count));
    EXPECT_EQ(at->text(id).has_value(), !carried_out[0]);
    EXPECT_EQ(at->text(id + " a").has_value(), carried_out[1]);
    EXPECT_EQ(at->text(id + " b").has_value(), carried_out[2]);
  }
  EXPECT_TRUE(GetParam() || some_refused > 0);
  EXPECT_TRUE(engine->verify().ok());
  const std::size_t sources = engine->snapshot()->sources({}).size();
  engine->close();
  EXPECT_EQ(sqlite_engine(folder.path() / "kb", options)->snapshot()->sources({}).size(), sources);
}

INSTANTIATE_TEST_SUITE_P(Failing, CommitMemory, testing::Bool(),
                         [](const auto& instance) { return instance.param ? "ForGood" : "Once"; });

}  // namespace
}  // namespace ragstone::test
