#include "rag_fixture.hpp"
#include "support/rounds.hpp"

#include <map>
#include <random>

namespace ragstone::test {
namespace {

/// A user's index: exact text to nodes. Loses or fails updates when told to.
class ExactIndex final : public Index {
 public:
  int updates = 0;
  bool fail_next = false;
  std::size_t size() const { return by_id_.size(); }

 private:
  void do_update(const IndexUpdate& update, const StopToken&) override {
    if (std::exchange(fail_next, false)) throw std::runtime_error("disk of the index is full");
    ++updates;
    for (const NodeId id : update.removed) by_id_.erase(id);
    for (const Node& node : update.upserts) by_id_[node.id] = node.text;
  }
  void do_clear() override { by_id_.clear(); }
  std::vector<ScoredNode> do_query(const IndexQuery& query, const StopToken&) const override {
    std::vector<ScoredNode> hits;
    for (const auto& [id, text] : by_id_)
      if (text == query.text) hits.push_back(ScoredNode{id, 1});
    return hits;
  }

  std::map<NodeId, std::string> by_id_;
};

class RegisteredIndexTest : public RagTest {
 protected:
  void SetUp() override {
    document = open();
    document.add_group(NodeGroup("Word", line_chunker()));
    document.register_index("exact", "Word", index);
  }
  void TearDown() override { document = Document(); }

  std::vector<Hit> look_up(const std::string& word, std::size_t top_k = 10) {
    RetrieverOptions options;
    options.group = "Word";
    options.index = "exact";
    options.top_k = top_k;
    return retrieve(document, word, options);
  }

  Document document;
  std::shared_ptr<ExactIndex> index = std::make_shared<ExactIndex>();
};

TEST_F(RegisteredIndexTest, FindsWordsAddedBeforeAndAfterItsFirstUse) {
  runtime.run(document.add(Source("a", "apple\n苹果")));
  EXPECT_EQ(look_up("苹果").size(), 1u);
  runtime.run(document.add(Source("b", "pear\napple")));
  EXPECT_EQ(look_up("apple").size(), 2u);
  EXPECT_EQ(look_up("apple")[0].ranks[0].member, "exact");
}

TEST_F(RegisteredIndexTest, LearnsWhichNodesWent) {
  runtime.run(document.add(Source("a", "apple\npear")));
  look_up("apple");
  runtime.run(document.add(Source("a", "pear\nplum")));
  EXPECT_TRUE(look_up("apple").empty());
  EXPECT_EQ(look_up("plum").size(), 1u);
  EXPECT_EQ(index->size(), 2u);
  runtime.run(document.remove("a"));
  EXPECT_EQ(index->size(), 0u);
}

TEST_F(RegisteredIndexTest, TheFrameworkEnforcesTopKFilterAndCutOff) {
  for (int i = 0; i < 20; ++i) {
    Metadata metadata;
    metadata.set("number", i);
    runtime.run(document.add(Source(std::to_string(i), "same", metadata)));
  }
  EXPECT_EQ(look_up("same", 3).size(), 3u);
  RetrieverOptions options;
  options.group = "Word";
  options.index = "exact";
  options.filter = Filter::parse("number >= 15");
  EXPECT_EQ(retrieve(document, "same", options).size(), 5u);
  options.similarity_cut_off = 2;
  EXPECT_TRUE(retrieve(document, "same", options).empty());
}

TEST_F(RegisteredIndexTest, AFailedUpdateMakesItStaleUntilItIsRebuilt) {
  runtime.run(document.add(Source("a", "apple")));
  look_up("apple");
  index->fail_next = true;
  runtime.run(document.add(Source("b", "pear")));
  EXPECT_EQ(code_of([&] { look_up("apple"); }), Errc::stale_index);
  ASSERT_EQ(document.indexes().size(), 1u);
  EXPECT_TRUE(document.indexes()[0].stale);
  EXPECT_NE(document.indexes()[0].reason.find("disk of the index"), std::string::npos);
  EXPECT_EQ(runtime.run(document.sources()).size(), 2u) << "the source itself is stored";

  runtime.run(document.rebuild_index("exact"));
  EXPECT_FALSE(document.indexes()[0].stale);
  EXPECT_EQ(look_up("pear").size(), 1u);
  EXPECT_EQ(look_up("apple").size(), 1u);
}

TEST_F(RegisteredIndexTest, StaysInStepThroughRandomChangesAndFailures) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::map<std::string, std::vector<std::string>> model;
  for (std::size_t round = 0; round < rounds(150); ++round) {
    const std::string id = "s" + std::to_string(random() % 8);
    if (random() % 4 == 0) {
      runtime.run(document.remove(id));
      model.erase(id);
    } else {
      std::string text;
      std::vector<std::string> words;
      for (auto i = random() % 5; i > 0; --i) {
        words.push_back("w" + std::to_string(random() % 10));
        text += words.back() + "\n";
      }
      index->fail_next = random() % 10 == 0;
      runtime.run(document.add(Source(id, text)));
      model[id] = words;
    }
    if (document.indexes()[0].stale) runtime.run(document.rebuild_index("exact"));
    index->fail_next = false;
    const std::string word = "w" + std::to_string(random() % 10);
    std::size_t expected = 0;
    for (const auto& [source, words] : model)
      expected += static_cast<std::size_t>(std::count(words.begin(), words.end(), word));
    ASSERT_EQ(look_up(word, 100).size(), expected) << "round " << round;
  }
}

TEST_F(RegisteredIndexTest, WrongRegistrationsAreRefused) {
  EXPECT_EQ(code_of([&] { document.register_index("exact", "Word", index); }), Errc::already_exists);
  EXPECT_EQ(code_of([&] { document.register_index("other", "Nowhere", index); }), Errc::not_found);
  EXPECT_EQ(code_of([&] { document.register_index("other", "Word", nullptr); }), Errc::invalid_argument);
  EXPECT_EQ(code_of([&] { runtime.run(document.rebuild_index("other")); }), Errc::not_found);
}

}  // namespace
}  // namespace ragstone::test
