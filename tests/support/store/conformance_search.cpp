#include "store/run_search.hpp"
#include "support/errors.hpp"
#include "support/store/conformance.hpp"
#include "support/store/samples.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/text/analyzer.hpp>
#include <ragstone/text/offset_map.hpp>

#include <limits>
#include <utility>

namespace ragstone::test {
namespace {

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

SearchMember vector_member(std::vector<float> vector, Metric metric = Metric::cosine) {
  VectorMember member;
  member.key = "e";
  member.vector = std::move(vector);
  member.metric = metric;
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

std::vector<std::string> texts(const SearchResponse& response) {
  std::vector<std::string> texts;
  for (const SearchHit& hit : response.hits) texts.push_back(hit.node.text);
  return texts;
}

/// Says of every node what a table says, and how it was asked.
class TableIndex final : public Index {
 public:
  explicit TableIndex(std::vector<ScoredNode> table) : table_(std::move(table)) {}

  mutable std::vector<std::size_t> asked;
  bool obeys = true;  ///< Whether it asks `allowed` itself.

 private:
  void do_update(const IndexUpdate&, const StopToken&) override {}
  void do_clear() override {}
  std::vector<ScoredNode> do_query(const IndexQuery& query, const StopToken&) const override {
    asked.push_back(query.top_k);
    std::vector<ScoredNode> hits;
    for (const ScoredNode& row : table_)
      if (hits.size() < query.top_k && (!obeys || !query.allowed || query.allowed(row.id))) hits.push_back(row);
    return hits;
  }

  std::vector<ScoredNode> table_;
};

SearchMember index_member(std::shared_ptr<const Index> index) {
  IndexMember member;
  member.text = "anything";
  member.index = std::move(index);
  SearchMember search;
  search.name = "table";
  search.query = member;
  return search;
}

TEST_P(StoreConformance, SearchFindsEnglishAndChinese) {
  put(sample_lines("en", "The keys are rotated daily.\nNothing else.\n"));
  put(sample_lines("zh", "密钥每天轮换一次。\n没有别的。\n"));
  const auto at = snapshot();
  SearchResponse response = run_search(*at, request_of({text_member("rotating a key")}), {});
  ASSERT_EQ(texts(response), std::vector<std::string>{"The keys are rotated daily."});
  EXPECT_EQ(response.generation, 2u);
  ASSERT_EQ(response.hits[0].ranks.size(), 1u);
  EXPECT_EQ(response.hits[0].ranks[0].member, "bm25");
  EXPECT_EQ(response.hits[0].ranks[0].rank, 1u);
  EXPECT_EQ(response.hits[0].ranks[0].score, response.hits[0].score);
  ASSERT_EQ(response.notes.size(), 1u);

  response = run_search(*at, request_of({text_member("如何轮换密钥")}), {});
  ASSERT_FALSE(response.hits.empty());
  EXPECT_EQ(response.hits[0].node.text, "密钥每天轮换一次。");
  EXPECT_TRUE(run_search(*at, request_of({text_member("")}), {}).hits.empty());
  EXPECT_TRUE(run_search(*at, request_of({text_member("the ?!")}), {}).hits.empty());
}

TEST_P(StoreConformance, OneRemovedNodeAmongManyWithATermLeavesTheOthers) {
  for (const std::size_t count : {64, 65, 127, 128, 129}) {
    std::string text;
    for (std::size_t i = 1; i < count; ++i) text += "fig " + std::to_string(i) + '\n';
    Commit commit;
    commit.sources.push_back(sample_lines("many", text));
    commit.sources.push_back(sample_lines("one", "fig"));
    engine().commit(std::move(commit));
    remove("one");
    const std::vector<std::string> terms = {"fig"};
    EXPECT_EQ(snapshot()->term_statistics("line", kBm25Key, {}, terms).frequencies.front(), count - 1);
    EXPECT_EQ(run_search(*snapshot(), request_of({text_member("fig")}), {}).hits.size(), request_of({}).top_k);
    remove("many");
  }
}

TEST_P(StoreConformance, GivenSparseVectorsAreRankedByInnerProduct) {
  SourceWrite write = sample_lines("a", "one\ntwo\nthree\n");
  SparseRows column;
  column.key = "splade";
  column.signature = "splade/1";
  const std::vector<std::vector<TermWeight>> rows = {
      {{"fruit", 0.5f}, {"pear", 2.25f}}, {{"fruit", 3}, {"apple", 1.5f}}, {{"stone", 9}}};
  for (const auto& row : rows) column.rows.append(row);
  column.lengths = {2, 2, 1};
  write.groups[1].sparse.push_back(column);
  put(std::move(write));
  SparseMember member;
  member.key = "splade";
  member.terms = {{"fruit", 2}, {"pear", 1}};
  SearchMember search;
  search.name = "splade";
  search.query = member;
  const SearchResponse response = run_search(*snapshot(), request_of({search}), {});
  ASSERT_EQ(texts(response), (std::vector<std::string>{"two", "one"}));
  EXPECT_NEAR(response.hits[0].score, 6, 1e-9);
  EXPECT_NEAR(response.hits[1].score, 3.25, 1e-9);
}

TEST_P(StoreConformance, NeighboursAndExactFormsOfTheQueryCount) {
  put(sample_lines("a", "a key of rotation, and a table\nrotation keys table\nthe key rotation of a table\n"));
  TextMember member;
  member.key = kBm25Key;
  member.text = "key rotation";
  member.analyzer = standard_analyzer();
  SearchMember search;
  search.name = "bm25";
  search.query = member;
  const SearchResponse boosted = run_search(*snapshot(), request_of({search}), {});
  ASSERT_EQ(boosted.hits.size(), 3u);
  EXPECT_EQ(boosted.hits[0].node.text, "the key rotation of a table");
  member.boosts.depth = 0;
  search.query = member;
  const SearchResponse plain = run_search(*snapshot(), request_of({search}), {});
  EXPECT_LT(plain.hits[0].score, boosted.hits[0].score);
  member.boosts.depth = 30;
  member.boosts.proximity = -1;
  search.query = member;
  EXPECT_EQ(error_of([&] { run_search(*snapshot(), request_of({search}), {}); }).errc(), Errc::invalid_argument);
}

TEST_P(StoreConformance, HostileQueriesFindWordsAndHarmNothing) {
  put(sample_lines("a", "river stone\n中文 检索\n"));
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "word" + std::to_string(i) + ' ';
  const std::vector<std::pair<std::string, std::size_t>> queries = {{"", 0},
                                                                    {many, 0},
                                                                    {many + "river", 1},
                                                                    {std::string(1 << 20, 'a'), 0},
                                                                    {"river\x01\x02 OR NEAR(stone, 5) \"", 1},
                                                                    {"river* AND ^stone {a}: -b", 1},
                                                                    {"%riv_r% .*[a-z]+\\", 0},
                                                                    {"\xED\xA0\xBDriver\xED\xB8\x80", 1},
                                                                    {"👩‍👩‍👧‍👦", 0},
                                                                    {"river中文", 2}};
  for (const auto& [query, hits] : queries)
    EXPECT_EQ(run_search(*snapshot(), request_of({text_member(query)}), {}).hits.size(), hits) << query.substr(0, 40);
}

TEST_P(StoreConformance, SeveralMembersAreFusedByReciprocalRank) {
  SourceWrite write = sample_lines("a", "river stone\nriver\nriver and other words\n");
  write.groups[1].dense.push_back(sample_vectors("e", "two", {{0, 1}, {1, 1}, {1, 0}}, 2));
  put(std::move(write));
  SearchRequest request = request_of({text_member("river"), vector_member({1, 0})});
  request.members[1].weight = 3;
  const SearchResponse response = run_search(*snapshot(), request, {});
  ASSERT_EQ(response.hits.size(), 3u);
  for (const SearchHit& hit : response.hits) {
    ASSERT_EQ(hit.ranks.size(), 2u);
    const double expected =
        1 / (60.0 + static_cast<double>(hit.ranks[0].rank)) + 3 / (60.0 + static_cast<double>(hit.ranks[1].rank));
    EXPECT_NEAR(hit.score, expected, 1e-15);
  }
  EXPECT_EQ(response.hits[0].node.text, "river and other words") << "the heavier member decides";
  EXPECT_NEAR(response.hits[0].ranks[1].score, 1, 1e-6);
}

TEST_P(StoreConformance, EqualTextsStayDifferentNodesInAFusion) {
  put(sample_lines("a", "same line\n"));
  put(sample_lines("b", "same line\n"));
  const SearchResponse response =
      run_search(*snapshot(), request_of({text_member("same"), text_member("line", "again")}), {});
  ASSERT_EQ(response.hits.size(), 2u);
  EXPECT_NE(response.hits[0].node.source, response.hits[1].node.source);
}

TEST_P(StoreConformance, CutOffsKeepEqualScoresAndComeBeforeFusion) {
  SourceWrite write = sample_lines("a", "one\ntwo\nthree\n");
  write.groups[1].dense.push_back(sample_vectors("e", "two", {{1, 0}, {2, 0}, {3, 0}}, 2));
  put(std::move(write));
  SearchRequest request = request_of({vector_member({1, 0}, Metric::inner_product)});
  request.members[0].cut_off = 2;
  EXPECT_EQ(texts(run_search(*snapshot(), request, {})), (std::vector<std::string>{"three", "two"}));

  request.members.push_back(text_member("one"));
  const SearchResponse response = run_search(*snapshot(), request, {});
  ASSERT_EQ(response.hits.size(), 3u);
  for (const SearchHit& hit : response.hits)
    EXPECT_EQ(hit.ranks.size(), 1u) << "what a cut-off drops has no rank in that member";
}

TEST_P(StoreConformance, TopKCutsAfterEverythingElse) {
  for (int i = 0; i < 20; ++i) put(sample_lines("s" + std::to_string(i), "river\n"));
  SearchRequest request = request_of({text_member("river")});
  request.depth = 2;
  request.top_k = 9;
  EXPECT_EQ(run_search(*snapshot(), request, {}).hits.size(), 9u);
  request.members.push_back(text_member("river", "again"));
  EXPECT_EQ(run_search(*snapshot(), request, {}).hits.size(), 9u) << "depth is raised to top_k";
  request.members.pop_back();
  request.top_k = 1;
  EXPECT_EQ(run_search(*snapshot(), request, {}).hits.size(), 1u);
  request.top_k = SIZE_MAX;
  EXPECT_EQ(run_search(*snapshot(), request, {}).hits.size(), 20u);
}

TEST_P(StoreConformance, ARegisteredIndexIsAskedAgainUntilEnoughHitsMayStay) {
  std::vector<ScoredNode> table;
  for (int i = 0; i < 16; ++i) put(sample_lines("s" + std::to_string(i), "line\n", {{"even", Scalar(i % 2 == 0)}}));
  for (const Node& node : nodes("line")) table.push_back({node.id, 1});
  table.insert(table.begin(), {{999'999, 5}, {table[2].id, 1}, {table[2].id, 1}});
  for (const bool obeys : {true, false}) {
    const auto index = std::make_shared<TableIndex>(table);
    index->obeys = obeys;
    SearchRequest request = request_of({index_member(index)});
    request.filter = Filter::parse("even == true");
    request.top_k = 6;
    const SearchResponse response = run_search(*snapshot(), request, {});
    ASSERT_EQ(response.hits.size(), 6u);
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_EQ(*response.hits[i].node.metadata.find("even"), Scalar(true));
      EXPECT_EQ(response.hits[i].node.id, table[2 * i + 3].id);
    }
    EXPECT_EQ(index->asked, obeys ? (std::vector<std::size_t>{6, 12}) : (std::vector<std::size_t>{6, 12, 24}));
    request.members[0].cut_off = 1.5;
    EXPECT_TRUE(run_search(*snapshot(), request, {}).hits.empty()) << "the unknown node is no hit";
  }
}

// So many candidates that the filter is asked for all of them at once.
TEST_P(StoreConformance, ARegisteredIndexIsAskedForFewHitsAmongMany) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "word" + std::to_string(i) + '\n';
  put(sample_lines("en", text, {{"language", Scalar("English")}}));
  put(sample_lines("zh", "密钥\n轮换\n", {{"language", Scalar("中文")}}));
  put(sample_lines("more", text));
  std::vector<ScoredNode> table;
  for (const Node& node : nodes("line")) table.push_back({node.id, 1});
  for (const bool obeys : {true, false}) {
    const auto index = std::make_shared<TableIndex>(table);
    index->obeys = obeys;
    SearchRequest request = request_of({index_member(index)});
    request.filter = Filter::parse("language == \"中文\"");
    EXPECT_EQ(texts(run_search(*snapshot(), request, {})), (std::vector<std::string>{"密钥", "轮换"}));
  }
}

TEST_P(StoreConformance, HitsTellWhereTheyAreInTheFile) {
  SourceWrite write = sample_lines("a", "密钥\nkey\n");
  write.record.offset_map = OffsetMap(3).serialize();
  put(std::move(write));
  const SearchResponse response = run_search(*snapshot(), request_of({text_member("key")}), {});
  ASSERT_EQ(response.hits.size(), 1u);
  EXPECT_EQ(response.hits[0].node.span, (Span{7, 10}));
  EXPECT_EQ(response.hits[0].file_span, (Span{10, 13}));
}

TEST_P(StoreConformance, BadSearchesAreRefused) {
  SourceWrite write = sample_lines("a", "one\n");
  write.groups[1].dense.push_back(sample_vectors("e", "two", {{1, 2}}, 2));
  put(std::move(write));
  const auto code_of = [&](const SearchRequest& request) {
    return error_of([&] { run_search(*snapshot(), request, {}); }).errc();
  };
  EXPECT_EQ(code_of(request_of({})), Errc::invalid_argument);
  SearchRequest request = request_of({text_member("one")});
  request.top_k = 0;
  EXPECT_EQ(code_of(request), Errc::invalid_argument);
  request = request_of({text_member("one")});
  request.group = "";
  EXPECT_EQ(code_of(request), Errc::invalid_argument);
  request = request_of({text_member("one"), text_member("two")});
  EXPECT_EQ(code_of(request), Errc::invalid_argument) << "two members of one name";
  request = request_of({text_member("one")});
  request.members[0].weight = 0;
  EXPECT_EQ(code_of(request), Errc::invalid_argument);
  request.members[0].weight = 1;
  request.members[0].cut_off = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(code_of(request), Errc::invalid_argument);
  EXPECT_EQ(code_of(request_of({vector_member({1, 2, 3})})), Errc::dimension_mismatch);
  EXPECT_EQ(code_of(request_of({vector_member({1, std::numeric_limits<float>::quiet_NaN()})})), Errc::invalid_argument);
  EXPECT_EQ(code_of(request_of({index_member(nullptr)})), Errc::invalid_argument);
  request = request_of({text_member("one")});
  request.group = "absent";
  EXPECT_TRUE(run_search(*snapshot(), request, {}).hits.empty()) << "a group that no source has gives no hits";
}

TEST_P(StoreConformance, AStoppedSearchEndsWithTheCancellationError) {
  put(sample_lines("a", "one\n"));
  std::stop_source stop;
  stop.request_stop();
  try {
    run_search(*snapshot(), request_of({text_member("one")}), stop.get_token());
    ADD_FAILURE() << "the search must be cancelled";
  } catch (...) {
    EXPECT_TRUE(is_cancelled(std::current_exception()));
  }
}

}  // namespace
}  // namespace ragstone::test
