#include "support/errors.hpp"
#include "support/store/conformance.hpp"
#include "support/store/samples.hpp"

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ragstone::test {
namespace {

TEST_P(StoreConformance, NodesComeInPagesByAscendingId) {
  for (int i = 0; i < 40; ++i) put(sample_lines("s" + std::to_string(i * 7 % 40), "one\ntwo\nthree\n"));
  NodeQuery query;
  query.group = "line";
  query.limit = 7;
  query.with_text = false;
  std::size_t count = 0;
  for (;;) {
    const std::vector<Node> page = snapshot()->nodes(query);
    if (page.empty()) break;
    for (const Node& node : page) {
      EXPECT_GT(node.id, query.after);
      EXPECT_TRUE(node.text.empty());
      query.after = node.id;
      ++count;
    }
  }
  EXPECT_EQ(count, 120u);
}

TEST_P(StoreConformance, SourcesComeInPagesByAscendingBytes) {
  for (const char* id : {"b", "a", "ab", "文", "Z", "z"}) put(sample_source(id, id));
  SourceQuery query;
  query.limit = 2;
  std::vector<std::string> ids;
  for (;;) {
    const std::vector<SourceRecord> page = snapshot()->sources(query);
    if (page.empty()) break;
    for (const SourceRecord& record : page) ids.push_back(record.id);
    query.after = page.back().id;
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"Z", "a", "ab", "b", "z", "文"}));
}

TEST_P(StoreConformance, GroupsTellHowManySourcesHoldThemUnderWhichSignature) {
  for (const char* id : {"a", "b", "c"}) put(sample_lines(id, "one\ntwo\n"));
  reopen();
  SourceWrite other = sample_lines("c", "one\ntwo\n");
  other.groups[1].signature = "spans/2";
  other.groups[1].sparse[0].signature = "bigrams";
  other.groups[1].dense.push_back(sample_vectors("e", "model", {{1, 0}, {0, 1}}, 2));
  put(std::move(other));
  put(sample_source("d", "no lines"));
  reopen();
  const std::vector<GroupInfo> groups = snapshot()->groups();
  ASSERT_EQ(groups.size(), 2u);
  const std::string root = sample_source("x", "x").groups[0].signature;
  EXPECT_EQ(groups[0].group, "line");
  EXPECT_EQ(groups[0].parent, kRootGroup);
  EXPECT_EQ(
      groups[0].forms,
      (std::vector<StoredForm>{
          {"", "spans/1", 2}, {"", "spans/2", 1}, {"bm25", "bigrams", 1}, {"bm25", "standard", 2}, {"e", "model", 1}}));
  EXPECT_EQ(groups[1].group, kRootGroup);
  EXPECT_EQ(groups[1].forms, (std::vector<StoredForm>{{"", root, 4}}));
  for (const char* id : {"a", "b"}) remove(id);
  EXPECT_EQ(snapshot()->groups()[0].forms.front(), (StoredForm{"", "spans/2", 1}));
}

TEST_P(StoreConformance, NodesByIdKeepTheOrderThatWasAskedFor) {
  put(sample_lines("a", "one\ntwo\nthree\n"));
  const std::vector<Node> lines = nodes("line");
  NodeQuery query;
  query.ids = {lines[2].id, 999'999, lines[0].id, nodes(kRootGroup)[0].id};
  const std::vector<Node> found = snapshot()->nodes(query);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].text, "three");
  EXPECT_EQ(found[1].text, "one");
  EXPECT_EQ(found[2].group, kRootGroup);
  query.group = "line";
  EXPECT_EQ(snapshot()->nodes(query).size(), 2u);
  query.after = lines[0].id;
  EXPECT_EQ(snapshot()->nodes(query).size(), 1u);
  query.ids.reset();
  query.source = "a";
  EXPECT_EQ(snapshot()->nodes(query).size(), 2u);
}

TEST_P(StoreConformance, ASourceKeepsItsWholeRecord) {
  SourceWrite write =
      sample_lines("目录/文件.md", "正文\n", {{"title", std::string("标题")}, {"pages", std::int64_t{3}}});
  write.record.reader = "markdown/1";
  write.record.offset_map = "bytes";
  write.record.stamp = FileStamp{7, -5};
  const Hash128 content = write.record.content;
  put(std::move(write));
  reopen();
  const SourceRecord record = snapshot()->sources({}).at(0);
  EXPECT_EQ(record.id, "目录/文件.md");
  EXPECT_EQ(record.metadata.text("title"), "标题");
  EXPECT_EQ(record.reader, "markdown/1");
  EXPECT_EQ(record.offset_map, "bytes");
  EXPECT_EQ(record.stamp, (FileStamp{7, -5}));
  EXPECT_EQ(record.content, content);
  EXPECT_EQ(record.text_bytes, 7u);
  EXPECT_EQ(record.generation, 1u);
}

TEST_P(StoreConformance, VectorsAreFoundByTheContentOfTheirNodes) {
  SourceWrite write = sample_lines("a", "one\ntwo\n");
  write.groups[1].dense.push_back(sample_vectors("e", "two", {{1, 2}, {3, 4}}, 2));
  put(std::move(write));
  const std::vector<Hash128> contents = {hash128("two"), hash128("absent"), hash128("one")};
  const std::vector<std::vector<float>> found = {{3, 4}, {}, {1, 2}};
  const std::vector<std::vector<float>> nothing(3);
  EXPECT_EQ(snapshot()->vectors("e", "two", contents), found);
  EXPECT_EQ(snapshot()->vectors("e", "another", contents), nothing);
  EXPECT_EQ(snapshot()->vectors("other", "two", contents), nothing);
  remove("a");
  EXPECT_EQ(snapshot()->vectors("e", "two", contents), nothing);
}

TEST_P(StoreConformance, SparseVectorsAreFoundByTheContentOfTheirNodes) {
  using Vector = std::vector<TermWeight>;
  const std::vector<Vector> rows = {{{"fruit", 0.5F}, {"梨", 2.25F}}, {}, {{"apple", 3}, {"fruit", 1}}};
  SourceWrite write = sample_lines("a", "one\ntwo\nthree\n");
  SparseRows column;
  column.key = "splade";
  column.signature = "splade/1";
  for (const Vector& row : rows) column.rows.append(row);
  column.lengths = {2, 0, 2};
  write.groups[1].sparse.push_back(column);
  put(std::move(write));
  SourceWrite other = sample_lines("b", "four\n");
  SparseRows another;
  another.key = "splade";
  another.signature = "splade/2";
  another.rows.append(Vector{{"nut", 1}});
  another.lengths = {1};
  other.groups[1].sparse.push_back(another);
  put(std::move(other));

  const std::vector<Hash128> contents = {hash128("three"), hash128("absent"), hash128("one"),
                                         hash128("two"),   hash128("four"),   hash128("one")};
  const std::vector<std::optional<Vector>> nothing(6);
  const std::vector<std::optional<Vector>> found = {rows[2], {}, rows[0], rows[1], {}, rows[0]};
  std::vector<std::optional<Vector>> found_of_another(6);
  found_of_another[4] = Vector{{"nut", 1}};
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(snapshot()->sparse_vectors("splade", "splade/1", contents), found);
    EXPECT_EQ(snapshot()->sparse_vectors("splade", "splade/2", contents), found_of_another);
    EXPECT_EQ(snapshot()->sparse_vectors("splade", "splade/3", contents), nothing);
    EXPECT_EQ(snapshot()->sparse_vectors("other", "splade/1", contents), nothing);
    reopen();
  }
  remove("a");
  EXPECT_EQ(snapshot()->sparse_vectors("splade", "splade/1", contents), nothing);
}

TEST_P(StoreConformance, EqualScoresComeByAscendingId) {
  for (const char* id : {"c", "a", "b"}) {
    SourceWrite write = sample_lines(id, "same words\n");
    write.groups[1].dense.push_back(sample_vectors("e", "two", {{1, 1}}, 2));
    put(std::move(write));
  }
  const std::vector<TermWeight> terms = {{"same", 1}};
  const std::vector<float> query = {2, 2};
  for (const auto& hits : {snapshot()->search_terms("line", kBm25Key, terms, {}, {}, 2),
                           snapshot()->search_vectors("line", "e", query, Metric::l2, {}, 2)}) {
    ASSERT_EQ(hits.size(), 2u);
    EXPECT_EQ(hits[0].score, hits[1].score);
    EXPECT_EQ(hits[0].id, nodes("line")[0].id);
    EXPECT_EQ(hits[1].id, nodes("line")[1].id);
  }
}

// IX-4
TEST_P(StoreConformance, VectorsOfTwoEmbeddersAreNotRankedTogether) {
  std::size_t number = 0;
  for (const char* signature : {"one", "two", "two", "three"}) {
    SourceWrite write = sample_lines(std::to_string(++number), "甲 line\n");
    const bool is_longer = std::string(signature) == "three";
    std::vector<std::vector<float>> rows{is_longer ? std::vector<float>{1, 1, 1} : std::vector<float>{1, 1}};
    write.groups[1].dense.push_back(sample_vectors("e", signature, rows, is_longer ? 3 : 2));
    put(std::move(write));
  }
  VectorSearch search;
  search.group = "line";
  search.key = "e";
  search.queries = {1, 0};
  search.dimension = 2;
  search.signature = "one";
  const VectorHits one = snapshot()->search_vectors(search);
  ASSERT_EQ(one.hits.at(0).size(), 1u);
  EXPECT_EQ(one.hits[0][0].id, nodes("line")[0].id);
  EXPECT_NE(one.plan.find("without 3 sources whose vectors are of another embedder"), std::string::npos) << one.plan;
  search.signature = "two";
  EXPECT_EQ(snapshot()->search_vectors(search).hits.at(0).size(), 2u);
  search.signature = "four";
  EXPECT_EQ(error_of([&] { snapshot()->search_vectors(search); }).errc(), Errc::embedder_mismatch);
  search.signature.clear();
  EXPECT_EQ(error_of([&] { snapshot()->search_vectors(search); }).errc(), Errc::dimension_mismatch);
  search.metric = Metric(77);
  EXPECT_EQ(error_of([&] { snapshot()->search_vectors(search); }).errc(), Errc::invalid_argument);
  search.metric = Metric::cosine;
  search.group = "absent";
  search.signature = "one";
  EXPECT_TRUE(snapshot()->search_vectors(search).hits.at(0).empty());
}

TEST_P(StoreConformance, TermsOfTwoAnalyzersAreNotRankedTogetherNorCounted) {
  const auto put_under = [&](const std::string& id, const std::string& text, const std::string& signature) {
    SourceWrite write = sample_lines(id, text, {{"year", Scalar(std::int64_t{2001})}});
    GroupRows& lines = write.groups[1];
    lines.sparse = {sample_terms(lines, write.text, signature), sample_terms(lines, write.text, signature)};
    lines.sparse[1].key = "splade";
    put(std::move(write));
  };
  put_under("a", "fig tree\nfig fig 无花果\n", "one");
  put_under("b", "apple tree\nfig\n", "one");
  TermSearch search;
  search.group = "line";
  search.signature = "one";
  search.terms = {{"fig", 1}, {"tree", 1}};
  const std::vector<std::string> terms = {"fig", "tree"};
  std::vector<TermSearch> searches;
  for (const char* key : {kBm25Key, "splade"})
    for (const Filter& filter : {Filter(), Filter::parse("year > 2000")}) {
      search.key = key;
      search.filter = filter;
      search.parameters = search.key == kBm25Key ? std::optional(Bm25Parameters()) : std::nullopt;
      searches.push_back(search);
    }
  std::vector<std::vector<ScoredNode>> before;
  for (const TermSearch& one : searches) {
    const TermHits found = snapshot()->search_terms(one);
    EXPECT_EQ(found.hits.size(), 4u);
    EXPECT_EQ(found.plan, "");
    before.push_back(found.hits);
  }
  const TermStatistics counted = snapshot()->term_statistics("line", kBm25Key, "one", terms);

  put_under("c", "fig fig fig of a longer line than the others are\ntree\n", "two");
  put_under("d", "fig\n", "two");
  put_under("e", "tree\n", "three");
  remove("e");
  for (std::size_t i = 0; i < searches.size(); ++i) {
    TermSearch one = searches[i];
    const TermHits found = snapshot()->search_terms(one);
    ASSERT_EQ(found.hits.size(), before[i].size()) << one.key;
    for (std::size_t hit = 0; hit < found.hits.size(); ++hit) {
      EXPECT_EQ(found.hits[hit].id, before[i][hit].id) << one.key;
      EXPECT_NEAR(found.hits[hit].score, before[i][hit].score, 1e-9) << one.key;
    }
    EXPECT_EQ(found.plan, "without 2 sources whose terms are of another analyzer or embedder");
    one.signature = "two";
    EXPECT_EQ(snapshot()->search_terms(one).hits.size(), 3u);
    one.signature = "three";
    EXPECT_EQ(error_of([&] { snapshot()->search_terms(one); }).errc(), Errc::embedder_mismatch);
    one.signature.clear();
    EXPECT_EQ(snapshot()->search_terms(one).hits.size(), 7u);
    one.group = "absent";
    one.signature = "one";
    EXPECT_TRUE(snapshot()->search_terms(one).hits.empty());
  }
  const TermStatistics again = snapshot()->term_statistics("line", kBm25Key, "one", terms);
  EXPECT_EQ(again.nodes, counted.nodes);
  EXPECT_EQ(again.tokens, counted.tokens);
  EXPECT_EQ(again.frequencies, counted.frequencies);
  EXPECT_EQ(counted.frequencies, (std::vector<std::uint64_t>{3, 2}));
  EXPECT_EQ(snapshot()->term_statistics("line", kBm25Key, {}, terms).nodes, 7u);
  EXPECT_EQ(snapshot()->term_statistics("line", kBm25Key, "three", terms).nodes, 0u);
}

TEST_P(StoreConformance, AZeroVectorHasCosineZeroAndAnOrder) {
  SourceWrite write = sample_lines("a", "opposite\nzero\nalong\n");
  write.groups[1].dense.push_back(sample_vectors("e", "two", {{-1, 0}, {0, 0}, {5, 0}}, 2));
  put(std::move(write));
  const std::vector<float> query = {2, 0};
  const auto hits = snapshot()->search_vectors("line", "e", query, Metric::cosine, {}, 3);
  const std::vector<Node> lines = nodes("line");
  EXPECT_EQ(hits, (std::vector<ScoredNode>{{lines[2].id, 1}, {lines[1].id, 0}, {lines[0].id, -1}}));
  const std::vector<float> zero = {0, 0};
  for (const ScoredNode& hit : snapshot()->search_vectors("line", "e", zero, Metric::cosine, {}, 3))
    EXPECT_EQ(hit.score, 0);
}

TEST_P(StoreConformance, HugeAndTinyVectorsKeepFiniteScoresAndTheirOrder) {
  constexpr float kHuge = std::numeric_limits<float>::max();
  constexpr float kTiny = 1e-30F;
  SourceWrite write = sample_lines("a", "huge\ntiny\nmixed\n");
  write.groups[1].dense.push_back(sample_vectors("e", "two", {{kHuge, kHuge}, {kTiny, 2 * kTiny}, {kHuge, -kHuge}}, 2));
  put(std::move(write));
  const std::vector<Node> lines = nodes("line");
  for (const std::vector<float>& query : {std::vector<float>{kHuge, kHuge}, std::vector<float>{kTiny, kTiny}})
    for (const Metric metric : {Metric::cosine, Metric::inner_product, Metric::l2})
      for (const ScoredNode& hit : snapshot()->search_vectors("line", "e", query, metric, {}, 3))
        EXPECT_TRUE(std::isfinite(hit.score)) << name_of(metric);
  const std::vector<float> query = {kTiny, 2 * kTiny};
  const auto hits = snapshot()->search_vectors("line", "e", query, Metric::cosine, {}, 1);
  EXPECT_EQ(hits.at(0).id, lines[1].id);
  EXPECT_NEAR(hits[0].score, 1, 1e-6);
}

TEST_P(StoreConformance, FiltersAreAppliedInsideTheSearch) {
  for (int i = 0; i < 30; ++i) {
    const std::string year = std::to_string(2000 + i);
    put(sample_lines("s" + year, "river " + year + "\n", {{"year", std::int64_t{2000 + i}}}));
  }
  const std::vector<TermWeight> terms = {{"2029", 1}, {"river", 1}};
  const auto hits = snapshot()->search_terms("line", kBm25Key, terms, {}, Filter::parse("year < 2002"), 5);
  EXPECT_EQ(hits.size(), 2u) << "nodes that pass are found however badly they rank";
  const auto unfiltered = snapshot()->search_terms("line", kBm25Key, terms, {}, {}, 30);
  EXPECT_EQ(hits[0].score, unfiltered.back().score) << "a filter changes no statistics";
}

TEST_P(StoreConformance, ChangesFoldIntoOne) {
  put(sample_lines("a", "one\n"));
  put(sample_lines("b", "two\n"));
  const NodeId one = nodes("line")[0].id;
  const NodeId two = nodes("line")[1].id;
  remove("a");
  const auto all = snapshot()->changes("line", 0);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->upserts, std::vector<NodeId>{two});
  EXPECT_EQ(all->removed, std::vector<NodeId>{one});
  EXPECT_EQ(snapshot()->changes("line", 1)->removed, std::vector<NodeId>{one});
  EXPECT_TRUE(snapshot()->changes("line", 3)->removed.empty());
  EXPECT_FALSE(snapshot()->changes("line", 4)) << "a generation that this store has not reached";
}

}  // namespace
}  // namespace ragstone::test
