#include "support/errors.hpp"
#include "support/store/conformance.hpp"
#include "support/store/samples.hpp"
#include <ragstone/base/error.hpp>

#include <functional>
#include <limits>
#include <utility>

namespace ragstone::test {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct BadCommit {
  const char* what;
  std::function<void(Commit&)> spoil;  ///< Gets a commit of one good source with groups root and line.
};

GroupRows& line_of(Commit& commit) { return commit.sources[0].groups[1]; }

DenseRows two_vectors(float last) { return sample_vectors("e", "two", {{1, 2}, {3, last}}, 2); }

SparseRows two_sparse(float last) {
  SparseRows column;
  column.key = kBm25Key;
  column.signature = "two";
  for (const float weight : {1.0F, last}) {
    column.rows.add("a", weight);
    column.rows.end_vector();
    column.lengths.push_back(1);
  }
  return column;
}

const std::vector<BadCommit>& bad_commits() {
  static const std::vector<BadCommit> all = {
      {"no id", [](Commit& c) { c.sources[0].record.id = ""; }},
      {"id with NUL", [](Commit& c) { c.sources[0].record.id = std::string("a\0b", 3); }},
      {"id not UTF-8", [](Commit& c) { c.sources[0].record.id = "\xFF"; }},
      {"id too long", [](Commit& c) { c.sources[0].record.id = std::string(4097, 'a'); }},
      {"a source twice", [](Commit& c) { c.sources.push_back(c.sources[0]); }},
      {"a source written and removed", [](Commit& c) { c.removals.push_back("a"); }},
      {"text not UTF-8", [](Commit& c) { c.sources[0].text[0] = '\xE7'; }},
      {"span beyond the text", [](Commit& c) { line_of(c).rows[0].span.end = 1000; }},
      {"span backwards",
       [](Commit& c) {
         line_of(c).rows[0].span = {3, 1};
       }},
      {"span cuts a character", [](Commit& c) { line_of(c).rows[1].span.begin += 1; }},
      {"a node twice", [](Commit& c) { line_of(c).rows[1].uid = line_of(c).rows[0].uid; }},
      {"a span with text", [](Commit& c) { line_of(c).rows[0].text = "mine"; }},
      {"own text not UTF-8",
       [](Commit& c) {
         line_of(c).rows[0].is_span = false;
         line_of(c).rows[0].text = "\xC3";
       }},
      {"parent number too high", [](Commit& c) { line_of(c).rows[0].parent = 1; }},
      {"unknown parent group", [](Commit& c) { line_of(c).parent = "absent"; }},
      {"two roots", [](Commit& c) { line_of(c).parent = ""; }},
      {"child before its parent", [](Commit& c) { std::swap(c.sources[0].groups[0], c.sources[0].groups[1]); }},
      {"a group twice", [](Commit& c) { c.sources[0].groups.push_back(line_of(c)); }},
      {"group without name", [](Commit& c) { line_of(c).group = ""; }},
      {"group with a newline", [](Commit& c) { line_of(c).group = "a\nb"; }},
      {"column without key", [](Commit& c) { line_of(c).sparse[0].key = ""; }},
      {"a key twice",
       [](Commit& c) {
         line_of(c).dense = {sample_vectors(kBm25Key, "two", {{1, 2}, {3, 4}}, 2)};
       }},
      {"NaN in a vector", [](Commit& c) { line_of(c).dense = {two_vectors(kNan)}; }},
      {"infinity in a vector", [](Commit& c) { line_of(c).dense = {two_vectors(-kInfinity)}; }},
      {"too few vectors",
       [](Commit& c) {
         line_of(c).dense = {sample_vectors("e", "two", {{1, 2}}, 2)};
       }},
      {"dimension 0", [](Commit& c) { line_of(c).dense = {sample_vectors("e", "two", {}, 0)}; }},
      {"too many sparse rows", [](Commit& c) { line_of(c).sparse[0].rows.end_vector(); }},
      {"too few lengths", [](Commit& c) { line_of(c).sparse[0].lengths.pop_back(); }},
      {"weight NaN", [](Commit& c) { line_of(c).sparse[0] = two_sparse(kNan); }},
      {"weight 0", [](Commit& c) { line_of(c).sparse[0] = two_sparse(0); }},
  };
  return all;
}

TEST_P(StoreConformance, BadCommitsAreRefusedWholeWithAClearError) {
  put(sample_lines("before", "kept\n"));
  for (const BadCommit& bad : bad_commits()) {
    SCOPED_TRACE(bad.what);
    Commit commit;
    commit.sources.push_back(sample_lines("a", "river\n石头\n"));
    commit.removals.push_back("before");
    bad.spoil(commit);
    const Error error = error_of([&] { engine().commit(commit); });
    EXPECT_EQ(error.errc(), Errc::invalid_argument);
    EXPECT_GT(std::string(error.what()).size(), 20u);
    EXPECT_EQ(std::string(error.what()).find("river"), std::string::npos) << "no text in messages";
    EXPECT_EQ(snapshot()->generation(), 1u);
    EXPECT_EQ(nodes("line").size(), 1u);
  }
  Commit good;
  good.sources.push_back(sample_lines("a", "river\n石头\n"));
  EXPECT_EQ(engine().commit(good).generation, 2u);
}

TEST_P(StoreConformance, BadGroupWritesAreRefused) {
  const SourceWrite write = sample_lines("a", "one\ntwo\n");
  put(write);
  const auto refuse = [&](const char* what, const std::function<void(GroupWrite&)>& spoil) {
    SCOPED_TRACE(what);
    GroupWrite bad;
    bad.source = "a";
    bad.content = write.record.content;
    bad.groups.push_back(sample_group("a", write.text, "word", write.groups[1], word_spans(write.text)));
    spoil(bad);
    EXPECT_EQ(error_of([&] { put(bad); }).errc(), Errc::invalid_argument);
    EXPECT_EQ(snapshot()->generation(), 1u);
  };
  refuse("parent number too high", [](GroupWrite& w) { w.groups[0].rows[0].parent = 2; });
  refuse("span beyond the text", [](GroupWrite& w) { w.groups[0].rows[0].span.end = 99; });
  refuse("a second root", [](GroupWrite& w) { w.groups[0].parent = ""; });
  refuse("its own parent", [](GroupWrite& w) { w.groups[0].parent = w.groups[0].group; });
  refuse("a circle of groups", [&](GroupWrite& w) {
    w.groups.insert(w.groups.begin(), write.groups[1]);
    w.groups[0].parent = "word";
  });
  refuse("columns with nodes", [&](GroupWrite& w) { w.columns.push_back(write.groups[1]); });
  refuse("no columns", [&](GroupWrite& w) {
    w.columns.emplace_back().group = "line";
    w.columns[0].signature = write.groups[1].signature;
  });
  refuse("columns of another length", [&](GroupWrite& w) {
    w.columns.emplace_back().group = "line";
    w.columns[0].signature = write.groups[1].signature;
    w.columns[0].dense.push_back(sample_vectors("e", "two", {{1, 2}}, 2));
  });
}

TEST_P(StoreConformance, AnEmbedderKeepsItsDimension) {
  SourceWrite first = sample_lines("a", "one\n");
  first.groups[1].dense.push_back(sample_vectors("e", "model/1", {{1, 2}}, 2));
  put(std::move(first));
  reopen();
  SourceWrite second = sample_lines("b", "two\n");
  second.groups[0].dense.push_back(sample_vectors("e", "model/1", {{1, 2, 3}}, 3));
  EXPECT_EQ(error_of([&] { put(second); }).errc(), Errc::dimension_mismatch);

  second.groups[0].dense[0].signature = "model/2";
  put(second);
  const std::vector<float> query = {1, 2, 3};
  EXPECT_EQ(error_of([&] { snapshot()->search_vectors("line", "e", query, Metric::l2, {}, 3); }).errc(),
            Errc::dimension_mismatch);
  EXPECT_EQ(snapshot()->search_vectors(kRootGroup, "e", query, Metric::l2, {}, 3).size(), 1u);
}

TEST_P(StoreConformance, BadQueriesAreRefused) {
  SourceWrite write = sample_lines("a", "one\n");
  write.groups[1].dense.push_back(sample_vectors("e", "two", {{1, 2}}, 2));
  put(std::move(write));
  const auto at = snapshot();
  const std::vector<TermWeight> terms = {{"one", 1}};
  const auto by_terms = [&](const std::vector<TermWeight>& query, Bm25Parameters parameters, std::size_t k) {
    return error_of([&] { at->search_terms("line", kBm25Key, query, parameters, {}, k); }).errc();
  };
  EXPECT_EQ(by_terms(terms, {}, 0), Errc::invalid_argument);
  EXPECT_EQ(by_terms(terms, {-1, 0.5}, 3), Errc::invalid_argument);
  EXPECT_EQ(by_terms(terms, {1, 1.5}, 3), Errc::invalid_argument);
  EXPECT_EQ(by_terms({{"b", 1}, {"a", 1}}, {}, 3), Errc::invalid_argument);
  EXPECT_EQ(by_terms({{"a", kNan}}, {}, 3), Errc::invalid_argument);

  const auto by_vector = [&](const std::vector<float>& query, std::size_t k) {
    return error_of([&] { at->search_vectors("line", "e", query, Metric::cosine, {}, k); }).errc();
  };
  EXPECT_EQ(by_vector({1, 2}, 0), Errc::invalid_argument);
  EXPECT_EQ(by_vector({1, kNan}, 3), Errc::invalid_argument);
  EXPECT_EQ(by_vector({kInfinity, 0}, 3), Errc::invalid_argument);
  EXPECT_EQ(by_vector({}, 3), Errc::invalid_argument);
  EXPECT_EQ(by_vector({1, 2, 3}, 3), Errc::dimension_mismatch);

  EXPECT_EQ(error_of([&] { at->nodes({}); }).errc(), Errc::invalid_argument);
  EXPECT_EQ(error_of([&] { at->pending({}); }).errc(), Errc::invalid_argument);
}

}  // namespace
}  // namespace ragstone::test
