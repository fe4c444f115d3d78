#include "synced_folder.hpp"
#include <ragstone/model/sqlite_store.hpp>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;
using SyncTest = RagTest;

TEST_F(SyncTest, ReadsAFolderAndThenNothingAgain) {
  TemporaryFolder folder;
  write_files(folder, 30);
  folder.write("image.png", "not for a reader");
  age(folder);
  const auto embedder = std::make_shared<CountingEmbedder>();
  Document document = open_folder(folder, embedder);
  const SyncReport first = sync(document);
  EXPECT_EQ(first.added, 30u);
  EXPECT_EQ(first.ignored, 1u);
  EXPECT_EQ(first.failed, 0u);
  ASSERT_FALSE(retrieve(document, "subject7").empty());
  EXPECT_EQ(retrieve(document, "subject7")[0].source, "part0/file7.md");
  EXPECT_EQ(retrieve(document, "subject7")[0].metadata.text("title"), "Title 7");
  EXPECT_EQ(retrieve(document, "subject7")[0].metadata.text("file_name"), "file7.md");

  const std::size_t calls = embedder->calls();
  const SyncReport second = sync(document);
  EXPECT_EQ(second.unchanged, 30u);
  EXPECT_EQ(second.added + second.changed + second.moved + second.removed, 0u);
  EXPECT_EQ(sync(document).generation, second.generation) << "nothing is written";
  EXPECT_EQ(embedder->calls(), calls);
}

TEST_F(SyncTest, OneChangedFileAmong400RedoesExactlyItsNodes) {
  TemporaryFolder folder;
  write_files(folder, 400);
  age(folder);
  const auto embedder = std::make_shared<CountingEmbedder>();
  Document document = open_folder(folder, embedder);
  document.add_group(NodeGroup("Paragraph", paragraph_chunker()));
  sync(document);
  runtime.run(document.build("Paragraph"));
  const std::vector<Node> before = nodes(document, "Paragraph");
  ASSERT_EQ(before.size(), 1200u);
  const std::size_t texts = embedder->texts();

  folder.write("part3/file3.md", "# Title 3\n\nA new paragraph.\n\nParagraph about subject3.\n\n第3个主题。\n");
  const SyncReport report = sync(document);
  EXPECT_EQ(report.changed, 1u);
  EXPECT_EQ(report.unchanged, 399u);
  EXPECT_EQ(embedder->texts() - texts, 1u) << "three of the four paragraphs were known";

  const std::vector<Node> after = nodes(document, "Paragraph");
  ASSERT_EQ(after.size(), 1201u);
  std::set<NodeId> ids_before;
  for (const Node& node : before) ids_before.insert(node.id);
  std::vector<Node> fresh;
  for (const Node& node : after)
    if (!ids_before.contains(node.id)) fresh.push_back(node);
  ASSERT_EQ(fresh.size(), 1u);
  EXPECT_EQ(fresh[0].text, "A new paragraph.");
  const std::set<Uid> all = uids(after);
  for (const Node& node : before) EXPECT_TRUE(all.contains(node.uid)) << "an inserted paragraph renames no other node";
  expect_spans_true(document, "Paragraph");
}

TEST_F(SyncTest, AMovedFileCostsNoEmbedding) {
  TemporaryFolder folder;
  write_files(folder, 20);
  age(folder);
  const auto embedder = std::make_shared<CountingEmbedder>();
  Document document = open_folder(folder, embedder);
  sync(document);
  runtime.run(document.build(kMediumChunk));
  const std::size_t calls = embedder->calls();
  fs::create_directory(folder.path() / "moved");
  fs::rename(folder.path() / "part0/file7.md", folder.path() / "moved/renamed.md");
  const SyncReport report = sync(document);
  EXPECT_EQ(report.moved, 1u);
  EXPECT_EQ(report.removed, 0u);
  EXPECT_EQ(report.added, 0u);
  EXPECT_EQ(embedder->calls(), calls);
  RetrieverOptions bm25;
  bm25.similarity = Similarity::bm25;
  EXPECT_EQ(retrieve(document, "subject7", bm25)[0].source, "moved/renamed.md");
  EXPECT_EQ(code_of([&] { runtime.run(document.text("part0/file7.md")); }), Errc::not_found);
}

TEST_F(SyncTest, AStoreInTheDatasetIsLeftOut) {
  for (const char* place : {".", "kb"}) {
    TemporaryFolder folder;
    folder.write("a.txt", "apricot");
    age(folder);
    DocumentOptions options;
    options.dataset = folder.path();
    options.store = sqlite_store(folder.path() / place);
    options.readers.push_back(std::make_shared<PlainReader>(""));
    Document document = open(std::move(options));
    EXPECT_EQ(sync(document).added, 1u) << place;
    const SyncReport again = sync(document);
    EXPECT_EQ(again.unchanged, 1u);
    EXPECT_EQ(again.added + again.changed + again.removed + again.failed + again.ignored, 0u);
  }
}

TEST_F(SyncTest, DeletedFilesAreForgotten) {
  TemporaryFolder folder;
  write_files(folder, 10);
  Document document = open_folder(folder);
  sync(document);
  fs::remove(folder.path() / "part0/file7.md");
  const SyncReport report = sync(document);
  EXPECT_EQ(report.removed, 1u);
  EXPECT_EQ(runtime.run(document.sources()).size(), 9u);
  EXPECT_TRUE(retrieve(document, "subject7").empty());
}

/// Before it embeds for the first time, adds these sources to a document.
class AddingEmbedder final : public Embedder {
 public:
  AddingEmbedder() {
    identity_.name = "adding";
    identity_.dimension = 1;
  }
  const EmbedderIdentity& identity() const noexcept override { return identity_; }

  Document document;
  std::vector<Source> sources;

 private:
  Task<EmbeddedBatch> do_embed(std::span<const std::string> texts, EmbedRole, CallContext) override {
    if (Document adding = std::exchange(document, Document())) co_await adding.add_all(sources);
    co_return std::vector<float>(texts.size(), 1);
  }

  EmbedderIdentity identity_;
};

TEST_F(SyncTest, SourcesThatAreAddedWhileItRunsAreNotRemoved) {
  TemporaryFolder folder;
  write_files(folder, 2);
  for (const std::string name : {"gone", "更名"}) folder.write(name + ".md", name + "与苹果\n");
  folder.write("never read.md", std::string(200, 'x'));
  const auto embedder = std::make_shared<AddingEmbedder>();
  DocumentOptions options;
  options.dataset = folder.path();
  options.embedders["test"] = embedder;
  options.max_source_bytes = 100;
  Document document = open(std::move(options));
  EXPECT_EQ(sync(document).failed, 1U);
  runtime.run(document.build(kMediumChunk));

  for (const char* name : {"gone.md", "never read.md", "part0/file0.md"}) fs::remove(folder.path() / name);
  fs::rename(folder.path() / "更名.md", folder.path() / "renamed.md");
  folder.write("new.md", "This one is embedded.\n");
  embedder->document = document;
  for (const std::string name : {"gone", "更名", "never read"})
    embedder->sources.emplace_back(name + ".md", name + "与苹果\n");
  const SyncReport report = sync(document);
  for (const Source& source : embedder->sources) EXPECT_EQ(runtime.run(document.text(source.id)), source.text);
  EXPECT_EQ(code_of([&] { runtime.run(document.text("part0/file0.md")); }), Errc::not_found);
  EXPECT_EQ(report.removed, 1U);
  EXPECT_EQ(report.added, 2U) << "new.md, and renamed.md beside what it was";
  EXPECT_EQ(report.moved, 0U);
  EXPECT_EQ(runtime.run(document.sources()).size(), 6U);
}

TEST_F(SyncTest, SourcesAddedByHandSurviveASync) {
  TemporaryFolder folder;
  write_files(folder, 3);
  Document document = open_folder(folder);
  runtime.run(document.add(Source("by hand", "zebra")));
  sync(document);
  sync(document);
  EXPECT_EQ(runtime.run(document.sources()).size(), 4u);
}

TEST_F(SyncTest, AnEmptyScanRemovesNothingUnlessAsked) {
  TemporaryFolder folder;
  write_files(folder, 5);
  Document document = open_folder(folder);
  sync(document);
  for (const auto& entry : fs::directory_iterator(folder.path())) fs::remove_all(entry.path());
  const SyncReport kept = sync(document);
  EXPECT_TRUE(kept.kept_because_empty);
  EXPECT_EQ(kept.removed, 0u);
  EXPECT_EQ(runtime.run(document.sources()).size(), 5u);
  SyncOptions options;
  options.allow_empty = true;
  EXPECT_EQ(sync(document, options).removed, 5u);
}

TEST_F(SyncTest, AnIncrementalCleanupAddsAndUpdatesOnly) {
  TemporaryFolder folder;
  write_files(folder, 5);
  age(folder);
  Document document = open_folder(folder);
  sync(document);
  std::vector<std::string> ids;
  for (const SourceStatus& source : runtime.run(document.sources())) ids.push_back(source.id);
  ASSERT_EQ(ids.size(), 5u);
  folder.write(ids[0], "zebra 斑马");
  fs::remove(folder.path() / ids[1]);
  fs::rename(folder.path() / ids[2], folder.path() / "moved.md");
  SyncOptions options;
  options.cleanup = SyncCleanup::incremental;
  const SyncReport kept = sync(document, options);
  EXPECT_EQ(kept.added, 1u);
  EXPECT_EQ(kept.changed, 1u);
  EXPECT_EQ(kept.moved, 0u);
  EXPECT_EQ(kept.removed, 0u);
  EXPECT_EQ(kept.unchanged, 4u);
  EXPECT_EQ(runtime.run(document.sources()).size(), 6u);
  EXPECT_EQ(runtime.run(document.text(ids[0])), "zebra 斑马");
  for (const auto& entry : fs::directory_iterator(folder.path())) fs::remove_all(entry.path());
  EXPECT_TRUE(sync(document, options).kept_because_empty) << "what an unmounted volume looks like is told";
  EXPECT_EQ(runtime.run(document.sources()).size(), 6u);
  options.cleanup = SyncCleanup::full;
  options.allow_empty = true;
  EXPECT_EQ(sync(document, options).removed, 6u);
}

TEST_F(SyncTest, ATouchedFileIsReadButNotRedone) {
  TemporaryFolder folder;
  write_files(folder, 5);
  age(folder);
  const auto embedder = std::make_shared<CountingEmbedder>();
  Document document = open_folder(folder, embedder);
  sync(document);
  runtime.run(document.build(kMediumChunk));
  const std::size_t calls = embedder->calls();
  fs::last_write_time(folder.path() / "part0/file0.md", fs::file_time_type::clock::now() - std::chrono::minutes(30));
  EXPECT_EQ(sync(document).unchanged, 5u);
  EXPECT_EQ(embedder->calls(), calls);
}

TEST_F(SyncTest, AnUnchangedFileWhoseTimeIsNotTrustedIsReadAgainAndNothingIsWritten) {
  TemporaryFolder folder;
  write_files(folder, 3);
  age(folder);
  const fs::path future = folder.write("future.md", "A file from a clock that is ahead. 未来。");
  const auto set_time = [&](std::chrono::hours from_now) {
    fs::last_write_time(future, fs::file_time_type::clock::now() + from_now);
  };
  set_time(std::chrono::hours(24));
  const auto embedder = std::make_shared<CountingEmbedder>();
  Document document = open_folder(folder, embedder);
  EXPECT_EQ(sync(document).added, 4u);
  runtime.run(document.build(kMediumChunk));
  const std::size_t calls = embedder->calls();
  const Generation built = sync(document).generation;
  for (int i = 0; i < 3; ++i) {
    set_time(std::chrono::hours(24 + i));
    const SyncReport report = sync(document);
    EXPECT_EQ(report.unchanged, 4u);
    EXPECT_EQ(report.generation, built) << "nothing is written";
  }
  EXPECT_EQ(embedder->calls(), calls);
  set_time(std::chrono::hours(-1));
  EXPECT_EQ(sync(document).unchanged, 4u);
  EXPECT_TRUE(runtime.run(document.plan()).empty()) << "a time that is trusted is kept";
  set_time(std::chrono::hours(24));
  EXPECT_EQ(sync(document).unchanged, 4u);
  folder.write("future.md", "A file from a clock that is AHEAD. 未来。");
  set_time(std::chrono::hours(24));
  EXPECT_EQ(sync(document).changed, 1u);
}

TEST_F(SyncTest, VerifyingUnchangedContentWritesNothing) {
  TemporaryFolder folder;
  write_files(folder, 5);
  age(folder);
  Document document = open_folder(folder);
  const Generation before = sync(document).generation;
  SyncOptions verify;
  verify.verify_content = true;
  const SyncReport report = sync(document, verify);
  EXPECT_EQ(report.unchanged, 5u);
  EXPECT_EQ(report.generation, before);
}

TEST_F(SyncTest, AChangeOfEqualSizeWithinTheClocksTickIsNoticed) {
  TemporaryFolder folder;
  const fs::path file = folder.write("a.txt", "alpha");
  const fs::file_time_type written = fs::last_write_time(file);
  Document document = open_folder(folder);
  sync(document);
  folder.write("a.txt", "gamma");
  fs::last_write_time(file, written);
  EXPECT_EQ(sync(document).changed, 1u);
  EXPECT_EQ(runtime.run(document.text("a.txt")), "gamma");
}

TEST_F(SyncTest, VerifyContentFindsAChangeThatTheStampHides) {
  TemporaryFolder folder;
  const fs::path file = folder.write("a.txt", "alpha");
  age(folder);
  const fs::file_time_type written = fs::last_write_time(file);
  Document document = open_folder(folder);
  sync(document);
  folder.write("a.txt", "gamma");
  fs::last_write_time(file, written);
  EXPECT_EQ(sync(document).changed, 0u);
  SyncOptions verify;
  verify.verify_content = true;
  EXPECT_EQ(sync(document, verify).changed, 1u);
}

TEST_F(SyncTest, ProgressGoesFromNothingToAll) {
  TemporaryFolder folder;
  write_files(folder, 150);
  Document document = open_folder(folder);
  std::vector<Progress> seen;
  document.on_progress([&](const Progress& progress) { seen.push_back(progress); });
  sync(document);
  ASSERT_EQ(seen.size(), 151u);
  EXPECT_EQ(seen.front().sources_done, 0u);
  EXPECT_EQ(seen.back().sources_done, 150u);
  EXPECT_EQ(seen.back().sources_total, 150u);
  EXPECT_EQ(seen.back().bytes_done, seen.back().bytes_total);
  for (std::size_t i = 1; i < seen.size(); ++i) EXPECT_EQ(seen[i].sources_done, seen[i - 1].sources_done + 1);
}

TEST_F(SyncTest, AFileThatGrowsAfterItWasListedHasTheSizeThatWasRead) {
  TemporaryFolder folder;
  folder.write("grows.txt", "short\n");
  Document document = open_folder(folder);
  document.on_progress([&](const Progress& progress) {
    if (progress.sources_done == 0) folder.write("grows.txt", "It is longer by now. 现在更长了。\n");
  });
  sync(document);
  const std::vector<Node> chunks = nodes(document, kMediumChunk);
  ASSERT_EQ(chunks.size(), 1U);
  EXPECT_EQ(*chunks[0].metadata.find("file_size"), Scalar(std::int64_t{40}));
  EXPECT_EQ(runtime.run(document.text("grows.txt")).size(), 40U);
}

TEST_F(SyncTest, TwoSyncsAtOnceDoTheWorkOnce) {
  TemporaryFolder folder;
  write_files(folder, 50);
  age(folder);
  Document document = open_folder(folder);
  std::vector<Task<SyncReport>> both;
  both.push_back(document.sync());
  both.push_back(document.sync());
  const std::vector<SyncReport> reports = runtime.run(gather(std::move(both)));
  EXPECT_EQ(reports[0].added + reports[1].added, 50u);
  EXPECT_EQ(reports[0].unchanged + reports[1].unchanged, 50u);
}

TEST_F(SyncTest, TheFirstQueryCanSyncFirst) {
  TemporaryFolder folder;
  write_files(folder, 8);
  DocumentOptions options;
  options.dataset = folder.path();
  options.auto_sync = AutoSync::before_first_query;
  Document document = open(options);
  EXPECT_TRUE(runtime.run(document.sources()).empty());
  EXPECT_EQ(retrieve(document, "subject5").size(), 1u);
}

TEST_F(SyncTest, SpansPointIntoFilesOfOtherEncodings) {
  TemporaryFolder folder;
  // "Gr\u00fc\u00dfe aus \u4e2d\u56fd. Keys." in UTF-16, little endian, with its mark.
  const std::u16string text = u"\uFEFFGr\u00fc\u00dfe aus \u4e2d\u56fd.\n\nRotate keys.";
  folder.write("a.txt", std::string(reinterpret_cast<const char*>(text.data()), text.size() * 2));
  Document document = open_folder(folder);
  document.add_group(NodeGroup("Paragraph", paragraph_chunker()));
  ASSERT_EQ(sync(document).added, 1u);
  RetrieverOptions options;
  options.group = "Paragraph";
  const std::vector<Hit> hits = retrieve(document, "rotate", options);
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0].text, "Rotate keys.");
  EXPECT_EQ(hits[0].file_span, (Span{2 * (text.size() - 12), 2 * text.size()}));
}

}  // namespace
}  // namespace ragstone::test
