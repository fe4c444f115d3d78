#include "support/unprivileged.hpp"
#include "synced_folder.hpp"
#include <ragstone/model/sqlite_store.hpp>

#include <filesystem>
#include <map>
#include <stdexcept>
#include <utility>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

class SyncFailures : public RagTest {
 protected:
  /// Over a few files and `refused`, which a build has failed for as the embedder refuses them.
  Document open_with_refused(const std::map<std::string, std::string>& refused) {
    write_files(folder, 3);
    for (const auto& [name, text] : refused) folder.write(name, text);
    age(folder);
    embedder->refused = "毒";
    Document document = open_folder(folder, embedder);
    sync(document);
    EXPECT_FALSE(retrieve(document, "subject1").empty());
    return document;
  }

  /// Over ten files and what is in the folder already, with paragraphs; the embedder refuses those with "poison".
  Document open_with_paragraphs() {
    write_files(folder, 10);
    embedder->refused = "poison";
    Document document = open_folder(folder, embedder);
    document.add_group(NodeGroup("Paragraph", paragraph_chunker()));
    runtime.run(document.build("Paragraph"));
    return document;
  }

  static RetrieverOptions by_vectors() {
    RetrieverOptions options;
    options.similarity = Similarity::cosine;
    return options;
  }

  TemporaryFolder folder;
  const std::shared_ptr<CountingEmbedder> embedder = std::make_shared<CountingEmbedder>();
};

TEST_F(SyncFailures, AMovedFileThatCannotBeReadStaysSearchableUnderItsOldName) {
  /// Reads no file whose name says so.
  class ChoosyReader final : public Reader {
   public:
    bool accepts(std::string_view path) const noexcept override { return path.ends_with(".txt"); }
    const std::string& signature() const noexcept override { return signature_; }

   private:
    ReadText do_read(const RawFile& file, const StopToken&) const override {
      if (file.path.find("unreadable") != std::string::npos) throw std::runtime_error("this reader is choosy");
      ReadText read;
      read.text = file.bytes;
      return read;
    }

    const std::string signature_ = "choosy/1";
  };
  folder.write("old.txt", "kiwi 猕猴桃\n");
  folder.write("vanishes.txt", "lemon and lime\n");
  folder.write("deleted.txt", "a melon\n");
  DocumentOptions options;
  options.dataset = folder.path();
  options.readers.push_back(std::make_shared<ChoosyReader>());
  Document document = open(std::move(options));
  sync(document);
  fs::rename(folder.path() / "old.txt", folder.path() / "unreadable.txt");
  fs::rename(folder.path() / "vanishes.txt", folder.path() / "gone.txt");
  fs::remove(folder.path() / "deleted.txt");
  document.on_progress([&](const Progress& progress) {
    if (progress.sources_done == 0) fs::remove(folder.path() / "gone.txt");
  });
  const SyncReport report = sync(document);
  EXPECT_EQ(report.failed, 2U);
  EXPECT_EQ(report.removed, 1U) << "of no size that could not be read";
  EXPECT_EQ(retrieve(document, "猕猴桃").at(0).source, "old.txt");
  EXPECT_EQ(retrieve(document, "lemon").at(0).source, "vanishes.txt");
  EXPECT_TRUE(retrieve(document, "melon").empty());

  document.on_progress(nullptr);
  fs::rename(folder.path() / "unreadable.txt", folder.path() / "new.txt");
  const SyncReport next = sync(document);
  EXPECT_EQ(next.moved, 1U);
  EXPECT_EQ(next.removed, 1U);
  EXPECT_EQ(retrieve(document, "猕猴桃").at(0).source, "new.txt");
  EXPECT_EQ(runtime.run(document.sources()).size(), 1U);
}

TEST_F(SyncFailures, FilesThatNoReaderAcceptsAnyMoreKeepWhatIsStoredOfThem) {
  const TemporaryFolder kb;
  write_files(folder, 1);
  folder.write("a.pdf", "kiwi 猕猴桃\n");
  folder.write("b.pdf", "lemon\n");
  for (const char* name : {"e", "c", "d"}) folder.write(std::string(name) + ".pdf", name);
  age(folder);
  DocumentOptions options;
  options.dataset = folder.path();
  options.store = sqlite_store(kb.path());
  options.readers.push_back(std::make_shared<PlainReader>(".pdf"));
  Document document = open(options);
  EXPECT_EQ(sync(document).added, 6u);
  runtime.run(document.close());

  options.readers.clear();
  document = open(options);
  fs::remove(folder.path() / "b.pdf");
  folder.write("never.pdf", "melon\n");
  const SyncPlan plan = runtime.run(document.plan());
  ASSERT_EQ(plan.problems.size(), 4u);
  EXPECT_EQ(plan.removals, std::vector<std::string>{"b.pdf"});
  const SyncReport report = sync(document);
  ASSERT_EQ(report.failures.size(), 4u);
  EXPECT_EQ(report.failures[0].id, "a.pdf");
  EXPECT_EQ(report.failures[3].id, "e.pdf");
  EXPECT_NE(report.failures[0].reason.find("no reader accepts it any more"), std::string::npos);
  EXPECT_EQ(report.removed, 1u);
  EXPECT_EQ(report.ignored, 1u) << "nothing is stored of it";
  EXPECT_EQ(retrieve(document, "猕猴桃").at(0).source, "a.pdf");

  EXPECT_TRUE(runtime.run(document.remove("a.pdf")));
  EXPECT_EQ(sync(document).failed, 3u);
}

TEST_F(SyncFailures, AFolderThatCannotBeOpenedUnderItsNewNameKeepsWhatIsMissing) {
  if (rerun_unprivileged()) return;
  const TemporaryFolder own;  // not the fixture's, which may be root's
  write_files(own, 3);
  own.write("old/kiwi.md", "kiwi 猕猴桃\n");
  Document document = open_folder(own);
  sync(document);
  fs::rename(own.path() / "old", own.path() / "new");
  fs::permissions(own.path() / "new", fs::perms::none);
  EXPECT_TRUE(runtime.run(document.plan()).removals.empty());
  const SyncReport report = sync(document);
  EXPECT_EQ(report.removed, 0u);
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_EQ(report.failures[0].id, "new");
  EXPECT_NE(report.failures[0].reason.find("missing elsewhere may be in there, and is kept"), std::string::npos);
  EXPECT_EQ(retrieve(document, "猕猴桃").at(0).source, "old/kiwi.md");

  fs::permissions(own.path() / "new", fs::perms::owner_all);
  EXPECT_EQ(sync(document).moved, 1u);
  EXPECT_EQ(retrieve(document, "猕猴桃").at(0).source, "new/kiwi.md");
}

TEST_F(SyncFailures, AFolderThatCouldBeOpenedBeforeKeepsOnlyWhatItHeld) {
  if (rerun_unprivileged()) return;
  const TemporaryFolder own;  // not the fixture's, which may be root's
  own.write("closed/kiwi.md", "kiwi 猕猴桃\n");
  own.write("lemon.md", "lemon\n");
  own.write("melon.md", "melon\n");
  Document document = open_folder(own);
  sync(document);
  fs::remove(own.path() / "lemon.md");
  fs::permissions(own.path() / "closed", fs::perms::none);
  const SyncReport report = sync(document);
  EXPECT_EQ(report.removed, 1u);
  EXPECT_EQ(report.failed, 1u);
  EXPECT_EQ(retrieve(document, "猕猴桃").at(0).source, "closed/kiwi.md");
  fs::permissions(own.path() / "closed", fs::perms::owner_all);
}

TEST_F(SyncFailures, AnIncrementalCleanupTriesAgainWhatFailedAsItIsStoredAndForgetsWhatHoldsNothing) {
  Document document = open_with_refused({{"poison.md", "毒药 poison 🍏\n"}});
  fs::remove(folder.path() / "poison.md");
  folder.write("never.md", "毒");
  SyncOptions options;
  options.cleanup = SyncCleanup::incremental;
  EXPECT_EQ(sync(document, options).failed, 2u) << "one of them never got in";
  fs::remove(folder.path() / "never.md");
  EXPECT_EQ(runtime.run(document.plan(options)).retries, std::vector<std::string>{"poison.md"});
  embedder->refused.clear();
  EXPECT_EQ(sync(document, options).failed, 0u);
  const std::vector<Hit> hits = retrieve(document, "毒药 poison 🍏", by_vectors());
  ASSERT_FALSE(hits.empty());
  EXPECT_EQ(hits[0].source, "poison.md");
  EXPECT_EQ(hits[0].metadata.text("file_name"), "poison.md");
  EXPECT_EQ(runtime.run(document.sources()).size(), 4u);
  options.cleanup = SyncCleanup::full;
  EXPECT_EQ(sync(document, options).removed, 1u) << "it is still a file that is gone";
}

TEST_F(SyncFailures, FilesThatABuildFailedForAreTriedAgainAsTheyAreStored) {
  Document document = open_with_refused({{"poison.md", "毒药 poison 🍏\n"}, {"gone.md", "毒草 another\n"}});
  fs::remove(folder.path() / "gone.md");
  EXPECT_EQ(runtime.run(document.retry_failed()).size(), 2u);
  embedder->refused.clear();
  EXPECT_TRUE(runtime.run(document.retry_failed()).empty());
  EXPECT_EQ(retrieve(document, "毒药 poison 🍏", by_vectors()).at(0).source, "poison.md");
  EXPECT_EQ(retrieve(document, "毒草 another", by_vectors()).at(0).source, "gone.md");
  const std::size_t calls = embedder->calls();
  const SyncReport report = sync(document);
  EXPECT_EQ(report.unchanged, 4u) << "the files that are there are known as they were read";
  EXPECT_EQ(report.removed, 1u);
  EXPECT_EQ(embedder->calls(), calls);
}

TEST_F(SyncFailures, AFailingSourceStopsNoOtherAndIsTriedAgain) {
  folder.write("bad.txt", "the poison word");
  Document document = open_with_paragraphs();
  const SyncReport report = sync(document);
  EXPECT_EQ(report.added, 10u);
  ASSERT_EQ(report.failed, 1u);
  EXPECT_EQ(report.failures[0].id, "bad.txt");
  EXPECT_EQ(report.failures[0].stage, Stage::embed);
  EXPECT_NE(report.failures[0].reason.find("refused by the model"), std::string::npos);
  const std::vector<SourceStatus> statuses = runtime.run(document.sources());
  ASSERT_EQ(statuses.size(), 11u);
  EXPECT_EQ(statuses[0].state, SourceState::failed);
  EXPECT_EQ(statuses[0].attempts, 1u);

  EXPECT_EQ(sync(document).failed, 1u);
  EXPECT_EQ(runtime.run(document.sources())[0].attempts, 2u);
  embedder->refused.clear();
  EXPECT_EQ(sync(document).added, 1u);
  EXPECT_EQ(runtime.run(document.sources())[0].state, SourceState::ready);
  EXPECT_FALSE(retrieve(document, "poison",
                        [] {
                          RetrieverOptions o;
                          o.group = "Paragraph";
                          return o;
                        }())
                   .empty());
}

TEST_F(SyncFailures, ManyRefusedTextsOfOneSourceFailNoOther) {
  folder.write("aaa.md", "poison one\n\npoison two\n\npoison three\n\npoison four");
  Document document = open_with_paragraphs();
  const SyncReport report = sync(document);
  EXPECT_EQ(report.added, 10u);
  EXPECT_EQ(report.failed, 1u);
}

TEST_F(SyncFailures, AChangedFileThatFailsStaysSearchableInItsOldForm) {
  folder.write("a.txt", "the old wording");
  Document document = open_folder(folder);
  sync(document);
  retrieve(document, "old");
  folder.write("a.txt", std::string("\x00\xff\xfe\x00 binary now", 15));
  const SyncReport report = sync(document);
  ASSERT_EQ(report.failed, 1u);
  EXPECT_EQ(report.failures[0].stage, Stage::read);
  EXPECT_EQ(retrieve(document, "old").size(), 1u);
}

}  // namespace
}  // namespace ragstone::test
