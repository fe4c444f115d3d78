#include "rag_fixture.hpp"
#include "support/kept_store.hpp"
#include "support/rounds.hpp"
#include <ragstone/model/sqlite_store.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <ostream>
#include <random>

namespace ragstone::test {
namespace {

/// What a user's index has written to a file of its own.
struct IndexFile {
  Generation generation = 0;
  std::map<NodeId, std::string> texts;
};

/// A user's index of exact texts, at random as bad as one can be: it throws before, amid or after an update, and loses
/// what it has not yet saved when the program ends.
class FaultyIndex final : public Index {
 public:
  FaultyIndex(IndexFile loaded, std::uint32_t seed)
      : Index(loaded.generation), file_(std::move(loaded)), texts_(file_.texts), random_(seed) {}

  void set_failing(unsigned percent) { percent_ = percent; }

  /// As a program finds it that starts after this one has ended.
  IndexFile file() const { return file_; }
  std::size_t upserted() const { return upserted_; }
  std::size_t removed() const { return removed_; }
  std::size_t clears() const { return clears_; }
  void forget_counts() { upserted_ = removed_ = clears_ = 0; }
  /// Steps that did not begin where the index stood.
  std::size_t gaps() const { return gaps_; }

 private:
  bool strikes() { return random_() % 100 < percent_; }

  void do_update(const IndexUpdate& update, const StopToken&) override {
    if (update.from != generation()) ++gaps_;
    if (strikes()) throw std::runtime_error("disk of the index is full");
    for (const NodeId id : update.removed) removed_ += texts_.erase(id);
    for (const Node& node : update.upserts) {
      texts_[node.id] = node.text;
      ++upserted_;
      if (percent_ > 0 && random_() % 200 < percent_) throw std::runtime_error("power of the index failed");
    }
    if (strikes()) throw std::runtime_error("index failed to tell that it is done");
    if (update.to > 0 && random_() % 3 == 0) {
      file_.generation = update.to;
      file_.texts = texts_;
    }
  }
  void do_clear() override {
    ++clears_;
    if (strikes()) throw std::runtime_error("index cannot be cleared");
    texts_.clear();
    // It may hold what the store has lost.
    file_ = IndexFile();
  }
  std::vector<ScoredNode> do_query(const IndexQuery& query, const StopToken&) const override {
    std::vector<ScoredNode> hits;
    for (const auto& [id, text] : texts_)
      if (text == query.text) hits.push_back(ScoredNode{id, 1});
    return hits;
  }

  IndexFile file_;
  std::map<NodeId, std::string> texts_;
  std::mt19937 random_;
  unsigned percent_ = 0;
  std::size_t upserted_ = 0;
  std::size_t removed_ = 0;
  std::size_t clears_ = 0;
  std::size_t gaps_ = 0;
};

/// A store that Documents are opened over one after the other.
struct LastingStore {
  std::string name;
  std::function<std::shared_ptr<StoreFactory>(const std::filesystem::path&)> make;

  friend void PrintTo(const LastingStore& store, std::ostream* out) { *out << store.name; }
};

class IndexSteps : public RagTest, public testing::WithParamInterface<LastingStore> {
 protected:
  void SetUp() override {
    store = GetParam().make(kb());
    start(IndexFile());
    stop();
    start(IndexFile());
  }
  void TearDown() override { stop(); }

  /// A program with an index that has loaded this.
  void start(IndexFile loaded) {
    DocumentOptions options;
    options.store = store;
    document = open(options);
    document.add_group(NodeGroup("Word", line_chunker()));
    index = std::make_shared<FaultyIndex>(std::move(loaded), static_cast<std::uint32_t>(random()));
    document.register_index("exact", "Word", index);
  }
  void stop() {
    if (document) runtime.run(document.close());
    document = Document();
    keep();
  }

  std::filesystem::path kb() const { return folder.path() / "kb"; }
  bool is_persistent() const { return std::filesystem::exists(kb()); }

  /// What a disk keeps of the closed store, whatever comes after.
  void keep() {
    if (!is_persistent()) return;
    std::filesystem::remove_all(folder.path() / "kept");
    std::filesystem::copy(kb(), folder.path() / "kept", std::filesystem::copy_options::recursive);
    kept_model = model;
  }

  /// The program ends without closing its store, which shows all commits afterwards.
  void crash() { document = Document(); }

  /// Power is lost, and with it what was committed since the last stop(); but not what the index has saved.
  void lose_power() {
    crash();
    // Opening waits until the last operation has let go.
    DocumentOptions options;
    options.store = store;
    runtime.run(open(options).close());
    std::filesystem::remove_all(kb());
    std::filesystem::copy(folder.path() / "kept", kb(), std::filesystem::copy_options::recursive);
    model = kept_model;
  }

  std::vector<Hit> look_up(const std::string& word) {
    RetrieverOptions options;
    options.group = "Word";
    options.index = "exact";
    options.top_k = 1000;
    return retrieve(document, word, options);
  }

  /// The index finds exactly what is stored.
  void expect_true(const std::string& word) {
    const std::vector<Hit> hits = look_up(word);
    std::multiset<std::string> sources;
    for (const Hit& hit : hits) {
      EXPECT_EQ(hit.text, word);
      sources.insert(hit.source);
    }
    std::multiset<std::string> expected;
    for (const auto& [source, words] : model)
      for (const std::string& one : words)
        if (one == word) expected.insert(source);
    EXPECT_EQ(sources, expected) << word;
    EXPECT_EQ(document.indexes()[0].generation, index->generation());
  }

  std::string some_word() { return (random() % 2 ? "w" : "词") + std::to_string(random() % 6); }

  void change_something() {
    const std::string id = "s" + std::to_string(random() % 8);
    if (random() % 4 == 0) {
      runtime.run(document.remove(id));
      model.erase(id);
      return;
    }
    std::string text;
    std::vector<std::string> words;
    for (auto count = random() % 5; count > 0; --count) {
      words.push_back(some_word());
      text += words.back() + "\n";
    }
    runtime.run(document.add(Source(id, text)));
    model[id] = words;
  }

  bool stale() const { return document.indexes()[0].stale; }

  const std::uint32_t seed = std::random_device{}();
  std::mt19937 random{seed};
  TemporaryFolder folder;
  std::shared_ptr<StoreFactory> store;
  Document document;
  std::shared_ptr<FaultyIndex> index;
  std::map<std::string, std::vector<std::string>> model;       ///< The words of each source.
  std::map<std::string, std::vector<std::string>> kept_model;  ///< As they were at the last stop().
};

TEST_P(IndexSteps, AFaultyIndexIsRefusedOrRight) {
  SCOPED_TRACE(seed);
  std::size_t refused = 0;
  std::size_t failed_rebuilds = 0;
  for (std::size_t round = 0; round < rounds(200); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    index->set_failing(random() % 3 == 0 ? 20 : 0);
    change_something();
    if (random() % 12 == 0) {
      const IndexFile file = index->file();
      const auto end = is_persistent() ? random() % 3 : 0;
      if (end == 0) stop();
      if (end == 1) crash();
      if (end == 2) lose_power();
      start(file);
    }
    const std::string word = some_word();
    try {
      expect_true(word);
    } catch (const Error& error) {
      ASSERT_EQ(error.errc(), Errc::stale_index) << error.what();
      ASSERT_TRUE(stale());
      ++refused;
      if (random() % 2 == 0) continue;
      try {
        runtime.run(document.rebuild_index("exact"));
      } catch (const std::runtime_error&) {
        ++failed_rebuilds;
        ASSERT_TRUE(stale()) << "a rebuild that failed leaves it refused";
        continue;
      }
      ASSERT_FALSE(stale());
      expect_true(word);
    }
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_EQ(index->gaps(), 0u);
  EXPECT_GT(refused, 0u);
  RecordProperty("failed_rebuilds", static_cast<int>(failed_rebuilds));
}

// IX-1
TEST_P(IndexSteps, AnIndexThatIsBehindGetsExactlyTheDifference) {
  runtime.run(document.add(Source("a", "apple\npear")));
  runtime.run(document.add(Source("b", "plum")));
  model = {{"a", {"apple", "pear"}}, {"b", {"plum"}}};
  expect_true("apple");
  IndexFile behind;
  behind.generation = index->generation();
  for (const Node& node : nodes(document, "Word")) behind.texts[node.id] = node.text;

  runtime.run(document.add(Source("a", "apple\n梨")));
  runtime.run(document.add(Source("c", "plum")));
  runtime.run(document.add(Source("d", "gone soon")));
  runtime.run(document.remove("d"));
  model = {{"a", {"apple", "梨"}}, {"b", {"plum"}}, {"c", {"plum"}}};
  stop();
  start(behind);
  expect_true("plum");
  expect_true("pear");
  expect_true("梨");
  EXPECT_EQ(index->clears(), 0u);
  EXPECT_EQ(index->upserted(), 2u) << "the new pear, and the plum of c";
  EXPECT_EQ(index->removed(), 1u);
  EXPECT_EQ(index->gaps(), 0u);
}

TEST_P(IndexSteps, AnIndexThatIsUpToDateGetsNothing) {
  runtime.run(document.add(Source("a", "apple\npear")));
  model = {{"a", {"apple", "pear"}}};
  expect_true("apple");
  IndexFile equal;
  equal.generation = index->generation();
  for (const Node& node : nodes(document, "Word")) equal.texts[node.id] = node.text;
  stop();
  start(equal);
  expect_true("pear");
  EXPECT_EQ(index->clears() + index->upserted() + index->removed(), 0u);
}

TEST_P(IndexSteps, AnIndexThatIsAheadOfTheStoreIsReplayedFromScratch) {
  runtime.run(document.add(Source("a", "apple\npear")));
  model = {{"a", {"apple", "pear"}}};
  expect_true("apple");
  IndexFile ahead;
  ahead.generation = index->generation() + 100;
  ahead.texts[12345] = "apple";
  stop();
  start(ahead);
  expect_true("apple");
  EXPECT_EQ(index->clears(), 1u);
  EXPECT_EQ(index->upserted(), 2u);
  EXPECT_LT(index->generation(), ahead.generation);
}

TEST_P(IndexSteps, AnUpdateThatBrokeOffIsRepeatedForTheNextProgram) {
  runtime.run(document.add(Source("a", "apple")));
  model = {{"a", {"apple"}}};
  expect_true("apple");
  const std::shared_ptr<FaultyIndex> same = index;
  index->set_failing(100);
  runtime.run(document.add(Source("a", "pear\nplum\n李子")));
  ASSERT_TRUE(stale());
  model = {{"a", {"pear", "plum", "李子"}}};
  stop();
  start(IndexFile());
  same->set_failing(0);
  index = same;
  document.register_index("same object", "Word", same);
  RetrieverOptions options;
  options.group = "Word";
  options.index = "same object";
  EXPECT_TRUE(retrieve(document, "apple", options).empty());
  EXPECT_EQ(retrieve(document, "李子", options).size(), 1u);
}

TEST_P(IndexSteps, AReplayReadsOnTheBackgroundLane) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "word" + std::to_string(i) + "\n";
  runtime.run(document.add(Source("a", text)));
  runtime.run(document.build("Word"));
  const std::uint64_t before = runtime.pool().stats(Lane::foreground).finished;
  runtime.run(document.rebuild_index("exact"));
  EXPECT_EQ(index->upserted(), 5000u);
  EXPECT_EQ(runtime.pool().stats(Lane::foreground).finished, before);
}

std::shared_ptr<StoreFactory> make_kept(const std::filesystem::path&) { return std::make_shared<KeptStore>(); }
std::shared_ptr<StoreFactory> make_sqlite(const std::filesystem::path& folder) {
  SqliteOptions options;
  options.durability = Durability::fast;
  options.seal_rows = 64;
  // A store that was not closed is given up by the last operation that uses it.
  options.lock_timeout = std::chrono::seconds(20);
  return sqlite_store(folder, options);
}

INSTANTIATE_TEST_SUITE_P(Stores, IndexSteps,
                         testing::Values(LastingStore{"memory", make_kept}, LastingStore{"sqlite", make_sqlite}),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace ragstone::test
