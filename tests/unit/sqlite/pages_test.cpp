#include "support/faults/fault_plan.hpp"
#include "support/faults/faulty_store.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/text/offset_map.hpp>

#include <memory>
#include <utility>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

TEST(SqlitePages, TheOffsetMapOfANodesSourceIsOnAPageThatTheNodeWasReadFrom) {
  const TemporaryFolder folder;
  const auto plan = std::make_shared<FaultPlan>();
  const FaultyStore store(plan);
  OffsetMapBuilder half_as_long(0);
  half_as_long.add(1, 2, 12);
  SourceWrite source = sample_lines("id", "three\nlines\n");
  source.record.offset_map = half_as_long.finish().serialize();
  Commit commit;
  commit.sources.push_back(std::move(source));
  const auto writer = store.open(folder.path() / "kb");
  writer->commit(std::move(commit));
  writer->close();

  const auto engine = store.open(folder.path() / "kb");
  const auto snapshot = engine->snapshot();
  NodeQuery query;
  query.group = "line";
  ASSERT_EQ(snapshot->nodes(query).size(), 2u);
  plan->reset();
  const auto map = snapshot->offset_map("id");
  EXPECT_EQ(plan->calls(), 0u);
  ASSERT_NE(map, nullptr);
  EXPECT_EQ(map->to_file(6), 12u);
}

}  // namespace
}  // namespace ragstone::test
