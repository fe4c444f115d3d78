#include "support/faults/failing_memory.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/sqlite_engine.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>

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

INSTANTIATE_TEST_SUITE_P(Failing, CommitMemory, testing::Bool(),
                         [](const auto& instance) { return instance.param ? "ForGood" : "Once"; });

}  // namespace
}  // namespace ragstone::test
