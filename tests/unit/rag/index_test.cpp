#include "rag_fixture.hpp"
#include "support/rounds.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/memory_engine.hpp>

#include <atomic>
#include <filesystem>
#include <map>
#include <random>
#include <utility>

namespace ragstone::test {
namespace {

/// A user's index: exact text to nodes. Loses or fails updates when told to.
class ExactIndex final : public Index {
 public:
  int updates = 0;
  bool fail_next = false;
  bool has_form = true;  ///< False: it throws when it is asked for its form.
  std::size_t size() const { return by_id_.size(); }

  ExactIndex() = default;
  /// As it was kept by the program at a generation.
  ExactIndex(const ExactIndex& kept, Generation generation) : Index(generation), by_id_(kept.by_id_) {}

 private:
  void do_update(const IndexUpdate& update, const StopToken&) override {
    if (std::exchange(fail_next, false)) throw std::runtime_error("disk of the index is full");
    ++updates;
    for (const NodeId id : update.removed) by_id_.erase(id);
    for (const Node& node : update.upserts) by_id_[node.id] = node.text;
  }
  void do_clear() override { by_id_.clear(); }
  std::string do_form() const override {
    if (!has_form) throw std::runtime_error("its model file is gone");
    return {};
  }
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

/// After each commit it cannot be read once, and has no folder of indexes, when told so.
class UnreadableEngine final : public StoreEngine {
 public:
  const StoreCapabilities& capabilities() const noexcept override { return inner_->capabilities(); }
  Generation opened_at() const noexcept override { return inner_->opened_at(); }
  std::shared_ptr<const StoreSnapshot> snapshot() const override {
    if (fails_now_.exchange(false)) throw Error(Errc::io_error, "the disk cannot be read");
    return inner_->snapshot();
  }
  std::shared_ptr<IndexFiles> index_files() const override {
    if (hides_index_files) throw Error(Errc::io_error, "the folder of indexes cannot be read");
    return nullptr;
  }
  void close() override { is_closed = true; }

  bool fails_after_commits = false;
  bool hides_index_files = false;
  std::atomic<bool> is_closed = false;

 private:
  CommitResult do_commit(Commit commit, const StopToken& stop) override {
    CommitResult result = inner_->commit(std::move(commit), stop);
    fails_now_ = fails_after_commits;
    return result;
  }

  const std::shared_ptr<StoreEngine> inner_ = memory_engine();
  mutable std::atomic<bool> fails_now_ = false;
};

class UnreadableStore final : public StoreFactory {
 public:
  const std::shared_ptr<UnreadableEngine> engine = std::make_shared<UnreadableEngine>();

 private:
  Task<std::shared_ptr<Store>> do_open(Pool pool, CallContext) override {
    co_return embedded_store(engine, std::move(pool));
  }
};

TEST_F(RegisteredIndexTest, ACommitIsNotCalledFailedForWhatItsIndexCannotRead) {
  const auto store = std::make_shared<UnreadableStore>();
  DocumentOptions options;
  options.store = store;
  document = open(options);
  document.add_group(NodeGroup("Line", line_chunker()));
  document.register_index("words", "Line", trie_index());
  RetrieverOptions by_words;
  by_words.group = "Line";
  by_words.index = "words";
  runtime.run(document.add(Source("a", "river\n")));
  EXPECT_EQ(retrieve(document, "river", by_words).size(), 1U);
  store->engine->fails_after_commits = true;
  runtime.run(document.add(Source("b", "桥\n")));
  EXPECT_EQ(runtime.run(document.text("b")), "桥\n");
  EXPECT_TRUE(document.indexes().at(0).stale);
  EXPECT_NE(document.indexes().at(0).reason.find("cannot be read"), std::string::npos);
  store->engine->fails_after_commits = false;
  runtime.run(document.rebuild_index("words"));
  EXPECT_EQ(retrieve(document, "桥", by_words).size(), 1U);
}

TEST_F(RegisteredIndexTest, WhatFailsBeforeTheStoreIsClosedIsToldWhenItIs) {
  const auto store = std::make_shared<UnreadableStore>();
  DocumentOptions options;
  options.store = store;
  document = open(options);
  runtime.run(document.add(Source("a", "river 河\n")));
  store->engine->hides_index_files = true;
  EXPECT_EQ(code_of([&] { runtime.run(document.close()); }), Errc::io_error);
  EXPECT_TRUE(store->engine->is_closed);
}

class KeptIndexTest : public RagTest {
 protected:
  Document open_with(std::shared_ptr<Index> index, StoreAccess access = StoreAccess::read_write) {
    SqliteOptions sqlite;
    sqlite.access = access;
    DocumentOptions options;
    options.store = sqlite_store(folder.path() / "kb", sqlite);
    Document document = open(std::move(options));
    document.add_group(NodeGroup("Word", line_chunker()));
    document.register_index("exact", "Word", std::move(index));
    return document;
  }

  std::size_t look_up(const Document& document, const std::string& word) {
    RetrieverOptions options;
    options.group = "Word";
    options.index = "exact";
    return retrieve(document, word, options).size();
  }

  /// A store with "apple", after a backup that holds it was put in place of one with "pear" too; gives the index that
  /// holds both.
  std::shared_ptr<ExactIndex> lose_a_commit() {
    const auto index = std::make_shared<ExactIndex>();
    Document document = open_with(index);
    runtime.run(document.add(Source("a", "apple")));
    runtime.run(document.build("Word"));
    runtime.run(document.backup(folder.path() / "before"));
    runtime.run(document.add(Source("b", "pear")));
    EXPECT_EQ(look_up(document, "pear"), 1u);
    runtime.run(document.close());
    std::filesystem::remove_all(folder.path() / "kb");
    std::filesystem::rename(folder.path() / "before", folder.path() / "kb");
    return std::make_shared<ExactIndex>(*index, index->generation());
  }

  TemporaryFolder folder;
};

TEST_F(KeptIndexTest, ThatCannotSayItsFormIsNotSavedAndTheStoreIsClosed) {
  const auto index = std::make_shared<ExactIndex>();
  const auto idle = std::make_shared<ExactIndex>();
  {
    Document document = open_with(index);
    document.register_index("idle", "Word", idle);
    runtime.run(document.add(Source("a", "apple\n苹果")));
    EXPECT_EQ(look_up(document, "苹果"), 1U);
    index->has_form = false;
    idle->has_form = false;
    EXPECT_NO_THROW(runtime.run(document.close()));
    for (const IndexStatus& status : document.indexes()) EXPECT_EQ(status.note, "not saved: its model file is gone");
  }
  const auto again = std::make_shared<ExactIndex>();
  again->has_form = false;
  Document document = open_with(again);
  EXPECT_EQ(look_up(document, "苹果"), 1U) << "it is usable without being saved";
  runtime.run(document.close());
}

TEST_F(KeptIndexTest, IsBroughtUpToDateByTheDifference) {
  const auto index = std::make_shared<ExactIndex>();
  {
    Document document = open_with(index);
    runtime.run(document.add(Source("a", "apple")));
    EXPECT_EQ(look_up(document, "apple"), 1u);
    runtime.run(document.close());
  }
  const auto kept = std::make_shared<ExactIndex>(*index, index->generation());
  Document document = open_with(kept);
  runtime.run(document.add(Source("c", "plum")));
  EXPECT_EQ(look_up(document, "plum"), 1u);
  EXPECT_EQ(look_up(document, "apple"), 1u);
  EXPECT_EQ(kept->updates, 1);
  EXPECT_EQ(document.indexes().at(0).note, "");
}

TEST_F(KeptIndexTest, ThatIsAheadOfTheStoreIsRebuiltAlsoWhereTheStoreHasPassedIt) {
  const std::shared_ptr<ExactIndex> ahead = lose_a_commit();
  const Generation generation = ahead->generation();
  Document document = open_with(ahead);
  for (int i = 0; i < 5; ++i) runtime.run(document.add(Source("c" + std::to_string(i), "plum\n苹果")));
  EXPECT_EQ(look_up(document, "pear"), 0u);
  EXPECT_EQ(look_up(document, "apple"), 1u);
  EXPECT_EQ(look_up(document, "苹果"), 5u);
  EXPECT_EQ(ahead->size(), 11u);
  EXPECT_GT(ahead->generation(), generation);
  EXPECT_EQ(document.indexes().at(0).note, "replayed: it was newer than the store");
  runtime.run(document.add(Source("d", "pear")));
  EXPECT_EQ(look_up(document, "pear"), 1u);
}

TEST_F(KeptIndexTest, ThatIsAheadOfTheStoreIsRebuiltInAReaderWhoseWriterHasPassedIt) {
  const std::shared_ptr<ExactIndex> ahead = lose_a_commit();
  Document reader = open_with(ahead, StoreAccess::read_only);
  Document writer = open_with(std::make_shared<ExactIndex>());
  for (int i = 0; i < 5; ++i) runtime.run(writer.add(Source("c" + std::to_string(i), "plum\n苹果")));
  EXPECT_EQ(look_up(reader, "pear"), 0u);
  EXPECT_EQ(look_up(reader, "苹果"), 5u);
  EXPECT_EQ(ahead->size(), 11u);
  runtime.run(writer.add(Source("d", "pear")));
  EXPECT_EQ(look_up(reader, "pear"), 1u);
  runtime.run(reader.close());
  runtime.run(writer.close());
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

std::vector<std::string> texts_of(const std::vector<Hit>& hits) {
  std::vector<std::string> texts;
  for (const Hit& hit : hits) texts.push_back(hit.text);
  return texts;
}

TEST_F(RegisteredIndexTest, IsFusedWithOtherRankings) {
  runtime.run(document.add(Source("a", "apple apple tree\napple\n苹果树的苹果\n苹果\npear")));
  RetrieverOptions options;
  options.group = "Word";
  options.fused_indexes = {"exact"};
  const auto ask = [&](const std::string& query) {
    return runtime.run(Retriever(document, options).explain(Query(query)));
  };
  for (const char* word : {"apple", "苹果"}) {
    const Retrieval found = ask(word);
    ASSERT_EQ(found.hits.size(), 2u) << word;
    EXPECT_EQ(found.hits[0].text, word);
    ASSERT_EQ(found.hits[0].ranks.size(), 2u);
    EXPECT_EQ(found.hits[0].ranks[1].member, "exact");
    EXPECT_EQ(found.hits[1].ranks.size(), 1u);
    EXPECT_EQ(found.notes.size(), 2u);
  }
  EXPECT_EQ(texts_of(ask("pear tree").hits).size(), 2u) << "the index finds nothing, the others do";
  options.weights = {{"exact", 1e-6}};
  options.text_boosts.depth = 0;
  options.bm25.b = 0;
  EXPECT_EQ(texts_of(ask("apple").hits).back(), "apple") << "it has the word once";
  options.priorities = {{"exact", 1}};
  EXPECT_EQ(texts_of(ask("apple").hits).front(), "apple");
  const auto others = hit_source(Retriever(document, options), "others");
  options.fused_indexes.clear();
  options.weights.clear();
  options.priorities.clear();
  options.index = "exact";
  const auto steps = ensemble({others, hit_source(Retriever(document, options), "exact")});
  const std::vector<Hit> joined = runtime.run(steps->retrieve(Query("apple"))).hits;
  ASSERT_EQ(joined.size(), 2u);
  EXPECT_EQ(joined[0].ranks.back().member, "exact") << "hits of an ensemble's retrievers are the same nodes";
}

TEST_F(RegisteredIndexTest, IsLeftOutOfAFusionWhereItMayFail) {
  runtime.run(document.add(Source("a", "apple")));
  look_up("apple");
  index->fail_next = true;
  runtime.run(document.add(Source("b", "pear")));
  RetrieverOptions options;
  options.group = "Word";
  options.fused_indexes = {"exact"};
  EXPECT_EQ(code_of([&] { retrieve(document, "pear", options); }), Errc::stale_index);
  options.on_failure = OnMemberFailure::degrade;
  const Retrieval found = runtime.run(Retriever(document, options).explain(Query("pear")));
  EXPECT_EQ(texts_of(found.hits), std::vector<std::string>{"pear"});
  ASSERT_EQ(found.failures.size(), 1u);
  EXPECT_EQ(found.failures[0].member, "exact");
  options.fused_indexes.clear();
  options.index = "exact";
  EXPECT_EQ(code_of([&] { retrieve(document, "pear", options); }), Errc::stale_index) << "the only ranking";
}

TEST_F(RegisteredIndexTest, WrongFusionsAreRefused) {
  document.register_index("bm25", "Word", std::make_shared<ExactIndex>());
  document.register_index("root", kRootGroup, std::make_shared<ExactIndex>());
  const auto code = [&](std::vector<std::string> indexes) {
    RetrieverOptions options;
    options.group = "Word";
    options.fused_indexes = std::move(indexes);
    return code_of([&] { Retriever(document, options); });
  };
  EXPECT_EQ(code({"nowhere"}), Errc::not_found);
  EXPECT_EQ(code({"root"}), Errc::invalid_argument);
  EXPECT_EQ(code({"exact", "exact"}), Errc::invalid_argument);
  EXPECT_EQ(code({"bm25"}), Errc::invalid_argument);
}

TEST_F(RegisteredIndexTest, WrongRegistrationsAreRefused) {
  EXPECT_EQ(code_of([&] { document.register_index("exact", "Word", index); }), Errc::already_exists);
  EXPECT_EQ(code_of([&] { document.register_index("other", "Nowhere", index); }), Errc::not_found);
  EXPECT_EQ(code_of([&] { document.register_index("other", "Word", nullptr); }), Errc::invalid_argument);
  EXPECT_EQ(code_of([&] { document.register_index("other", "Word", index); }), Errc::invalid_argument)
      << "it would be brought up to date under one name only";
  EXPECT_EQ(code_of([&] { runtime.run(document.rebuild_index("other")); }), Errc::not_found);
}

}  // namespace
}  // namespace ragstone::test
