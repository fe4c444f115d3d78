#include "store/run_member.hpp"

#include "support/rounds.hpp"
#include "support/store/samples.hpp"
#include <ragstone/index/trie_index.hpp>
#include <ragstone/store/memory_engine.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

/// A snapshot that counts how often it is asked for nodes, and for how many by their ids.
class CountingSnapshot final : public StoreSnapshot {
 public:
  explicit CountingSnapshot(std::shared_ptr<const StoreSnapshot> inner) : inner_(std::move(inner)) {}

  mutable std::size_t reads = 0;
  mutable std::size_t asked = 0;

  Generation generation() const noexcept override { return inner_->generation(); }
  std::vector<GroupInfo> groups() const override { return inner_->groups(); }

 private:
  std::vector<SourceRecord> do_sources(const SourceQuery& query, const StopToken& stop) const override {
    return inner_->sources(query, stop);
  }
  std::optional<std::string> do_text(std::string_view source) const override { return inner_->text(source); }
  std::vector<Node> do_nodes(const NodeQuery& query, const StopToken& stop) const override {
    ++reads;
    if (query.ids) asked += query.ids->size();
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
  TermHits do_search_terms(const TermSearch& search, const StopToken& stop) const override {
    return inner_->search_terms(search, stop);
  }
  TermStatistics do_term_statistics(std::string_view group, std::string_view key, std::string_view signature,
                                    std::span<const std::string> terms) const override {
    return inner_->term_statistics(group, key, signature, terms);
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

SearchMember question(std::string text) {
  TextMember member;
  member.key = kBm25Key;
  member.text = std::move(text);
  member.analyzer = standard_analyzer();
  SearchMember search;
  search.name = kBm25Key;
  search.query = std::move(member);
  return search;
}

TEST(RunMember, TextsAreNotReadWhoseBoostCannotBringThemForward) {
  const auto engine = memory_engine();
  std::string text;
  for (int i = 0; i < 5; ++i) text += "白猫白猫\n";
  for (int i = 0; i < 200; ++i) text += "猫和别的许多动物在这里走来走去，今天也是一样\n";
  Commit commit;
  commit.sources.push_back(sample_lines("cats", text));
  engine->commit(std::move(commit));
  const CountingSnapshot snapshot(engine->snapshot());
  SearchRequest request;
  request.group = "line";
  EXPECT_EQ(run_member(snapshot, request, question("白猫"), 3, true, {}, nullptr).hits.size(), 3u);
  EXPECT_LE(snapshot.asked, 20u);
  snapshot.asked = 0;
  EXPECT_EQ(run_member(snapshot, request, question("白猫"), 20, true, {}, nullptr).hits.size(), 20u);
  EXPECT_EQ(snapshot.asked, 100u) << "equal ones could come forward";
}

TEST(RunMember, WhatIsNotReadChangesNothing) {
  const std::string pieces[] = {"猫", "狗", "白", "鱼", "马", "car", " red ", "，", "cars"};
  const unsigned first_seed = std::random_device{}();
  for (unsigned seed = first_seed; seed < first_seed + rounds(30); ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto some = [&](std::size_t count) {
      std::string text;
      while (count-- > 0) text += pieces[std::min(random() % std::size(pieces), random() % std::size(pieces))];
      return text;
    };
    const auto engine = memory_engine();
    std::string lines;
    for (int i = 0; i < 150; ++i) lines += some(1 + random() % 30) + '\n';
    Commit commit;
    commit.sources.push_back(sample_lines("random", lines));
    engine->commit(std::move(commit));
    const CountingSnapshot snapshot(engine->snapshot());
    SearchRequest request;
    request.group = "line";
    SearchMember search = question(some(1 + random() % 5));
    std::get<TextMember>(search.query).boosts.neighbours = 0;
    const std::vector<ScoredNode> all = run_member(snapshot, request, search, 100, true, {}, nullptr).hits;
    for (const std::size_t k : {std::size_t{1}, std::size_t{6}, std::size_t{30}}) {
      const std::vector<ScoredNode> best = run_member(snapshot, request, search, k, true, {}, nullptr).hits;
      ASSERT_EQ(best, std::vector<ScoredNode>(all.begin(),
                                              all.begin() + static_cast<std::ptrdiff_t>(std::min(k, all.size()))));
    }
  }
}

}  // namespace
}  // namespace ragstone::test
