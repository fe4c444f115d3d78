#include "store/diversify.hpp"
#include "store/merge_parents.hpp"
#include "store/run_search.hpp"
#include "store/target.hpp"
#include "support/errors.hpp"
#include "support/store/conformance.hpp"
#include "support/store/samples.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/text/analyzer.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace ragstone::test {
namespace {

using Strings = std::vector<std::string>;

SearchMember text_member(std::string text, std::string name = "bm25") {
  TextMember member;
  member.key = kBm25Key;
  member.text = std::move(text);
  member.analyzer = standard_analyzer();
  SearchMember search;
  search.name = std::move(name);
  search.query = member;
  return search;
}

SearchMember vector_member(std::vector<float> vector) {
  VectorMember member;
  member.key = "e";
  member.vector = std::move(vector);
  SearchMember search;
  search.name = "e";
  search.query = member;
  return search;
}

SearchRequest request_of(std::vector<SearchMember> members) {
  SearchRequest request;
  request.group = "line";
  request.members = std::move(members);
  return request;
}

Strings texts(const SearchResponse& response) {
  Strings texts;
  for (const SearchHit& hit : response.hits) texts.push_back(hit.node.text);
  return texts;
}

/// Lines with a vector each.
SourceWrite lines_with_vectors(const std::string& text, const std::vector<std::vector<float>>& vectors) {
  SourceWrite write = sample_lines("a", text);
  write.groups[1].dense.push_back(sample_vectors("e", "two", vectors, 2));
  return write;
}

TEST_P(StoreConformance, RelativeScoresKeepHowMuchBetterAHitIs) {
  put(lines_with_vectors("river stone\nother\nplain\n", {{0, 1}, {1, 0.2F}, {1, 0}}));
  SearchRequest request = request_of({text_member("river"), vector_member({1, 0})});
  request.fusion = Fusion::relative_score;
  request.members[0].weight = 0.5;
  const SearchResponse response = run_search(*snapshot(), request, {});
  ASSERT_EQ(texts(response), (Strings{"plain", "other", "river stone"}));
  EXPECT_NEAR(response.hits[0].score, 1, 1e-6);
  EXPECT_NEAR(response.hits[1].score, 1 / std::sqrt(1.04), 1e-5) << "its cosine: the worst one is 0, the best 1";
  EXPECT_NEAR(response.hits[2].score, 0.5, 1e-6) << "the only hit of bm25 has 1 there, the worst of e 0";
}

TEST_P(StoreConformance, TheLastOfAFewTextsWithTheWordsBeatsTextsWithout) {
  put(lines_with_vectors("river stone\nriver 河流\nother 石头\n", {{0, 1}, {0.1F, 1}, {1, 0}}));
  SearchRequest request = request_of({text_member("river stone 河流"), vector_member({1, 0})});
  request.fusion = Fusion::relative_score;
  request.members[1].weight = 0.1;
  const Strings found = texts(run_search(*snapshot(), request, {}));
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found.back(), "other 石头");
}

TEST_P(StoreConformance, AMemberOfHigherPriorityComesFirst) {
  put(lines_with_vectors("river stone\nother\nplain\n", {{0, 1}, {1, 1}, {1, 0}}));
  SearchRequest request = request_of({text_member("river"), vector_member({1, 0})});
  request.members[0].priority = 1;
  const SearchResponse response = run_search(*snapshot(), request, {});
  EXPECT_EQ(texts(response), (Strings{"river stone", "plain", "other"}));
  for (std::size_t i = 1; i < response.hits.size(); ++i) EXPECT_GT(response.hits[i - 1].score, response.hits[i].score);
  request.members[0].priority = -1;
  EXPECT_EQ(texts(run_search(*snapshot(), request, {})), (Strings{"plain", "other", "river stone"}));
}

TEST_P(StoreConformance, AFailingMemberIsLeftOutOrFailsTheSearch) {
  put(lines_with_vectors("river stone\nother\n", {{0, 1}, {1, 1}}));
  SearchRequest request = request_of({vector_member({1, 0, 0}), text_member("river")});
  EXPECT_EQ(error_of([&] { run_search(*snapshot(), request, {}); }).errc(), Errc::dimension_mismatch);
  request.on_failure = OnMemberFailure::degrade;
  const SearchResponse response = run_search(*snapshot(), request, {});
  EXPECT_EQ(texts(response), Strings{"river stone"});
  ASSERT_EQ(response.failures.size(), 1u);
  EXPECT_EQ(response.failures[0].member, "e");
  EXPECT_EQ(response.failures[0].code, Errc::dimension_mismatch);
  ASSERT_EQ(response.notes.size(), 2u);
  EXPECT_NE(response.notes[0].find("left out"), std::string::npos);
  ASSERT_EQ(response.hits[0].ranks.size(), 1u);
  EXPECT_EQ(response.hits[0].ranks[0].member, "bm25");
  request.members.pop_back();
  EXPECT_EQ(error_of([&] { run_search(*snapshot(), request, {}); }).errc(), Errc::dimension_mismatch)
      << "there is nothing left";
}

TEST_P(StoreConformance, DiversityPassesOverWhatIsLikeAChosenHit) {
  put(lines_with_vectors("one\ntwin\nfar\nbehind\n", {{1, 0.1F}, {1, 0.11F}, {1, -0.8F}, {0, 1}}));
  SearchRequest request = request_of({vector_member({1, 0})});
  request.top_k = 2;
  EXPECT_EQ(texts(run_search(*snapshot(), request, {})), (Strings{"one", "twin"}));
  request.diversity.emplace();
  const SearchResponse response = run_search(*snapshot(), request, {});
  EXPECT_EQ(texts(response), (Strings{"one", "far"}));
  ASSERT_EQ(response.notes.size(), 2u);
  EXPECT_NE(response.notes[1].find("vectors of \"e\""), std::string::npos);
  request.diversity->lambda = 1;
  EXPECT_EQ(texts(run_search(*snapshot(), request, {})), (Strings{"one", "twin"}));
}

TEST_P(StoreConformance, DiversityComparesTermsWhereThereAreNoVectors) {
  put(sample_lines("a", "rotate the signing key now\nrotate a signing key now\nkey backup\n轮换签名密钥\n"));
  SearchRequest request = request_of({text_member("rotate key 密钥")});
  request.top_k = 3;
  request.diversity.emplace();
  request.diversity->lambda = 0.4;
  const SearchResponse response = run_search(*snapshot(), request, {});
  const Strings found = texts(response);
  EXPECT_EQ(std::set<std::string>(found.begin(), found.end()).size(), 3u);
  EXPECT_EQ(std::count_if(found.begin(), found.end(), [](const std::string& t) { return t.starts_with("rotate"); }), 1);
}

/// Hits of which some have ids that no node has, as a damaged segment may name them.
std::vector<ScoredNode> with_forged_ids(const std::vector<Node>& nodes) {
  std::vector<ScoredNode> hits = {{nodes.back().id + 1000, 9}};
  double score = 8;
  for (const Node& node : nodes) {
    hits.push_back({node.id, score--});
    hits.push_back({node.id + 2000, score--});
  }
  return hits;
}

TEST_P(StoreConformance, DiversityDropsHitsWithoutANode) {
  put(sample_lines("a", "river stone\nriver stones\n河流石头\n"));
  SearchRequest request = request_of({text_member("river")});
  request.diversity.emplace();
  NodeQuery lines;
  lines.group = "line";
  const std::vector<Node> nodes = snapshot()->nodes(lines);
  std::vector<TargetHit> hits;
  for (const ScoredNode& hit : with_forged_ids(nodes)) hits.push_back({hit, hits.size()});
  std::string note;
  const std::vector<TargetHit> chosen = diversify(*snapshot(), request, "line", hits, note, {});
  ASSERT_EQ(chosen.size(), 3u);
  EXPECT_EQ(chosen[0].node.id, nodes[0].id);
  EXPECT_EQ(chosen[0].node.score, 8);
  EXPECT_EQ(chosen[1].node.id, nodes[2].id) << "the least like the first";
  EXPECT_EQ(chosen[1].origin, 5u);
  hits.assign(1, {{nodes.back().id + 1000, 9}, 0});
  EXPECT_TRUE(diversify(*snapshot(), request, "line", hits, note, {}).empty());
}

TEST_P(StoreConformance, TargetsHaveTheScoresOfHitsWithANode) {
  put(sample_lines("a", "river stone\n"));
  put(sample_lines("b", "河流石头\n"));
  NodeQuery lines;
  lines.group = "line";
  const std::vector<Node> nodes = snapshot()->nodes(lines);
  const std::vector<ScoredNode> hits = with_forged_ids(nodes);
  const auto roots = carry_over(*snapshot(), "line", kRootGroup, TargetScore::max, hits, {});
  ASSERT_EQ(roots.size(), 2u);
  EXPECT_EQ(roots[0].node, (ScoredNode{nodes[0].parent, 8}));
  EXPECT_EQ(roots[1].node, (ScoredNode{nodes[1].parent, 6}));
  EXPECT_EQ(roots[1].origin, 3u);
  const std::vector<ScoredNode> of_roots = {{nodes[1].id + 1000, 9}, {nodes[1].parent, 4}};
  const auto below = carry_over(*snapshot(), kRootGroup, "line", TargetScore::sum, of_roots, {});
  ASSERT_EQ(below.size(), 1u);
  EXPECT_EQ(below[0].node, (ScoredNode{nodes[1].id, 4}));
  EXPECT_EQ(below[0].origin, 1u);
}

TEST_P(StoreConformance, AParentTakesThePlaceOfEnoughOfItsChildren) {
  put(sample_lines("a", "red one\nred two\nblue\n"));
  put(sample_lines("b", "red three\nblue\nblue\n"));
  SearchRequest request = request_of({text_member("red")});
  request.parent_share = 0.6;
  const SearchResponse response = run_search(*snapshot(), request, {});
  ASSERT_EQ(response.hits.size(), 2u);
  std::set<std::string> groups;
  for (const SearchHit& hit : response.hits) {
    groups.insert(hit.node.group + " of " + hit.node.source);
    EXPECT_EQ(hit.ranks.size(), 1u);
  }
  EXPECT_EQ(groups, (std::set<std::string>{"line of b", "root of a"}));
  request.parent_share = 0.7;
  EXPECT_EQ(run_search(*snapshot(), request, {}).hits.size(), 3u);
  request.target = kRootGroup;
  EXPECT_EQ(error_of([&] { run_search(*snapshot(), request, {}); }).errc(), Errc::invalid_argument);
}

TEST_P(StoreConformance, AParentOfDiverseHitsHasTheBestScoreAtItsFirstChildsPlace) {
  put(lines_with_vectors("红 one\nred\n", {{1, 0.1F}, {0.2F, 1}}));
  SourceWrite other = sample_lines("b", "green\nblue\nyellow\n");
  other.groups[1].dense.push_back(sample_vectors("e", "two", {{1, 0.2F}, {0, 1}, {-1, 0.1F}}, 2));
  put(std::move(other));
  SearchRequest request = request_of({vector_member({1, 0})});
  request.top_k = 4;
  request.diversity.emplace();
  request.diversity->lambda = 0;
  const SearchResponse chosen = run_search(*snapshot(), request, {});
  ASSERT_EQ(texts(chosen), (Strings{"红 one", "yellow", "blue", "red"})) << "in the order of choice";
  request.parent_share = 1;
  const SearchResponse merged = run_search(*snapshot(), request, {});
  ASSERT_EQ(texts(merged), (Strings{"红 one\nred\n", "yellow", "blue"}));
  EXPECT_EQ(merged.hits[0].score, chosen.hits[0].score);
  // The child that is chosen first is not the best one of its parent.
  std::vector<TargetHit> hits;
  for (const std::size_t i : {1u, 3u, 2u, 0u}) hits.push_back({{chosen.hits[i].node.id, chosen.hits[i].score}, i});
  const std::vector<TargetHit> placed = merge_parents(*snapshot(), request, hits, {});
  ASSERT_EQ(placed.size(), 3u);
  EXPECT_EQ(placed[0].node.id, chosen.hits[1].node.id);
  EXPECT_EQ(placed[1].node, (ScoredNode{chosen.hits[0].node.parent, chosen.hits[0].score}));
  EXPECT_EQ(placed[1].origin, 0u);
  EXPECT_EQ(placed[2].node.id, chosen.hits[2].node.id);
}

}  // namespace
}  // namespace ragstone::test
