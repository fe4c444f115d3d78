#include "support/rounds.hpp"
#include "support/store/conformance.hpp"
#include "support/store/random_commits.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <iostream>
#include <set>
#include <utility>

namespace ragstone::test {
namespace {

using Uids = std::map<std::string, std::set<std::pair<std::string, Uid>>>;

/// Compares a commit's report with what the model expects; the model must be bound.
void expect_result(const CommitResult& is, const PlainResult& expected, const PlainModel& model) {
  EXPECT_EQ(is.generation, model.generation);
  EXPECT_EQ(is.skipped, expected.skipped);
  EXPECT_EQ(is.removed, expected.removed);
  Uids upserts;
  std::map<std::string, std::set<NodeId>> removed;
  std::string last;
  for (const GroupChange& change : is.changes) {
    EXPECT_LT(last, change.group);
    last = change.group;
    EXPECT_TRUE(std::is_sorted(change.upserts.begin(), change.upserts.end()));
    EXPECT_TRUE(std::is_sorted(change.removed.begin(), change.removed.end()));
    EXPECT_FALSE(change.upserts.empty() && change.removed.empty());
    for (const NodeId id : change.upserts) {
      const PlainModel::Place place = model.find(id);
      ASSERT_NE(place.node, nullptr);
      EXPECT_TRUE(upserts[change.group].insert({place.source, place.node->uid}).second);
    }
    if (!change.removed.empty()) removed[change.group] = {change.removed.begin(), change.removed.end()};
  }
  EXPECT_EQ(upserts, expected.upserts);
  EXPECT_EQ(removed, expected.removed_nodes);
}

void check_searches(const StoreSnapshot& snapshot, const PlainModel& model, RandomCommits& random) {
  const std::string group = random.group();
  const Filter filter = random.filter();
  const std::size_t k = random.chance(10) ? SIZE_MAX : 1 + random.below(8);

  NodeQuery passing;
  passing.group = group;
  passing.filter = filter;
  std::vector<NodeId> ids;
  for (const Node& node : snapshot.nodes(passing)) ids.push_back(node.id);
  EXPECT_EQ(snapshot.select(group, filter), ids);

  const std::vector<TermWeight> terms = random.terms();
  Bm25Parameters parameters;
  if (random.chance(50)) parameters = {0.9, 0.4};
  expect_ranking(snapshot.search_terms(group, kBm25Key, terms, parameters, filter, k),
                 model.filtered(model.bm25(group, kBm25Key, terms, parameters), filter), k, 1e-9);

  const auto metric = static_cast<Metric>(random.below(3));
  const std::vector<float> query = random.vector(random.chance(90) ? 4 : 3);
  const auto expected = model.distances(group, RandomCommits::kKey, query, metric);
  if (expected) {
    expect_ranking(snapshot.search_vectors(group, RandomCommits::kKey, query, metric, filter, k),
                   model.filtered(*expected, filter), k, 1e-6);
  } else {
    EXPECT_THROW(snapshot.search_vectors(group, RandomCommits::kKey, query, metric, filter, k), Error);
  }
}

void check_nodes(const StoreSnapshot& snapshot, const PlainModel& model, RandomCommits& random) {
  NodeQuery query;
  query.group = random.group();
  query.filter = random.filter();
  if (random.chance(30)) query.source = random.source_id();
  const NodeId some = 1 + random.below(model.last_id + 1);
  if (random.chance(30)) query.after = some;
  if (random.chance(30)) query.limit = random.below(6);
  if (random.chance(20)) query.parent = some;
  if (random.chance(20)) {
    query.ids.emplace();
    for (std::size_t i = 0; i < 5; ++i) query.ids->push_back(1 + random.below(model.last_id + 1));
    if (random.chance(50)) query.group.clear();
  }

  std::vector<NodeId> candidates;
  if (query.ids) {
    for (const NodeId id : *query.ids) {
      const PlainModel::Place place = model.find(id);
      if (place.node && (query.group.empty() || place.group == query.group)) candidates.push_back(id);
    }
  } else {
    for (const PlainNode* node : model.nodes(query.group)) candidates.push_back(node->id);
  }
  std::vector<NodeId> expected;
  for (const NodeId id : candidates) {
    const PlainModel::Place place = model.find(id);
    const bool child = !query.parent || (place.node->parent && model.find(*query.parent).node != nullptr &&
                                         model.find(*query.parent).node->uid == *place.node->parent &&
                                         model.find(*query.parent).source == place.source);
    if (id > query.after && child && (!query.source || place.source == *query.source) &&
        query.filter.matches(place.node->visible) && expected.size() < query.limit)
      expected.push_back(id);
  }
  std::vector<NodeId> found;
  for (const Node& node : snapshot.nodes(query)) found.push_back(node.id);
  EXPECT_EQ(found, expected);
}

void check_sources(const StoreSnapshot& snapshot, const PlainModel& model, RandomCommits& random) {
  SourceQuery query;
  if (random.chance(30)) query.after = random.source_id();
  if (random.chance(30)) query.limit = random.below(5);
  query.failed_only = random.chance(30);
  std::vector<std::string> expected;
  for (const auto& [id, source] : model.sources)
    if (id > query.after && (!query.failed_only || source.record.state == SourceState::failed) &&
        expected.size() < query.limit)
      expected.push_back(id);
  std::vector<std::string> found;
  for (const SourceRecord& record : snapshot.sources(query)) found.push_back(record.id);
  EXPECT_EQ(found, expected);

  PendingQuery pending;
  pending.group = random.group();
  pending.signature = random.signature_of(pending.group);
  if (random.chance(50)) pending.columns.push_back({kBm25Key, "terms/1"});
  if (random.chance(50)) pending.columns.push_back({RandomCommits::kKey, random.embedder()});
  if (random.chance(30)) pending.after = random.source_id();
  if (random.chance(30)) pending.limit = random.below(5);
  EXPECT_EQ(snapshot.pending(pending), model.pending(pending));
}

void check_vectors(const StoreSnapshot& snapshot, const PlainModel& model, RandomCommits& random) {
  const std::string signature = random.embedder();
  std::map<Hash128, std::vector<float>> known;
  std::vector<Hash128> contents = {hash128("nothing has this content")};
  for (const auto& [id, source] : model.sources)
    for (const auto& [name, group] : source.groups)
      for (std::size_t i = 0; i < group.nodes.size(); ++i) {
        contents.push_back(group.nodes[i].content);
        const auto column = group.columns.find(RandomCommits::kKey);
        if (column != group.columns.end() && column->second.signature == signature)
          known[group.nodes[i].content] = column->second.vectors[i];
      }
  std::vector<std::vector<float>> expected;
  for (const Hash128& content : contents) expected.push_back(known[content]);
  EXPECT_EQ(snapshot.vectors(RandomCommits::kKey, signature, contents), expected);
}

void check_sparse_vectors(const StoreSnapshot& snapshot, const PlainModel& model, RandomCommits& random) {
  using Vector = std::vector<TermWeight>;
  const std::string signature = random.chance(80) ? "terms/1" : "terms/2";
  std::map<Hash128, std::optional<Vector>> known;
  std::vector<Hash128> contents = {hash128("nothing has this content")};
  for (const auto& [id, source] : model.sources)
    for (const auto& [name, group] : source.groups)
      for (std::size_t i = 0; i < group.nodes.size(); ++i) {
        if (random.chance(50)) contents.push_back(group.nodes[i].content);
        const auto column = group.columns.find(kBm25Key);
        if (column == group.columns.end() || column->second.signature != signature) continue;
        Vector& vector = known[group.nodes[i].content].emplace();
        for (const auto& [term, weight] : column->second.terms[i]) vector.push_back({term, static_cast<float>(weight)});
      }
  std::vector<std::optional<Vector>> expected;
  for (const Hash128& content : contents) expected.push_back(known[content]);
  EXPECT_EQ(snapshot.sparse_vectors(kBm25Key, signature, contents), expected);
}

void check_changes(const StoreSnapshot& snapshot, const PlainModel& model, RandomCommits& random, Generation oldest) {
  const std::string group = random.group();
  const Generation since = oldest + random.below(model.generation - oldest + 1);
  const std::optional<GroupChange> change = snapshot.changes(group, since);
  ASSERT_TRUE(change.has_value());
  const GroupChange expected = model.changes(group, since);
  EXPECT_EQ(change->upserts, expected.upserts);
  EXPECT_EQ(change->removed, expected.removed);
  EXPECT_FALSE(snapshot.changes(group, model.generation + 1).has_value());
}

void check_all(const StoreSnapshot& snapshot, const PlainModel& model, RandomCommits& random) {
  check_searches(snapshot, model, random);
  check_nodes(snapshot, model, random);
  check_sources(snapshot, model, random);
  check_vectors(snapshot, model, random);
  check_sparse_vectors(snapshot, model, random);
  check_changes(snapshot, model, random, 0);
}

struct Pinned {
  std::shared_ptr<const StoreSnapshot> snapshot;
  PlainModel model;
};

/// What the run of a seed has exercised, so that a generator that went quiet is noticed.
struct Exercised {
  std::size_t refused = 0;
  std::size_t skipped = 0;
  std::size_t upserts = 0;
  std::size_t removed = 0;
};

/// One step: a commit, refused or not, and reads of the new state.
void step(StoreEngine& engine, PlainModel& model, RandomCommits& random, Exercised& exercised) {
  const Commit commit = random.next(model);
  const PlainResult expected = model.apply(commit);
  if (expected.error) {
    ++exercised.refused;
    try {
      engine.commit(commit);
      FAIL() << "the commit must be refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.errc(), *expected.error) << error.what();
    }
    ASSERT_NO_FATAL_FAILURE(model.bind(*engine.snapshot()));
  } else {
    const CommitResult result = engine.commit(commit);
    ASSERT_NO_FATAL_FAILURE(model.bind(*engine.snapshot()));
    model.log.push_back(result.changes);
    ASSERT_NO_FATAL_FAILURE(expect_result(result, expected, model));
    exercised.skipped += result.skipped.size();
    for (const GroupChange& change : result.changes) {
      exercised.upserts += change.upserts.size();
      exercised.removed += change.removed.size();
    }
  }
  check_all(*engine.snapshot(), model, random);
}

/// `reopens`: how many of a hundred steps are followed by a reopening.
void run_seed(StoreUnderTest& store, std::uint64_t seed, unsigned reopens, Exercised& exercised) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomCommits random(seed);
  PlainModel model;
  std::deque<Pinned> pinned;
  for (std::size_t round = 0; round < 300 && !testing::Test::HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    ASSERT_NO_FATAL_FAILURE(step(store.engine(), model, random, exercised));
    if (random.chance(10)) pinned.push_back({store.engine().snapshot(), model});
    if (pinned.size() > 4 || (!pinned.empty() && random.chance(5))) {
      ASSERT_NO_FATAL_FAILURE(pinned.front().model.bind(*pinned.front().snapshot)) << "a pinned snapshot changed";
      ASSERT_NO_FATAL_FAILURE(check_all(*pinned.front().snapshot, pinned.front().model, random));
      pinned.pop_front();
    }
    if (random.chance(reopens)) {
      pinned.clear();
      store.reopen();
      ASSERT_NO_FATAL_FAILURE(model.bind(*store.engine().snapshot())) << "after reopening";
    }
  }
}

TEST_P(StoreConformance, RandomCommitsAndReadsGiveWhatAPlainModelGives) {
  const auto first = static_cast<std::uint64_t>(GTEST_FLAG_GET(random_seed)) + 1;
  const std::size_t seeds = rounds(6);
  Exercised exercised;
  for (std::uint64_t seed = first; seed < first + seeds && !HasFailure(); ++seed) {
    const std::unique_ptr<StoreUnderTest> store = GetParam().make();
    run_seed(*store, seed, GetParam().reopens_always ? 30 : 3, exercised);
  }
  std::cout << "seeds " << first << " to " << first + seeds - 1 << ": " << exercised.upserts << " upserts, "
            << exercised.removed << " removed nodes, " << exercised.skipped << " late writes, " << exercised.refused
            << " refused commits\n";
  EXPECT_GT(exercised.refused, 0u);
  EXPECT_GT(exercised.skipped, 0u);
  EXPECT_GT(exercised.upserts, 1000u);
  EXPECT_GT(exercised.removed, 1000u);
}

}  // namespace
}  // namespace ragstone::test
