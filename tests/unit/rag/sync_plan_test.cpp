#include "rag_fixture.hpp"
#include "support/kept_store.hpp"
#include <ragstone/model/sqlite_store.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

/// Reads any .md file, and counts.
class CountingReader final : public Reader {
 public:
  const std::string& signature() const noexcept override { return signature_; }
  bool accepts(std::string_view path) const noexcept override { return path.ends_with(".md"); }
  std::size_t reads() const noexcept { return reads_; }

 private:
  ReadText do_read(const RawFile& file, const StopToken&) const override {
    ++reads_;
    ReadText read;
    read.text = file.bytes;
    return read;
  }

  const std::string signature_ = "counting/1";
  mutable std::atomic<std::size_t> reads_ = 0;
};

/// A dataset whose store outlives its Documents.
class SyncPlanTest : public RagTest {
 protected:
  Document open_dataset(std::shared_ptr<Embedder> with) { return open_dataset(std::move(with), store); }

  Document open_dataset(std::shared_ptr<Embedder> with, std::shared_ptr<StoreFactory> over) {
    DocumentOptions options;
    options.dataset = folder.path();
    options.store = std::move(over);
    options.readers.push_back(reader);
    if (with) options.embedders["test"] = std::move(with);
    return open(std::move(options));
  }

  SyncPlan plan(Document document, SyncOptions options = {}) { return runtime.run(document.plan(options)); }

  /// Some paragraphs of English, or of Chinese.
  static std::string prose(int number, bool chinese, int paragraphs) {
    std::string text;
    const std::string n = std::to_string(number);
    for (int i = 0; i < paragraphs; ++i)
      text += chinese
                  ? "第" + n + "篇的第" + std::to_string(i) +
                        "段讲述向量数据库如何保存文本。每个片段都有一个编号，检索时按相似度排序，再返回原文的位置。\n\n"
                  : "Paragraph " + std::to_string(i) + " of article " + n +
                        " tells how a vector database keeps its texts. Every passage has a number, and a search "
                        "ranks passages by similarity before it returns where they stand.\n\n";
    return text;
  }

  void write(const std::string& name, const std::string& text, std::chrono::minutes age = std::chrono::minutes(60)) {
    fs::last_write_time(folder.write(name, text), fs::file_time_type::clock::now() - age);
  }

  static std::string name(int number, bool chinese) {
    return (chinese ? "zh/文章" : "en/article") + std::to_string(number) + ".md";
  }

  void write_articles(int begin, int end, int paragraphs = 12) {
    for (int i = begin; i < end; ++i)
      for (const bool chinese : {false, true}) write(name(i, chinese), prose(i, chinese, paragraphs + i % 5));
  }

  static ReadReason reason_of(const SyncPlan& plan, const std::string& id) {
    for (const PlannedRead& read : plan.reads)
      if (read.id == id) return read.reason;
    ADD_FAILURE() << id << " would not be read";
    return ReadReason::asked;
  }

  static const PendingBuild* pending_of(const SyncPlan& plan, const std::string& group, const std::string& key) {
    for (const PendingBuild& build : plan.pending)
      if (build.group == group && build.key == key) return &build;
    return nullptr;
  }

  TemporaryFolder folder;
  const std::shared_ptr<KeptStore> store = std::make_shared<KeptStore>();
  const std::shared_ptr<CountingReader> reader = std::make_shared<CountingReader>();
  const std::shared_ptr<CountingEmbedder> embedder = std::make_shared<CountingEmbedder>();
};

TEST_F(SyncPlanTest, TellsWhatASyncFindsAndDoesNothing) {
  write_articles(0, 10);
  write("zh/坏.md", "毒药");
  embedder->refused = "毒药";
  Document document = open_dataset(embedder);
  runtime.run(document.build(kMediumChunk));
  EXPECT_EQ(sync(document).failed, 1u);

  write("en/new.md", "A new article.");
  write("zh/文章3.md", prose(3, true, 2));
  write(name(4, false), prose(4, false, 16), std::chrono::minutes(30));
  fs::remove(folder.path() / name(5, true));
  fs::remove(folder.path() / name(6, false));
  folder.write("picture.png", "no reader takes it");
  const std::size_t commits = store->commits();
  const std::size_t calls = embedder->calls();
  const std::size_t reads = reader->reads();
  const SyncPlan plan = this->plan(document);
  EXPECT_EQ(store->commits(), commits);
  EXPECT_EQ(embedder->calls(), calls);
  EXPECT_EQ(reader->reads(), reads);

  ASSERT_EQ(plan.reads.size(), 4u);
  EXPECT_EQ(reason_of(plan, "en/new.md"), ReadReason::added);
  EXPECT_EQ(reason_of(plan, "zh/文章3.md"), ReadReason::changed);
  EXPECT_EQ(reason_of(plan, name(4, false)), ReadReason::doubtful);
  EXPECT_EQ(reason_of(plan, "zh/坏.md"), ReadReason::failed);
  EXPECT_TRUE(std::is_sorted(plan.reads.begin(), plan.reads.end(),
                             [](const PlannedRead& a, const PlannedRead& b) { return a.id < b.id; }));
  EXPECT_EQ(plan.removals, (std::vector<std::string>{name(6, false), name(5, true)}));
  EXPECT_EQ(plan.unchanged, 16u);
  EXPECT_EQ(plan.ignored, 1u);
  EXPECT_FALSE(plan.empty());
  std::uint64_t bytes = 0;
  for (const PlannedRead& read : plan.reads) bytes += fs::file_size(folder.path() / read.id);
  EXPECT_EQ(plan.bytes_to_read(), bytes);

  const SyncReport report = sync(document);
  EXPECT_EQ(report.added, 1u);
  EXPECT_EQ(report.changed, 1u);
  EXPECT_EQ(report.removed, plan.removals.size());
  EXPECT_EQ(report.unchanged, plan.unchanged + 1) << "the doubtful one had not changed";
  EXPECT_EQ(report.failed, 1u);
  EXPECT_EQ(reader->reads() - reads, 3u) << "the doubtful one is loaded, but not parsed";
}

// IX-3
TEST_F(SyncPlanTest, UnchangedFilesCostNoParsingNoEmbeddingAndNoCommit) {
  write_articles(0, 20);
  {
    Document document = open_dataset(embedder);
    runtime.run(document.build(kMediumChunk));
    sync(document);
    runtime.run(document.close());
  }
  Document document = open_dataset(embedder);
  const std::size_t commits = store->commits();
  const std::size_t calls = embedder->calls();
  const std::size_t reads = reader->reads();
  EXPECT_TRUE(plan(document).empty());
  EXPECT_TRUE(plan(document).pending.empty());
  EXPECT_EQ(sync(document).unchanged, 40u);
  EXPECT_TRUE(plan(document).empty());
  EXPECT_EQ(store->commits(), commits);
  EXPECT_EQ(embedder->calls(), calls);
  EXPECT_EQ(reader->reads(), reads);
  RetrieverOptions bm25;
  bm25.similarity = Similarity::bm25;
  EXPECT_FALSE(retrieve(document, "向量数据库", bm25).empty());
  EXPECT_EQ(store->commits(), commits) << "finding that a group is built writes nothing either";
}

/// What the files of a store hold, by their paths; without SQLite's shared memory, which is no part of it.
std::map<std::string, std::string> contents_of(const fs::path& folder) {
  std::map<std::string, std::string> contents;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().filename() == "store.db-shm") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    contents[fs::relative(entry.path(), folder)].assign(std::istreambuf_iterator<char>(in), {});
  }
  return contents;
}

// IX-3
TEST_F(SyncPlanTest, ASecondStartOverUnchangedFilesWritesNothingIntoAPersistentStore) {
  const TemporaryFolder persistent;
  const fs::path kb = persistent.path() / "kb";
  write_articles(0, 20);
  {
    Document document = open_dataset(embedder, sqlite_store(kb));
    runtime.run(document.build(kMediumChunk));
    sync(document);
    runtime.run(document.close());
  }
  const std::map<std::string, std::string> before = contents_of(kb);
  const std::size_t calls = embedder->calls();
  const std::size_t reads = reader->reads();
  ASSERT_GT(calls, 0u);
  ASSERT_TRUE(before.contains("store.db"));

  Document document = open_dataset(embedder, sqlite_store(kb));
  EXPECT_TRUE(plan(document).empty());
  EXPECT_TRUE(plan(document).pending.empty());
  EXPECT_EQ(sync(document).unchanged, 40u);
  EXPECT_EQ(embedder->calls(), calls);
  EXPECT_EQ(reader->reads(), reads);
  RetrieverOptions bm25;
  bm25.similarity = Similarity::bm25;
  EXPECT_FALSE(retrieve(document, "向量数据库", bm25).empty());
  // Only looked up: to read the files of an open database would give up SQLite's locks on them.
  const fs::path log = kb / "store.db-wal";
  EXPECT_TRUE(!fs::exists(log) || fs::file_size(log) == 0) << "something was committed";
  runtime.run(document.close());
  const std::map<std::string, std::string> after = contents_of(kb);
  for (const auto& [name, bytes] : before) EXPECT_TRUE(after.contains(name) && after.at(name) == bytes) << name;
  for (const auto& [name, bytes] : after) EXPECT_TRUE(before.contains(name)) << name;
}

TEST_F(SyncPlanTest, EstimatesTextsTokensAndCallsFromStoredSources) {
  write_articles(0, 30, 30);
  Document document = open_dataset(embedder);
  runtime.run(document.build(kFineChunk));
  sync(document);
  write_articles(30, 60, 40);
  const SyncPlan plan = this->plan(document);
  ASSERT_EQ(plan.reads.size(), 60u);
  ASSERT_EQ(plan.embedding.size(), 1u);
  const EmbedEstimate& estimate = plan.embedding[0];
  EXPECT_EQ(estimate.key, "test");
  EXPECT_TRUE(estimate.from_stored);
  EXPECT_EQ(estimate.doubtful_texts, 0u);

  double tokens = 0;
  embedder->before = [&](std::span<const std::string> texts) {
    for (const std::string& text : texts) tokens += static_cast<double>(estimated_token_counter()->count(text));
  };
  const std::size_t texts = embedder->texts();
  const std::size_t calls = embedder->calls();
  sync(document);
  const auto near = [](double estimated, double actual) {
    EXPECT_GT(estimated, actual * 0.75);
    EXPECT_LT(estimated, actual * 1.33);
  };
  near(static_cast<double>(estimate.texts), static_cast<double>(embedder->texts() - texts));
  near(static_cast<double>(estimate.calls), static_cast<double>(embedder->calls() - calls));
  near(static_cast<double>(estimate.tokens), tokens);
}

TEST_F(SyncPlanTest, EstimatesFromSizesAloneWhereNothingIsStored) {
  write_articles(0, 5);
  Document document = open_dataset(embedder);
  EXPECT_TRUE(plan(document).embedding.empty()) << "no group is in use, so a sync embeds nothing";
  runtime.run(document.build(kMediumChunk));
  const SyncPlan plan = this->plan(document);
  ASSERT_EQ(plan.embedding.size(), 1u);
  EXPECT_FALSE(plan.embedding[0].from_stored);
  EXPECT_GE(plan.embedding[0].texts, 10u);
  EXPECT_GT(plan.embedding[0].tokens, plan.bytes_to_read() / 5);
}

class SyncPlanPrice : public SyncPlanTest, public testing::WithParamInterface<bool> {
 protected:
  void write_articles(int begin, int end) {
    for (int i = begin; i < end; ++i) write(name(i, GetParam()), prose(i, GetParam(), 20 + i % 5));
  }
};

TEST_P(SyncPlanPrice, IsAboutWhatTheEmbedderIsPaid) {
  write_articles(0, 20);
  Document document = open_dataset(embedder);
  runtime.run(document.build(kFineChunk));
  sync(document);
  write_articles(20, 50);
  const SyncPlan plan = this->plan(document);
  ASSERT_EQ(plan.embedding.size(), 1u);
  EXPECT_EQ(plan.embedding[0].model, "counting");

  const PriceTable prices = parse_prices(R"({"models": {"counting": {"input": 0.5, "currency": "CNY"}}})");
  double paid = 0;
  embedder->before = [&](std::span<const std::string> texts) {
    for (const std::string& text : texts) paid += static_cast<double>(estimated_token_counter()->count(text)) * 0.5e-6;
  };
  sync(document);
  ASSERT_TRUE(plan.embedding[0].cost(prices));
  EXPECT_GT(*plan.embedding[0].cost(prices), paid * 0.75);
  EXPECT_LT(*plan.embedding[0].cost(prices), paid * 1.33);
  ASSERT_EQ(plan.costs(prices).size(), 1u);
  EXPECT_DOUBLE_EQ(plan.costs(prices).at("CNY"), *plan.embedding[0].cost(prices));

  const SyncPlan idle = this->plan(document);
  ASSERT_EQ(idle.embedding.size(), 1u);
  EXPECT_EQ(idle.embedding[0].cost(PriceTable()), 0) << "nothing is asked for";
}

TEST_P(SyncPlanPrice, IsEmptyWhereTheModelHasNone) {
  write_articles(0, 3);
  Document document = open_dataset(embedder);
  runtime.run(document.build(kFineChunk));
  const SyncPlan plan = this->plan(document);
  ASSERT_EQ(plan.embedding.size(), 1u);
  ASSERT_GT(plan.embedding[0].tokens, 0u);
  EXPECT_FALSE(plan.embedding[0].cost(PriceTable()));
  EXPECT_TRUE(plan.costs(PriceTable()).empty());
  const PriceTable by_searches = parse_prices(R"({"models": {"counting": {"searches": 2}}})");
  EXPECT_FALSE(plan.embedding[0].cost(by_searches)) << "tokens are not what is paid for";
  EXPECT_TRUE(plan.costs(by_searches).empty());
}

INSTANTIATE_TEST_SUITE_P(Languages, SyncPlanPrice, testing::Bool(),
                         [](const auto& language) { return language.param ? "Chinese" : "English"; });

TEST_F(SyncPlanTest, DoubtfulFilesCountApart) {
  write_articles(0, 5);
  Document document = open_dataset(embedder);
  runtime.run(document.build(kMediumChunk));
  sync(document);
  SyncOptions options;
  options.verify_content = true;
  const SyncPlan plan = this->plan(document, options);
  ASSERT_EQ(plan.reads.size(), 10u);
  EXPECT_EQ(plan.reads[0].reason, ReadReason::asked);
  EXPECT_EQ(plan.embedding[0].texts, 0u);
  EXPECT_EQ(plan.embedding[0].calls, 0u);
  EXPECT_GE(plan.embedding[0].doubtful_texts, 10u);
}

TEST_F(SyncPlanTest, ShowsTheGuardAgainstAnEmptyScan) {
  write_articles(0, 3);
  Document document = open_dataset(nullptr);
  sync(document);
  for (const auto& entry : fs::directory_iterator(folder.path())) fs::remove_all(entry.path());
  const SyncPlan kept = plan(document);
  EXPECT_TRUE(kept.kept_because_empty);
  EXPECT_TRUE(kept.empty());
  EXPECT_EQ(kept.unchanged, 6u);
  SyncOptions options;
  options.allow_empty = true;
  const SyncPlan removing = plan(document, options);
  EXPECT_FALSE(removing.kept_because_empty);
  EXPECT_EQ(removing.removals.size(), 6u);
}

TEST_F(SyncPlanTest, AnIncrementalCleanupRemovesNothing) {
  write_articles(0, 3);
  Document document = open_dataset(nullptr);
  sync(document);
  fs::remove(folder.path() / name(0, false));
  fs::remove(folder.path() / name(1, true));
  EXPECT_EQ(plan(document).removals, (std::vector<std::string>{name(0, false), name(1, true)}));
  SyncOptions options;
  options.cleanup = SyncCleanup::incremental;
  const SyncPlan kept = plan(document, options);
  EXPECT_TRUE(kept.empty());
  EXPECT_EQ(kept.unchanged, 6u);
  EXPECT_FALSE(kept.kept_because_empty);
}

TEST_F(SyncPlanTest, AChangedReaderIsAReason) {
  write_articles(0, 2);
  Document document = open_dataset(nullptr);
  sync(document);
  DocumentOptions options;
  options.dataset = folder.path();
  options.store = store;
  const SyncPlan plan = this->plan(open(options));
  ASSERT_EQ(plan.reads.size(), 4u);
  EXPECT_EQ(plan.reads[0].reason, ReadReason::reader_changed);
}

// IX-4
TEST_F(SyncPlanTest, AnotherEmbedderLeavesItsColumnPendingAndNothingElse) {
  write_articles(0, 20);
  {
    Document document = open_dataset(embedder);
    sync(document);
    runtime.run(document.build(kMediumChunk));
  }
  const auto other = std::make_shared<CountingEmbedder>("other");
  Document document = open_dataset(other);
  const SyncPlan plan = this->plan(document);
  EXPECT_TRUE(plan.empty());
  ASSERT_EQ(plan.pending.size(), 1u);
  const PendingBuild& pending = plan.pending[0];
  EXPECT_EQ(pending.group, kMediumChunk);
  EXPECT_EQ(pending.key, "test");
  EXPECT_EQ(pending.sources, 40u);
  EXPECT_TRUE(pending.embedding.from_stored);
  EXPECT_EQ(other->calls(), 0u);

  sync(document);
  EXPECT_EQ(other->calls(), 0u) << "a sync leaves it alone";
  runtime.run(document.build(kMediumChunk));
  EXPECT_GT(static_cast<double>(pending.embedding.texts), static_cast<double>(other->texts()) * 0.75);
  EXPECT_LT(static_cast<double>(pending.embedding.texts), static_cast<double>(other->texts()) * 1.33);
  EXPECT_TRUE(this->plan(document).pending.empty());
}

TEST_F(SyncPlanTest, AChangedChunkerLeavesItsGroupPending) {
  write_articles(0, 4);
  {
    Document document = open_dataset(embedder);
    document.add_group(NodeGroup("Piece", paragraph_chunker()));
    sync(document);
    runtime.run(document.build("Piece"));
    runtime.run(document.build(kMediumChunk));
  }
  Document document = open_dataset(embedder);
  document.add_group(NodeGroup("Piece", line_chunker()));
  const SyncPlan plan = this->plan(document);
  EXPECT_EQ(plan.pending.size(), 3u) << "the nodes, and both columns with them";
  ASSERT_NE(pending_of(plan, "Piece", ""), nullptr);
  EXPECT_EQ(pending_of(plan, "Piece", "")->sources, 8u);
  EXPECT_EQ(pending_of(plan, "Piece", kBm25Key)->embedding.calls, 0u);
  EXPECT_GT(pending_of(plan, "Piece", "test")->embedding.calls, 0u);
  EXPECT_EQ(pending_of(plan, kMediumChunk, ""), nullptr);
}

TEST_F(SyncPlanTest, AReopenedDocumentSyncsIntoTheGroupsThatAreStored) {
  write_articles(0, 5);
  {
    Document document = open_dataset(embedder);
    sync(document);
    runtime.run(document.build(kMediumChunk));
  }
  write("en/new.md", "An article about zebras.");
  Document document = open_dataset(embedder);
  const SyncPlan plan = this->plan(document);
  ASSERT_EQ(plan.embedding.size(), 1u);
  EXPECT_EQ(plan.embedding[0].texts, 1u);
  EXPECT_EQ(plan.embedding[0].calls, 1u);
  const std::size_t texts = embedder->texts();
  sync(document);
  EXPECT_EQ(embedder->texts() - texts, 1u);
  EXPECT_EQ(retrieve(document, "zebras")[0].source, "en/new.md");
  EXPECT_EQ(embedder->texts() - texts, 2u) << "the query";
  runtime.run(document.add(Source("by hand", "ostriches")));
  EXPECT_EQ(embedder->texts() - texts, 3u);
}

TEST_F(SyncPlanTest, NeedsADataset) {
  Document document = open();
  EXPECT_EQ(code_of([&] { plan(document); }), Errc::invalid_argument);
}

}  // namespace
}  // namespace ragstone::test
