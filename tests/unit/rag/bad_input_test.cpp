#include "rag_fixture.hpp"

#include <latch>
#include <limits>

#include <sys/stat.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;
using BadInputTest = RagTest;

DocumentOptions with_embedder(std::shared_ptr<Embedder> embedder) {
  DocumentOptions options;
  options.embedders["test"] = std::move(embedder);
  return options;
}

RetrieverOptions by_cosine() {
  RetrieverOptions options;
  options.similarity = Similarity::cosine;
  return options;
}

TEST_F(BadInputTest, AMissingFolderIsNamed) {
  DocumentOptions options;
  options.dataset = "/nowhere/at/all";
  Document document = open(options);
  try {
    sync(document);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.errc(), Errc::not_found);
    EXPECT_NE(std::string(error.what()).find("/nowhere/at/all"), std::string::npos);
  }
  EXPECT_EQ(code_of([&] { sync(open()); }), Errc::invalid_argument) << "no dataset at all";
}

TEST_F(BadInputTest, AFileInPlaceOfAFolderIsRefused) {
  TemporaryFolder folder;
  DocumentOptions options;
  options.dataset = folder.write("file.txt", "text");
  Document document = open(options);
  EXPECT_EQ(code_of([&] { sync(document); }), Errc::invalid_argument);
}

TEST_F(BadInputTest, AFolderOfOddThingsLosesNothingThatCanBeRead) {
  TemporaryFolder folder;
  folder.write("good.txt", "readable text");
  folder.write("empty.txt", "");
  folder.write("broken.txt", "这是一份中文文件，后面有一个坏掉的字节：\xe4\xb8 然后继续。");
  folder.write("name with\nnewline.txt", "the newline file");
  folder.write("sub/deep/zh 中文 名.md", "# 标题\n\n中文内容。");
  ASSERT_EQ(mkfifo((folder.path() / "fifo.txt").c_str(), 0600), 0);
  fs::create_directory_symlink(folder.path(), folder.path() / "sub/loop");
  fs::create_symlink(folder.path() / "gone.txt", folder.path() / "dangling.txt");
  fs::create_symlink("/etc/hostname", folder.path() / "outside.txt");

  Document document = open_folder(folder);
  const SyncReport report = sync(document);
  EXPECT_EQ(report.added, 4u);
  std::set<std::string> failed;
  for (const SourceStatus& status : report.failures) failed.insert(status.id);
  EXPECT_TRUE(failed.contains("broken.txt"));
  EXPECT_TRUE(failed.contains("fifo.txt"));
  EXPECT_TRUE(failed.contains("dangling.txt"));
  EXPECT_TRUE(failed.contains("outside.txt"));
  EXPECT_EQ(retrieve(document, "newline")[0].source, "name with\nnewline.txt");
  EXPECT_EQ(retrieve(document, "中文内容")[0].source, "sub/deep/zh 中文 名.md");
  EXPECT_EQ(runtime.run(document.text("empty.txt")), "");
}

TEST_F(BadInputTest, ALineOf200MegabytesIsCutOrRefusedByTheLimit) {
  TemporaryFolder folder;
  std::string line;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr std::size_t kSize = 110'000'000;  // sanitizers take several times the memory and time
#else
  constexpr std::size_t kSize = 200'000'000;
#endif
  line.reserve(kSize);
  while (line.size() < kSize) line += "word and 词 again ";
  folder.write("long.txt", line);
  folder.write("small.txt", "small");

  DocumentOptions limited;
  limited.dataset = folder.path();
  limited.max_source_bytes = 100'000'000;
  const SyncReport refused = sync(open(limited));
  EXPECT_EQ(refused.added, 1u);
  ASSERT_EQ(refused.failed, 1u);
  EXPECT_NE(refused.failures[0].reason.find("100000000"), std::string::npos) << refused.failures[0].reason;

  Document document = open_folder(folder);
  runtime.run(document.build(kCoarseChunk, std::vector<std::string>(1, kBm25Key)));
  EXPECT_EQ(sync(document).added, 2u);
  EXPECT_EQ(runtime.run(document.text("long.txt")).size(), line.size());
  RetrieverOptions options;
  options.group = kCoarseChunk;
  EXPECT_EQ(retrieve(document, "词", options).size(), 6u);
  EXPECT_EQ(retrieve(document, "small", options)[0].source, "small.txt");
}

TEST_F(BadInputTest, WrongNumbersInQueriesAreRefused) {
  Document document = open();
  RetrieverOptions no_hits;
  no_hits.top_k = 0;
  EXPECT_EQ(code_of([&] { Retriever(document, no_hits); }), Errc::invalid_argument);
  Query query("text");
  query.top_k = 0;
  EXPECT_EQ(code_of([&] { runtime.run(Retriever(document, {}).retrieve(query)); }), Errc::invalid_argument);
  RetrieverOptions misspelt;
  misspelt.weights["bm52"] = 1;
  EXPECT_EQ(code_of([&] { Retriever(document, misspelt); }), Errc::not_found);
  RetrieverOptions weight;
  weight.weights["bm25"] = -1;
  EXPECT_EQ(code_of([&] { Retriever(document, weight); }), Errc::invalid_argument);
}

TEST_F(BadInputTest, UnknownNamesAreRefusedAtOnceWithWhatThereIs) {
  Document document = open(with_embedder(std::make_shared<CountingEmbedder>()));
  RetrieverOptions group;
  group.group = "Nowhere";
  EXPECT_EQ(code_of([&] { Retriever(document, group); }), Errc::not_found);
  RetrieverOptions target;
  target.target = "Nowhere";
  EXPECT_EQ(code_of([&] { Retriever(document, target); }), Errc::not_found);
  RetrieverOptions embedder = by_cosine();
  embedder.embedders = {"other"};
  EXPECT_EQ(code_of([&] { Retriever(document, embedder); }), Errc::not_found);
  RetrieverOptions index;
  index.index = "trie";
  EXPECT_EQ(code_of([&] { Retriever(document, index); }), Errc::not_found);
  EXPECT_EQ(code_of([&] { Retriever(open(), by_cosine()); }), Errc::invalid_argument) << "no embedder at all";
}

TEST_F(BadInputTest, AFilterWithASyntaxErrorTellsWhere) {
  try {
    Filter::parse("year >= and lang == 'zh'");
    FAIL();
  } catch (const FilterSyntaxError& error) {
    EXPECT_EQ(error.position(), 8u);
  }
}

TEST_F(BadInputTest, AnEmbedderThatThrowsFailsTheSourceAndKeepsWhatWasThere) {
  const auto embedder = std::make_shared<CountingEmbedder>();
  Document document = open(with_embedder(embedder));
  runtime.run(document.add(Source("a", "first form")));
  EXPECT_EQ(retrieve(document, "form", by_cosine()).size(), 1u);
  embedder->before = [](std::span<const std::string>) { throw std::runtime_error("model is out"); };
  EXPECT_THROW(runtime.run(document.add(Source("a", "second form"))), std::runtime_error);
  EXPECT_EQ(runtime.run(document.text("a")), "first form");
  const std::vector<SourceStatus> statuses = runtime.run(document.sources());
  ASSERT_EQ(statuses.size(), 1u);
  EXPECT_EQ(statuses[0].state, SourceState::failed);
  EXPECT_EQ(statuses[0].reason, "model is out");
}

TEST_F(BadInputTest, VectorsThatBreakTheContractAreNeverStored) {
  const auto embedder = std::make_shared<CountingEmbedder>();
  Document document = open(with_embedder(embedder));
  runtime.run(document.build(kMediumChunk));
  embedder->after = [](std::vector<float>& values) { values.pop_back(); };
  EXPECT_EQ(code_of([&] { runtime.run(document.add(Source("short", "text"))); }), Errc::dimension_mismatch);
  embedder->after = [](std::vector<float>& values) { values.resize(values.size() / 2); };
  std::vector<Source> two;
  two.emplace_back("x", "text one");
  two.emplace_back("y", "text two");
  for (const SourceStatus& status : runtime.run(document.add_all(two))) EXPECT_EQ(status.state, SourceState::failed);
  embedder->after = [](std::vector<float>& values) { values[3] = std::numeric_limits<float>::quiet_NaN(); };
  EXPECT_EQ(code_of([&] { runtime.run(document.add(Source("nan", "text"))); }), Errc::rejected);
  embedder->after = nullptr;
  EXPECT_TRUE(retrieve(document, "text", by_cosine()).empty());
  runtime.run(document.add(Source("fine", "text")));
  EXPECT_EQ(retrieve(document, "text", by_cosine()).size(), 1u);
}

TEST_F(BadInputTest, AnEmbedderThatNeverReturnsEndsAtItsTimeout) {
  DocumentOptions options = with_embedder(never_embedder());
  options.embed_timeout = std::chrono::milliseconds(30);
  Document document = open(options);
  runtime.run(document.build(kMediumChunk));
  EXPECT_EQ(code_of([&] { runtime.run(document.add(Source("a", "text"))); }), Errc::timeout);
  EXPECT_EQ(code_of([&] { retrieve(document, "text", by_cosine()); }), Errc::timeout);
  EXPECT_EQ(runtime.run(document.sources()).front().state, SourceState::failed);
}

TEST_F(BadInputTest, AQueryWithADeadlineDoesNotWaitForABlockedEmbedder) {
  // Shared: on a busy machine the call may begin after the query has timed out and this test has ended.
  const auto release = std::make_shared<std::latch>(1);
  EmbedderIdentity identity;
  identity.name = "blocked";
  identity.dimension = 4;
  const auto blocked = function_embedder(runtime.pool(), identity,
                                         [release](std::span<const std::string> texts, EmbedRole, const StopToken&) {
                                           release->wait();
                                           return std::vector<float>(texts.size() * 4, 1.0F);
                                         });
  Document document = open(with_embedder(blocked));
  const Retriever retriever(document, by_cosine());
  CallContext context;
  context = context.with_timeout(std::chrono::milliseconds(30));
  EXPECT_EQ(code_of([&] { runtime.run(retriever.retrieve("text", context)); }), Errc::timeout);
  release->count_down();
}

TEST_F(BadInputTest, AFileThatVanishesBetweenScanAndReadIsReported) {
  TemporaryFolder folder;
  for (int i = 0; i < 100; ++i) folder.write("f" + std::to_string(i) + ".txt", "text " + std::to_string(i));
  DocumentOptions options;
  options.dataset = folder.path();
  options.batch_sources = 1;
  options.batches_in_flight = 1;
  Document document = open(options);
  document.on_progress([&](const Progress& progress) {
    if (progress.sources_done == 0) fs::remove(folder.path() / "f99.txt");
  });
  const SyncReport report = sync(document);
  EXPECT_EQ(report.added, 99u);
  ASSERT_EQ(report.failed, 1u);
  EXPECT_EQ(report.failures[0].id, "f99.txt");
  EXPECT_EQ(report.failures[0].stage, Stage::load);
  const SyncReport next = sync(document);
  EXPECT_EQ(next.failed, 0u);
  EXPECT_EQ(runtime.run(document.sources()).size(), 99u);
}

}  // namespace
}  // namespace ragstone::test
