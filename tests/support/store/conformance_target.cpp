#include "store/run_search.hpp"
#include "support/store/conformance.hpp"
#include "support/store/samples.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/text/analyzer.hpp>

#include <utility>

namespace ragstone::test {
namespace {

using Strings = std::vector<std::string>;

/// Groups root > line > word, line > note (texts of their own) and root > half, which cuts lines across.
SourceWrite forest(std::string id, const std::string& text) {
  SourceWrite write = sample_lines(std::move(id), text);
  const std::string& source = write.record.id;
  GroupRows words = sample_group(source, text, "word", write.groups[1], word_spans(text));
  words.sparse.push_back(sample_terms(words, text));
  std::vector<Span> lines;
  for (const NodeRow& row : write.groups[1].rows) lines.push_back(row.span);
  GroupRows notes = sample_group(source, text, "note", write.groups[1], lines);
  for (std::size_t i = 0; i < notes.rows.size(); ++i) {
    notes.rows[i].is_span = false;
    notes.rows[i].parent = static_cast<std::uint32_t>(i);
    notes.rows[i].text = "note on " + std::string(lines[i].of(text));
    notes.rows[i].content = hash128(notes.rows[i].text);
  }
  notes.sparse.push_back(sample_terms(notes, text));
  const std::vector<Span> halves = {{0, text.size() / 2}, {text.size() / 2, text.size()}};
  write.groups.push_back(std::move(words));
  write.groups.push_back(std::move(notes));
  write.groups.push_back(sample_group(source, text, "half", write.groups[0], halves));
  return write;
}

SearchRequest words_to(std::string query, std::string target, TargetScore score = TargetScore::max) {
  TextMember member;
  member.key = kBm25Key;
  member.text = std::move(query);
  member.analyzer = plain_analyzer();
  SearchRequest request;
  request.group = "word";
  request.members.emplace_back();
  request.members[0].name = "bm25";
  request.members[0].query = member;
  request.target = std::move(target);
  request.target_score = score;
  return request;
}

Strings texts(const SearchResponse& response) {
  Strings texts;
  for (const SearchHit& hit : response.hits) texts.push_back(hit.node.text);
  return texts;
}

constexpr char kText[] = "red red blue\ngreen blue\nblue pink rose\n";

TEST_P(StoreConformance, TargetUpGivesTheAncestorsWithTheBestScore) {
  put(forest("a", kText));
  const SearchResponse words = run_search(*snapshot(), words_to("red rose", ""), {});
  ASSERT_EQ(words.hits.size(), 3u);
  EXPECT_EQ(words.hits[0].node.text, "rose") << "the rarer word scores higher";

  const SearchResponse lines = run_search(*snapshot(), words_to("red rose", "line"), {});
  ASSERT_EQ(texts(lines), (Strings{"blue pink rose", "red red blue"}));
  EXPECT_EQ(lines.hits[0].score, words.hits[0].score);
  EXPECT_EQ(lines.hits[1].score, words.hits[1].score);
  EXPECT_EQ(lines.hits[1].ranks.at(0).rank, 2u) << "of the best hit that led there";
  EXPECT_EQ(lines.hits[0].node.group, "line");

  const SearchResponse roots = run_search(*snapshot(), words_to("red rose", kRootGroup), {});
  ASSERT_EQ(roots.hits.size(), 1u);
  EXPECT_EQ(roots.hits[0].score, words.hits[0].score);
  EXPECT_EQ(roots.hits[0].node.text, kText);
}

TEST_P(StoreConformance, TargetUpCanSumOrCountTheHits) {
  put(forest("a", kText));
  const SearchResponse words = run_search(*snapshot(), words_to("red rose", ""), {});
  const SearchResponse sums = run_search(*snapshot(), words_to("red rose", "line", TargetScore::sum), {});
  ASSERT_EQ(texts(sums), (Strings{"red red blue", "blue pink rose"}));
  EXPECT_DOUBLE_EQ(sums.hits[0].score, words.hits[1].score + words.hits[2].score);

  const SearchResponse counts = run_search(*snapshot(), words_to("red rose", "line", TargetScore::count), {});
  ASSERT_EQ(texts(counts), (Strings{"red red blue", "blue pink rose"}));
  EXPECT_EQ(counts.hits[0].score, 2);
  EXPECT_EQ(counts.hits[1].score, 1);
}

TEST_P(StoreConformance, TargetUpLooksAtAllCandidatesNotOnlyTopK) {
  put(forest("a", "dog dog dog dog\ncat\n"));
  SearchRequest request = words_to("dog cat", "line", TargetScore::count);
  request.top_k = 1;
  EXPECT_EQ(run_search(*snapshot(), request, {}).hits.at(0).score, 4);
  request.depth = 2;
  EXPECT_EQ(run_search(*snapshot(), request, {}).hits.at(0).score, 1) << "cat, then the first dog";
}

TEST_P(StoreConformance, TargetDownGivesTheDescendantsWithTheirHitsScore) {
  put(forest("a", kText));
  SearchRequest request = words_to("green pink", "word");
  request.group = "line";
  request.top_k = 10;
  const SearchResponse down = run_search(*snapshot(), request, {});
  request.target = "";
  const SearchResponse lines = run_search(*snapshot(), request, {});
  ASSERT_EQ(lines.hits.size(), 2u);
  EXPECT_EQ(texts(down), (Strings{"green", "blue", "blue", "pink", "rose"}));
  EXPECT_EQ(down.hits[1].score, lines.hits[0].score);
  EXPECT_EQ(down.hits[2].score, lines.hits[1].score);
  request.target = "word";
  request.top_k = 3;
  EXPECT_EQ(texts(run_search(*snapshot(), request, {})), (Strings{"green", "blue", "blue"}));
}

TEST_P(StoreConformance, TargetDownCanSkipGroups) {
  put(forest("a", kText));
  put(forest("b", "other words\n"));
  SourceWrite searchable = forest("a", kText);
  searchable.groups[0].sparse.push_back(sample_terms(searchable.groups[0], kText));
  put(std::move(searchable));
  SearchRequest request = words_to("pink", "word");
  request.group = kRootGroup;
  request.top_k = 100;
  EXPECT_EQ(run_search(*snapshot(), request, {}).hits.size(), 8u) << "all words of that source, none of another";
}

TEST_P(StoreConformance, TargetSidewaysGivesWhatOverlapsUnderTheCommonAncestor) {
  put(forest("a", kText));
  const std::string text = kText;
  const SearchResponse halves = run_search(*snapshot(), words_to("red", "half"), {});
  ASSERT_EQ(texts(halves), Strings{text.substr(0, text.size() / 2)});
  const SearchResponse both = run_search(*snapshot(), words_to("blue", "half", TargetScore::count), {});
  ASSERT_EQ(both.hits.size(), 2u);
  EXPECT_EQ(both.hits[0].score, 2);
  EXPECT_EQ(both.hits[0].node.span, (Span{19, 39})) << "the second and the third blue";
  EXPECT_EQ(both.hits[1].score, 1);
}

TEST_P(StoreConformance, TargetSidewaysTakesAllWhereATextIsNoSpan) {
  put(forest("a", kText));
  const SearchResponse notes = run_search(*snapshot(), words_to("green", "note"), {});
  EXPECT_EQ(texts(notes), Strings{"note on green blue"});

  SearchRequest request = words_to("pink", "word");
  request.group = "note";
  EXPECT_EQ(texts(run_search(*snapshot(), request, {})), (Strings{"blue", "pink", "rose"}));
}

TEST_P(StoreConformance, TargetWithHitsInManySourcesStaysWithinEach) {
  for (int i = 0; i < 20; ++i) put(forest("s" + std::to_string(i), "拉萨 river\nnothing here\n"));
  SearchRequest request = words_to("river", "line");
  request.top_k = 50;
  const SearchResponse response = run_search(*snapshot(), request, {});
  ASSERT_EQ(response.hits.size(), 20u);
  for (const SearchHit& hit : response.hits) EXPECT_EQ(hit.node.text, "拉萨 river");
}

TEST_P(StoreConformance, TargetThatNoSourceHasGivesNothing) {
  put(forest("a", kText));
  EXPECT_TRUE(run_search(*snapshot(), words_to("red", "absent"), {}).hits.empty());
  EXPECT_EQ(run_search(*snapshot(), words_to("red", "word"), {}).hits.size(), 2u) << "the group itself";
}

}  // namespace
}  // namespace ragstone::test
