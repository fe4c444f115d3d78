#include "support/rounds.hpp"
#include "support/store/conformance.hpp"
#include "support/store/random_filters.hpp"
#include "support/store/samples.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace ragstone::test {
namespace {

std::vector<FieldDeclaration> random_fields(RandomFilters& random) {
  std::vector<FieldDeclaration> fields;
  for (const std::string& name : RandomFilters::names())
    if (random.below(2) == 0) fields.emplace_back(name, static_cast<FieldKind>(random.below(4)));
  return fields;
}

/// Lines with BM25 and vectors; the source has metadata, and some lines have their own.
SourceWrite random_source(RandomFilters& random, const std::string& id) {
  std::string text;
  for (std::size_t i = 1 + random.below(4); i > 0; --i) text += "river 河流 " + std::to_string(random.below(5)) + "\n";
  SourceWrite write = sample_source(id, text, random.metadata());
  write.groups.push_back(sample_group(id, text, "line", write.groups.front(), line_spans(text)));
  GroupRows& lines = write.groups.back();
  std::vector<std::vector<float>> vectors;
  for (NodeRow& line : lines.rows) {
    if (random.below(3) == 0) line.metadata = random.metadata();
    vectors.push_back({static_cast<float>(random.below(5)), 1});
  }
  lines.sparse.push_back(sample_terms(lines, text));
  lines.dense.push_back(sample_vectors("e", "two", vectors, 2));
  return write;
}

/// The nodes of the lines that a filter matches, by the evaluator.
std::set<NodeId> matching(const StoreSnapshot& snapshot, const Filter& filter) {
  NodeQuery query;
  query.group = "line";
  std::set<NodeId> ids;
  for (const Node& node : snapshot.nodes(query))
    if (filter.matches(node.metadata)) ids.insert(node.id);
  return ids;
}

void expect_filtered(const StoreSnapshot& snapshot, const Filter& filter) {
  const std::set<NodeId> expected = matching(snapshot, filter);
  const std::vector<TermWeight> terms = {{"river", 1}};
  std::set<NodeId> found;
  for (const ScoredNode& hit : snapshot.search_terms("line", kBm25Key, terms, {}, filter, SIZE_MAX))
    found.insert(hit.id);
  ASSERT_EQ(found, expected) << "terms, where " << filter.to_string();
  found.clear();
  const std::vector<float> query = {1, 0};
  const std::vector<NodeId> selected = snapshot.select("line", filter);
  ASSERT_EQ(selected, std::vector<NodeId>(expected.begin(), expected.end())) << "nodes, where " << filter.to_string();
  for (const ScoredNode& hit : snapshot.search_vectors("line", "e", query, Metric::inner_product, filter, SIZE_MAX))
    found.insert(hit.id);
  ASSERT_EQ(found, expected) << "vectors, where " << filter.to_string();
}

TEST_P(StoreConformance, DeclaredFieldsChangeNoAnswer) {  // S2
  for (std::size_t seed = 0; seed < rounds(4); ++seed) {
    const std::unique_ptr<StoreUnderTest> store = GetParam().make();
    RandomFilters random(static_cast<unsigned>(seed));
    std::vector<std::pair<std::shared_ptr<const StoreSnapshot>, Filter>> pinned;
    for (int round = 0; round < 60; ++round) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round));
      Commit commit;
      const std::string id = "s" + std::to_string(random.below(20));
      if (random.below(6) == 0) {
        commit.removals.push_back(id);
      } else {
        commit.sources.push_back(random_source(random, id));
      }
      store->engine().commit(std::move(commit));
      if (random.below(8) == 0) store->engine().declare_fields(random_fields(random));
      if (random.below(4) == 0) store->engine().maintain();
      if (random.below(12) == 0) {
        pinned.clear();
        store->reopen();
      }
      const Filter filter = random.filter();
      const auto snapshot = store->engine().snapshot();
      ASSERT_NO_FATAL_FAILURE(expect_filtered(*snapshot, filter));
      ASSERT_NO_FATAL_FAILURE(expect_filtered(*snapshot, random.filter()));
      // The same filter at an older state, after a newer one was asked.
      for (const auto& [older, same] : pinned) {
        ASSERT_NO_FATAL_FAILURE(expect_filtered(*snapshot, same));
        ASSERT_NO_FATAL_FAILURE(expect_filtered(*older, same)) << "at a pinned state";
      }
      pinned.emplace_back(snapshot, filter);
      if (pinned.size() > 3) pinned.erase(pinned.begin());
    }
    while (store->engine().maintain()) {
    }
    const VerifyReport report = store->engine().verify();
    for (const StoreFinding& finding : report.findings) ADD_FAILURE() << finding.object << ": " << finding.problem;
    ASSERT_NO_FATAL_FAILURE(expect_filtered(*store->engine().snapshot(), random.filter()));
  }
}

TEST_P(StoreConformance, DeclaringFieldsIsNoCommit) {
  put(sample_lines("a", "river\n", {{"year", Scalar(std::int64_t{2020})}}));
  const Generation before = snapshot()->generation();
  engine().declare_fields({{"year", FieldKind::integer}});
  while (engine().maintain()) {
  }
  EXPECT_EQ(snapshot()->generation(), before);
  EXPECT_EQ(snapshot()->groups().front().forms.size(), 2u) << "the nodes and BM25";
}

TEST_P(StoreConformance, AValueOfAnotherKindThanDeclaredComparesAsEverywhere) {
  engine().declare_fields({{"year", FieldKind::integer}});
  put(sample_lines("text", "river\n", {{"year", Scalar(std::string("2020"))}}));
  put(sample_lines("real", "river\n", {{"year", Scalar(2020.0)}}));
  put(sample_lines("integer", "river\n", {{"year", Scalar(std::int64_t{2020})}}));
  const auto found = [&](const char* filter) {
    std::vector<std::string> sources;
    const std::vector<TermWeight> terms = {{"river", 1}};
    const auto at = snapshot();
    for (const ScoredNode& hit : at->search_terms("line", kBm25Key, terms, {}, Filter::parse(filter), 10)) {
      NodeQuery query;
      query.ids = {hit.id};
      sources.push_back(at->nodes(query).at(0).source);
    }
    std::sort(sources.begin(), sources.end());
    return sources;
  };
  EXPECT_EQ(found("year == 2020"), (std::vector<std::string>{"integer", "real"}));
  EXPECT_EQ(found("year == '2020'"), std::vector<std::string>{"text"});
  EXPECT_EQ(found("year > 0"), (std::vector<std::string>{"integer", "real"}));
  EXPECT_EQ(found("not (year > 0)"), std::vector<std::string>{"text"});
  EXPECT_EQ(found("exists year").size(), 3u);
}

TEST_P(StoreConformance, BadDeclarationsAreRefused) {
  const auto refuse = [&](std::vector<FieldDeclaration> fields) {
    try {
      engine().declare_fields(std::move(fields));
      ADD_FAILURE() << "the declaration must be refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.errc(), Errc::invalid_argument);
    }
  };
  refuse({{"", FieldKind::text}});
  refuse({{"a\nb", FieldKind::text}});
  refuse({{"year", FieldKind::text}, {"lang", FieldKind::text}, {"year", FieldKind::integer}});
  refuse(std::vector<FieldDeclaration>(65, FieldDeclaration("x", FieldKind::text)));
}

}  // namespace
}  // namespace ragstone::test
