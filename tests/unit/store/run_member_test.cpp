#include "store/run_member.hpp"

#include "support/store/samples.hpp"
#include <ragstone/index/trie_index.hpp>
#include <ragstone/store/memory_engine.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

/// A snapshot that counts how often it is asked for nodes.
class CountingSnapshot final : public StoreSnapshot {
 public:
  explicit CountingSnapshot(std::shared_ptr<const StoreSnapshot> inner) : inner_(std::move(inner)) {}

  mutable std::size_t reads = 0;

  Generation generation() const noexcept override { return inner_->generation(); }
  std::vector<GroupInfo> groups() const override { return inner_->groups(); }

 private:
  std::vector<SourceRecord> do_sources(const SourceQuery& query, const StopToken& stop) const override {
    return inner_->sources(query, stop);
  }
  std::optional<std::string> do_text(std::string_view source) const override { return inner_->text(source); }
  std::vector<Node> do_nodes(const NodeQuery& query, const StopToken& stop) const override {
    ++reads;
    return inner_->nodes(query, stop);
  }
  std::vector<std::string> do_pending(const PendingQuery& query, const StopToken& stop) const override {
    return inner_->pending(query, stop);
  }
  std::vector<std::vector<float>> do_vectors(std::string_view key, std::string_view signature,
                                             std::span<const Hash128> contents) const override {
    return inner_->vectors(key, signature, contents);
  }
  std::vector<std::optional<std::vector<TermWeight>>> do_sparse_vectors(std::string_view key,
                                                                        std::string_view signature,
                                                                        std::span<const Hash128> contents,
                                                                        const StopToken& stop) const override {
    return inner_->sparse_vectors(key, signature, contents, stop);
  }
  std::optional<GroupChange> do_changes(std::string_view group, Generation since) const override {
    return inner_->changes(group, since);
  }
  std::vector<ScoredNode> do_search_terms(std::string_view, std::string_view, std::span<const TermWeight>,
                                          const Bm25Parameters*, const Filter&, std::size_t,
                                          const StopToken&) const override {
    return {};
  }
  TermStatistics do_term_statistics(std::string_view, std::string_view, std::span<const std::string>) const override {
    return {};
  }
  VectorHits do_search_vectors(const VectorSearch&, const StopToken&) const override { return {}; }

  std::shared_ptr<const StoreSnapshot> inner_;
};

// A prefix of many words, and a filter that leaves two of them. The work is counted, not timed.
TEST(RunMember, AFilterThatLeavesFewOfManyWordsIsNotAskedAboutEach) {
  const auto engine = memory_engine();
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "词word" + std::to_string(i) + '\n';
  Commit commit;
  commit.sources.push_back(sample_lines("many", text));
  commit.sources.push_back(sample_lines("few", "词典\n词words\n", {{"chosen", Scalar(true)}}));
  engine->commit(std::move(commit));
  const CountingSnapshot snapshot(engine->snapshot());

  NodeQuery all;
  all.group = "line";
  IndexUpdate update;
  update.to = snapshot.generation();
  update.upserts = snapshot.nodes(all);
  ASSERT_EQ(update.upserts.size(), 5002u);
  const auto index = trie_index();
  index->update(update, {});

  IndexMember member;
  member.index = index;
  member.text = "词";
  member.parameters.set("mode", "prefix");
  SearchMember search;
  search.name = "words";
  search.query = member;
  SearchRequest request;
  request.group = "line";
  request.filter = Filter::parse("chosen == true");
  snapshot.reads = 0;
  const MemberHits hits = run_member(snapshot, request, search, 10, true, {}, nullptr);
  ASSERT_EQ(hits.nodes.size(), 2u);
  EXPECT_EQ(hits.nodes[0].text, "词典");
  EXPECT_EQ(hits.nodes[1].text, "词words");
  EXPECT_LE(snapshot.reads, 200u);
}

}  // namespace
}  // namespace ragstone::test
