#include "rag_fixture.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace ragstone::test {
namespace {

/// Indexes that are saved in a store's folder.
class SavedIndexTest : public RagTest {
 protected:
  Document open_store(std::shared_ptr<Index> index, bool only_read = false) {
    return open_store(std::move(index), only_read, folder);
  }

  Document open_store(std::shared_ptr<Index> index, bool only_read, const TemporaryFolder& in) {
    DocumentOptions options;
    SqliteOptions sqlite;
    sqlite.lock_timeout = std::chrono::seconds(10);
    if (only_read) sqlite.access = StoreAccess::read_only;
    options.store = sqlite_store(in.path() / "kb", sqlite);
    Document document = open(options);
    document.add_group(NodeGroup("Word", line_chunker()));
    document.register_index("words", "Word", std::move(index));
    return document;
  }

  std::size_t look_up(const Document& document, const std::string& word, const char* mode = "exact",
                      const char* group = "Word") {
    RetrieverOptions options;
    options.group = group;
    options.index = "words";
    Query query(word);
    query.parameters.set("mode", mode);
    return runtime.run(Retriever(document, options).retrieve(query)).size();
  }

  std::string note(const Document& document) { return document.indexes().at(0).note; }

  /// A store with three words and the index of them, closed.
  void fill() {
    Document document = open_store(trie_index());
    runtime.run(document.add(Source("a", "apple\napply\n苹果")));
    EXPECT_EQ(look_up(document, "app", "prefix"), 2u);
    EXPECT_EQ(note(document), "replayed: nothing was saved");
    runtime.run(document.close());
  }

  std::filesystem::path saved_file() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "kb" / "indexes")) return entry.path();
    return {};
  }

  TemporaryFolder folder;
};

TEST_F(SavedIndexTest, ALinearIndexIsLoadedAtTheNextStart) {
  LinearIndexOptions options;
  options.normalized = true;
  {
    Document document = open_store(linear_index(options));
    runtime.run(document.add(Source("a", "Apple\nApply\n苹果")));
    EXPECT_EQ(look_up(document, "APP", "prefix"), 2u);
    runtime.run(document.close());
  }
  {
    Document document = open_store(linear_index(options));
    EXPECT_EQ(look_up(document, "苹果"), 1u);
    EXPECT_EQ(note(document).substr(0, 20), "loaded at generation");
    EXPECT_TRUE(runtime.run(document.verify()).ok());
    runtime.run(document.add(Source("b", "苹果")));
    EXPECT_EQ(look_up(document, "苹果"), 2u);
  }
  Document document = open_store(linear_index());
  EXPECT_EQ(look_up(document, "APP", "prefix"), 0u);
  EXPECT_EQ(note(document).substr(0, 9), "replayed:") << "of another form";
}

TEST_F(SavedIndexTest, IsLoadedAtTheNextStart) {
  fill();
  Document document = open_store(trie_index());
  EXPECT_EQ(look_up(document, "苹果"), 1u);
  EXPECT_EQ(note(document).substr(0, 20), "loaded at generation");
  EXPECT_TRUE(runtime.run(document.verify()).ok());
  runtime.run(document.close());
}

TEST_F(SavedIndexTest, TakesWhatWasCommittedAfterItWasSaved) {
  fill();
  {
    Document document = open_store(trie_index());
    EXPECT_EQ(look_up(document, "apple"), 1u);
    runtime.run(document.add(Source("b", "pear")));
    runtime.run(document.add(Source("a", "apply\n苹果")));
    // Not closed: nothing is saved, and what was committed stays.
  }
  Document document = open_store(trie_index());
  EXPECT_EQ(look_up(document, "pear"), 1u);
  EXPECT_EQ(look_up(document, "apple"), 0u);
  EXPECT_EQ(look_up(document, "", "prefix"), 3u);
  EXPECT_EQ(note(document).substr(0, 20), "loaded at generation");
  runtime.run(document.close());
}

TEST_F(SavedIndexTest, IsReplayedWhereItIsDamagedAndSaysSo) {
  fill();
  const std::filesystem::path file = saved_file();
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  Document document = open_store(trie_index());
  EXPECT_FALSE(runtime.run(document.verify()).ok());
  EXPECT_EQ(look_up(document, "apple"), 1u);
  EXPECT_EQ(note(document).substr(0, 10), "replayed: ");
  EXPECT_NE(note(document).find("bytes where its header says"), std::string::npos);
  EXPECT_TRUE(runtime.run(document.verify()).ok()) << "it was saved anew";
  runtime.run(document.close());
}

TEST_F(SavedIndexTest, VerifyAndQueriesReportDamagedWords) {
  fill();
  {
    const std::filesystem::path file = saved_file();
    std::string bytes(std::filesystem::file_size(file), '\0');
    std::ifstream(file, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    // The dictionary's second section: the words.
    const auto word = bytes.find("apple");
    ASSERT_NE(word, std::string::npos);
    bytes[word - 1] = '\x7F';
    std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  Document document = open_store(trie_index());
  const VerifyReport report = runtime.run(document.verify());
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_NE(report.findings[0].object.find("indexes"), std::string::npos);
  EXPECT_EQ(code_of([&] { look_up(document, "apple"); }), Errc::corrupt_store);
  runtime.run(document.rebuild_index("words"));
  EXPECT_EQ(look_up(document, "apple"), 1u);
  EXPECT_TRUE(runtime.run(document.verify()).ok());
  runtime.run(document.close());
}

TEST_F(SavedIndexTest, IsReplayedWhereItWasMadeWithOtherOptions) {
  fill();
  TrieIndexOptions options;
  options.normalized = true;
  Document document = open_store(trie_index(options));
  EXPECT_EQ(look_up(document, "APPLE"), 1u);
  EXPECT_NE(note(document).find("has the form"), std::string::npos);
  runtime.run(document.close());
}

TEST_F(SavedIndexTest, IsReplayedWhereItWasMadeOverAnotherGroup) {
  {
    Document document = open_store(trie_index());
    document.add_group(NodeGroup("Wort 词", line_chunker(), "Word"));
    runtime.run(document.add(Source("a", "apple\n苹果")));
    runtime.run(document.build("Wort 词"));
    EXPECT_EQ(look_up(document, "apple"), 1u);
    runtime.run(document.close());
  }
  DocumentOptions options;
  options.store = sqlite_store(folder.path() / "kb");
  Document document = open(options);
  document.add_group(NodeGroup("Word", line_chunker()));
  document.add_group(NodeGroup("Wort 词", line_chunker(), "Word"));
  document.register_index("words", "Wort 词", trie_index());
  EXPECT_EQ(look_up(document, "apple", "exact", "Wort 词"), 1u);
  EXPECT_EQ(look_up(document, "苹", "prefix", "Wort 词"), 1u);
  EXPECT_NE(note(document).find(R"(over "Wort 词")"), std::string::npos) << note(document);
  runtime.run(document.close());
}

/// A user's index whose form is as long as the interface allows.
class LongFormIndex final : public Index {
 private:
  void do_update(const IndexUpdate&, const StopToken&) override {}
  void do_clear() override {}
  std::vector<ScoredNode> do_query(const IndexQuery&, const StopToken&) const override { return {}; }
  std::string do_form() const override { return std::string(4096, 'f'); }
  void do_save(IndexOutput&, const StopToken&) const override {}
  void do_load(std::shared_ptr<const IndexImage>) override {}
};

TEST_F(SavedIndexTest, HasRoomForTheLongestFormAndGroup) {
  const std::string group(255, 'g');
  for (int start = 0; start < 2; ++start) {
    DocumentOptions options;
    options.store = sqlite_store(folder.path() / "kb");
    Document document = open(options);
    document.add_group(NodeGroup(group, line_chunker()));
    document.register_index("words", group, std::make_shared<LongFormIndex>());
    runtime.run(document.add(Source("a", "apple")));
    look_up(document, "apple", "exact", group.c_str());
    EXPECT_EQ(note(document).substr(0, 8), start == 0 ? "replayed" : "loaded a") << note(document);
    runtime.run(document.close());
  }
}

TEST_F(SavedIndexTest, ServesAReaderOfTheStore) {
  fill();
  Document document = open_store(trie_index(), true);
  EXPECT_EQ(look_up(document, "apple"), 1u);
  EXPECT_EQ(note(document).substr(0, 20), "loaded at generation");
  runtime.run(document.close());
}

TEST_F(SavedIndexTest, OfAReaderFollowsTheWriter) {
  for (const bool is_trie : {true, false}) {
    const auto make = [&] { return is_trie ? trie_index() : linear_index(); };
    TemporaryFolder own;
    Document writer = open_store(make(), false, own);
    runtime.run(writer.add(Source("a", "apple\n苹果")));
    EXPECT_EQ(look_up(writer, "apple"), 1u);
    Document reader = open_store(make(), true, own);
    EXPECT_EQ(look_up(reader, "苹果"), 1u);
    for (int i = 0; i < 3; ++i) {
      runtime.run(writer.add(Source("b" + std::to_string(i), "pear\n梨子")));
      const auto pears = static_cast<std::size_t>(i) + 1;
      EXPECT_EQ(look_up(reader, "pear"), pears) << is_trie;
      EXPECT_EQ(look_up(reader, "梨", "prefix"), pears) << is_trie;
    }
    runtime.run(writer.remove("a"));
    EXPECT_EQ(look_up(reader, "苹果"), 0u);
    EXPECT_EQ(reader.indexes().at(0).generation, writer.indexes().at(0).generation);
    runtime.run(reader.close());
    runtime.run(writer.close());
  }
}

TEST_F(SavedIndexTest, IsSavedWithoutHavingBeenQueried) {
  {
    Document writer = open_store(trie_index());
    runtime.run(writer.add(Source("a", "apple\n苹果")));
    runtime.run(writer.build("Word"));
    runtime.run(writer.close());
  }
  {
    Document reader = open_store(trie_index(), true);
    EXPECT_EQ(look_up(reader, "苹果"), 1u);
    EXPECT_EQ(note(reader).substr(0, 20), "loaded at generation");
    runtime.run(reader.close());
  }
  Generation written = 0;
  {
    Document writer = open_store(trie_index());
    runtime.run(writer.add(Source("b", "pear")));
    runtime.run(writer.close());
    written = writer.indexes().at(0).generation;
  }
  Document reader = open_store(trie_index(), true);
  EXPECT_EQ(look_up(reader, "pear"), 1u);
  EXPECT_EQ(note(reader), "loaded at generation " + std::to_string(written));
  runtime.run(reader.close());
}

TEST_F(SavedIndexTest, IsNotMadeForAGroupThatTheStoreDoesNotHold) {
  Document document = open_store(trie_index());
  runtime.run(document.add(Source("a", "apple")));
  runtime.run(document.close());
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "kb" / "indexes"));
}

TEST_F(SavedIndexTest, GoesAlongWithABackup) {
  fill();
  const auto copy = folder.path() / "copy";
  {
    Document document = open_store(trie_index());
    EXPECT_EQ(look_up(document, "apple"), 1u);
    runtime.run(document.backup(copy));
    runtime.run(document.close());
  }
  std::filesystem::remove_all(folder.path() / "kb");
  std::filesystem::rename(copy, folder.path() / "kb");
  Document document = open_store(trie_index());
  EXPECT_EQ(look_up(document, "apple"), 1u);
  EXPECT_EQ(note(document).substr(0, 20), "loaded at generation");
  runtime.run(document.close());
}

TEST_F(SavedIndexTest, IsForgottenWhereItIsNewerThanTheStore) {
  const auto copy = folder.path() / "before";
  {
    Document document = open_store(trie_index());
    runtime.run(document.add(Source("a", "apple")));
    runtime.run(document.backup(copy));
    runtime.run(document.add(Source("b", "pear")));
    EXPECT_EQ(look_up(document, "pear"), 1u);
    runtime.run(document.close());
  }
  // The store as a crash may leave it: without its last commit.
  for (const char* name : {"store.db", "store.db-wal", "store.db-shm"})
    std::filesystem::remove(folder.path() / "kb" / name);
  std::filesystem::copy(copy / "store.db", folder.path() / "kb" / "store.db");
  Document document = open_store(trie_index());
  runtime.run(document.add(Source("c", "plum")));
  EXPECT_EQ(look_up(document, "plum"), 1u);
  EXPECT_EQ(look_up(document, "pear"), 0u);
  EXPECT_EQ(note(document), "replayed: nothing was saved");
  runtime.run(document.close());
}

TEST_F(SavedIndexTest, NeedsNoFilesInAStoreWithoutThem) {
  Document document = open();
  document.add_group(NodeGroup("Word", line_chunker()));
  document.register_index("words", "Word", trie_index());
  runtime.run(document.add(Source("a", "apple\napply")));
  EXPECT_EQ(look_up(document, "aple", "edits"), 2u);
  runtime.run(document.add(Source("a", "apple")));
  EXPECT_EQ(look_up(document, "app", "prefix"), 1u);
}

}  // namespace
}  // namespace ragstone::test
