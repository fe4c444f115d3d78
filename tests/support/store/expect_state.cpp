#include "support/store/expect_state.hpp"

#include "support/store/conformance.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

constexpr std::size_t kAll = 1000;

void expect_rankings(const StoreSnapshot& snapshot, const PlainModel& model, const std::string& group,
                     RandomCommits& random) {
  const std::vector<TermWeight> terms = random.terms();
  const Bm25Parameters parameters;
  expect_ranking(snapshot.search_terms(group, kBm25Key, terms, parameters, {}, kAll),
                 model.bm25(group, kBm25Key, terms, parameters), kAll, 1e-9);
  const Filter filter = Filter::parse("lang == 'en' and year >= 2001");
  expect_ranking(snapshot.search_terms(group, kBm25Key, terms, parameters, filter, kAll),
                 model.filtered(model.bm25(group, kBm25Key, terms, parameters), filter), kAll, 1e-9);
  for (const std::size_t dimension : {std::size_t{3}, std::size_t{4}}) {
    const std::vector<float> query = random.vector(dimension);
    const auto expected = model.distances(group, RandomCommits::kKey, query, Metric::l2);
    if (expected)
      expect_ranking(snapshot.search_vectors(group, RandomCommits::kKey, query, Metric::l2, {}, kAll), *expected, kAll,
                     1e-6);
  }
}

/// Every node that is there must have come in some commit, and none that has gone.
void expect_change_log(const StoreSnapshot& snapshot, const PlainModel& model, const std::string& group) {
  const auto change = snapshot.changes(group, 0);
  if (!change) return;
  std::vector<NodeId> live;
  for (const PlainNode* node : model.nodes(group)) live.push_back(node->id);
  EXPECT_EQ(change->upserts, live) << group;
}

}  // namespace

void expect_state(const StoreSnapshot& snapshot, StoreHistory& history) {
  PlainModel model = history.at(snapshot.generation());
  SCOPED_TRACE("generation " + std::to_string(model.generation));
  model.bind(snapshot);
  if (testing::Test::HasFatalFailure()) return;
  RandomCommits random(model.generation);
  for (const std::string group : {"root", "line", "word", "note"}) {
    expect_rankings(snapshot, model, group, random);
    expect_change_log(snapshot, model, group);
  }
}

}  // namespace ragstone::test
