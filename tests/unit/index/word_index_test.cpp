// What the trie and the linear index have in common.

#include "support/errors.hpp"
#include "support/rounds.hpp"
#include "unit/index/word_oracle.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/base/utf8.hpp>

#include <random>
#include <string_view>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

class WordIndex : public testing::TestWithParam<WordIndexKind> {
 protected:
  void add(std::vector<Node> nodes) {
    IndexUpdate update;
    update.from = index->generation();
    update.to = update.from + 1;
    update.upserts = std::move(nodes);
    index->update(update, {});
  }

  std::vector<NodeId> ids(const IndexQuery& query) const {
    std::vector<NodeId> found;
    for (const ScoredNode& hit : answer(*index, query)) found.push_back(hit.id);
    return found;
  }

  const std::shared_ptr<Index> index = GetParam().make({});
};

INSTANTIATE_TEST_SUITE_P(All, WordIndex, testing::ValuesIn(word_index_kinds()),
                         [](const auto& kind) { return std::string(kind.param.name); });

TEST_P(WordIndex, FindsEveryNodeOfAWord) {
  add({word_node(1, "key"), word_node(2, "密钥"), word_node(3, "key"), word_node(4, "keys")});
  EXPECT_EQ(ids(word_query("key", "exact", 9)), (std::vector<NodeId>{1, 3}));
  EXPECT_EQ(ids(word_query("密钥", "exact", 9)), (std::vector<NodeId>{2}));
  EXPECT_TRUE(ids(word_query("密", "exact", 9)).empty());
  EXPECT_TRUE(ids(word_query("Key", "exact", 9)).empty());
}

TEST_P(WordIndex, CompletesBeginnings) {
  add({word_node(1, "trie"), word_node(2, "trial"), word_node(3, "字典"), word_node(4, "字典树"), word_node(5, "字")});
  EXPECT_EQ(ids(word_query("tri", "prefix", 9)), (std::vector<NodeId>{1, 2}));
  EXPECT_EQ(ids(word_query("字典", "prefix", 9)), (std::vector<NodeId>{3, 4}));
  EXPECT_EQ(ids(word_query("", "prefix", 3)), (std::vector<NodeId>{1, 2, 3}));
}

TEST_P(WordIndex, CompletesBeginningsByHowManyNodesHaveAWord) {
  add({word_node(1, "trie"), word_node(2, "trial"), word_node(3, "trial"), word_node(4, "tri"), word_node(5, "字典"),
       word_node(6, "字典树"), word_node(7, "字典树"), word_node(8, "tree")});
  IndexQuery query = word_query("tri", "prefix", 9);
  query.parameters.set("by", "frequency");
  EXPECT_EQ(answer(*index, query), (std::vector<ScoredNode>{{2, 2}, {1, 1}, {4, 1}}));
  query.text = "字";
  query.top_k = 1;
  EXPECT_EQ(answer(*index, query), (std::vector<ScoredNode>{{6, 2}}));
  query.top_k = 9;
  query.allowed = [](NodeId id) { return id != 6; };
  EXPECT_EQ(answer(*index, query), (std::vector<ScoredNode>{{5, 1}, {7, 1}}));
}

TEST_P(WordIndex, CompletesBeginningsByDistinctWords) {
  WordIndexOptions options;
  options.weight_field = "weight";
  for (unsigned seed = 1; seed <= rounds(4) && !HasFailure(); ++seed) {
    std::mt19937 random(seed);
    const auto words = GetParam().make(options);
    WordOracle oracle;
    for (int step = 0; step < 12; ++step) {
      IndexUpdate update;
      update.from = words->generation();
      update.to = update.from + 1;
      for (NodeId id = 1; id <= 400; ++id) {
        if (random() % 4 != 0) continue;
        const auto weight = static_cast<double>(random() % 30);
        update.upserts.push_back(word_node(id, random_word(random), weight));
        oracle.put(id, update.upserts.back().text, weight);
      }
      words->update(update, {});
      if (step % 3 == 1) {
        const auto image = std::make_shared<MemoryIndexImage>(words->generation());
        words->save(*image, {});
        words->load(image);
      }
      for (int i = 0; i < 30; ++i) {
        const std::string beginning = i == 0 ? "" : random_word(random).substr(0, i % 2 == 0 ? 1 : 3);
        IndexQuery query = word_query(utf8::is_valid(beginning) ? beginning : "知", "prefix", 1 + random() % 20);
        query.parameters.set("distinct", true);
        if (random() % 3 == 0) query.allowed = [](NodeId id) { return id % 3 != 0; };
        ASSERT_EQ(answer(*words, query), oracle.query(query)) << "seed " << seed << ' ' << query.text;
      }
    }
  }
}

TEST_P(WordIndex, RanksByWeight) {
  WordIndexOptions options;
  options.weight_field = "weight";
  const auto weighted = GetParam().make(options);
  IndexUpdate update;
  update.to = 1;
  update.upserts = {word_node(1, "key", 3), word_node(2, "keyboard", 9), word_node(3, "keys", 5),
                    word_node(4, "keyed"),  word_node(5, "lock", 100),   word_node(6, "密钥", 2),
                    word_node(7, "密钥", 4)};
  weighted->update(update, {});
  EXPECT_EQ(answer(*weighted, word_query("key", "prefix", 3)), (std::vector<ScoredNode>{{2, 9}, {3, 5}, {1, 3}}));
  EXPECT_EQ(answer(*weighted, word_query("密钥", "exact", 3)), (std::vector<ScoredNode>{{7, 4}, {6, 2}}));
  std::vector<NodeId> near;
  for (const ScoredNode& hit : answer(*weighted, word_query("key", "edits", 9))) near.push_back(hit.id);
  EXPECT_EQ(near, (std::vector<NodeId>{1, 3, 4}));
}

TEST_P(WordIndex, ComparesNormalizedWordsOfAFieldIfAskedTo) {
  WordIndexOptions options;
  options.normalized = true;
  options.word_field = "name";
  const auto names = GetParam().make(options);
  IndexUpdate update;
  update.to = 1;
  update.upserts = {word_node(1, "text that does not count"), word_node(2, "STRASSE"), word_node(3, "")};
  update.upserts[0].metadata.set("name", "Straße");
  update.upserts[2].metadata.set("name", "ＡＢＣ公司");
  names->update(update, {});
  EXPECT_EQ(answer(*names, word_query("STRASSE", "exact", 9)), (std::vector<ScoredNode>{{1, 1}}));
  EXPECT_EQ(answer(*names, word_query("abc公", "prefix", 9)), (std::vector<ScoredNode>{{3, 1}}));
}

TEST_P(WordIndex, CountsEditsInCodePoints) {
  add({word_node(1, "retrieval"), word_node(2, "知识库"), word_node(3, "知识图谱")});
  EXPECT_EQ(ids(word_query("retreival", "edits", 9)), (std::vector<NodeId>{1}));
  EXPECT_EQ(ids(word_query("知识", "edits", 9)), (std::vector<NodeId>{2, 3}));
  EXPECT_EQ(ids(word_query("知识", "edits", 9, 1)), (std::vector<NodeId>{2}));
  EXPECT_TRUE(ids(word_query("知识", "edits", 9, 0)).empty());
}

TEST_P(WordIndex, TakesABatchTwice) {
  add({word_node(1, "a"), word_node(2, "b")});
  add({word_node(1, "a"), word_node(2, "b")});
  EXPECT_EQ(ids(word_query("a", "exact", 9)), (std::vector<NodeId>{1}));
  IndexUpdate removal;
  removal.removed = {1, 99};
  index->update(removal, {});
  index->update(removal, {});
  EXPECT_TRUE(ids(word_query("a", "exact", 9)).empty());
  EXPECT_EQ(ids(word_query("b", "exact", 9)), (std::vector<NodeId>{2}));
}

TEST_P(WordIndex, SaysWhatIsWrongWithAQuery) {
  add({word_node(1, "a")});
  EXPECT_EQ(error_of([&] { index->query(word_query("a", "fuzzy", 9), {}); }).errc(), Errc::invalid_argument);
  EXPECT_EQ(error_of([&] { index->query(word_query("a", "edits", 9, 3), {}); }).errc(), Errc::invalid_argument);
  EXPECT_EQ(error_of([&] { index->query(word_query("a\xED\xA0\x80", "exact", 9), {}); }).errc(),
            Errc::invalid_argument);
  for (const char* by : {"frequency", "length"}) {
    IndexQuery ranked = word_query("a", "exact", 9);
    ranked.parameters.set("by", by);
    EXPECT_EQ(error_of([&] { index->query(ranked, {}); }).errc(), Errc::invalid_argument);
  }
  IndexQuery distinct = word_query("a", "exact", 9);
  distinct.parameters.set("distinct", true);
  EXPECT_EQ(error_of([&] { index->query(distinct, {}); }).errc(), Errc::invalid_argument);
  distinct = word_query("a", "prefix", 9);
  distinct.parameters.set("distinct", 1);
  EXPECT_EQ(error_of([&] { index->query(distinct, {}); }).errc(), Errc::invalid_argument);
  IndexQuery unknown = word_query("a", "exact", 9);
  unknown.parameters.set("modus", "prefix");
  EXPECT_EQ(error_of([&] { index->query(unknown, {}); }).errc(), Errc::invalid_argument);
}

TEST_P(WordIndex, KeepsWordsOfAnyKind) {
  const std::string large(1 << 20, 'x');
  const std::string controls("a\0b\x1f\n", 5);
  add({word_node(1, large), word_node(2, controls), word_node(3, "👩‍👩‍👧"), word_node(4, "mixed混合نص"),
       word_node(5, "")});
  EXPECT_EQ(ids(word_query(large, "exact", 9)), (std::vector<NodeId>{1}));
  EXPECT_EQ(ids(word_query(large.substr(1), "edits", 9)), (std::vector<NodeId>{1}));
  EXPECT_EQ(ids(word_query(large.substr(9), "prefix", 9)), (std::vector<NodeId>{1}));
  EXPECT_EQ(ids(word_query(controls, "exact", 9)), (std::vector<NodeId>{2}));
  EXPECT_EQ(ids(word_query("👩‍👩", "edits", 9)), (std::vector<NodeId>{3}));
  EXPECT_EQ(ids(word_query("mixed混", "prefix", 9)), (std::vector<NodeId>{4}));
  EXPECT_TRUE(ids(word_query("", "exact", 9)).empty());
}

TEST_P(WordIndex, AnswersAsAWalkThroughAllWordsDoes) {
  for (unsigned seed = 1; seed <= rounds(4) && !HasFailure(); ++seed) {
    std::mt19937 random(seed);
    const auto words = GetParam().make({});
    WordOracle oracle;
    for (int step = 0; step < 12; ++step) {
      IndexUpdate update;
      update.from = words->generation();
      update.to = update.from + 1;
      for (NodeId id = 1; id <= 200; ++id) {
        const auto chance = random() % 20;
        if (chance < 3) {
          update.removed.push_back(id);
          oracle.remove(id);
        } else if (chance < 8) {
          update.upserts.push_back(word_node(id, random_word(random)));
          oracle.put(id, update.upserts.back().text);
        }
      }
      words->update(update, {});
      for (int i = 0; i < 10; ++i)
        for (const char* mode : {"exact", "prefix", "edits"}) {
          IndexQuery query = word_query(random_word(random), mode, 1 + random() % 20, static_cast<int>(random() % 3));
          if (random() % 3 == 0) query.allowed = [](NodeId id) { return id % 3 != 0; };
          if (std::string_view(mode) == "prefix" && random() % 2 == 0) query.parameters.set("by", "frequency");
          ASSERT_EQ(answer(*words, query), oracle.query(query)) << "seed " << seed << ' ' << mode << ' ' << query.text;
        }
    }
  }
}

}  // namespace
}  // namespace ragstone::test
