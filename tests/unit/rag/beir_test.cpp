#include "support/data.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/rag/beir.hpp>

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

/// A small collection in the layout that BEIR's archives have.
class BeirTest : public testing::Test {
 protected:
  BeirTest() {
    write("corpus.jsonl", R"({"_id": "d1", "title": "Keys", "text": "Keys are rotated daily.", "metadata": {}})"
                          "\n"
                          R"({"_id": "d2", "title": null, "text": "密钥每天轮换。"})"
                          "\r\n\n"
                          R"({"_id": 3, "text": "Stones."})");
    write("queries.jsonl", R"({"_id": "q1", "text": "rotating keys"})"
                           "\n"
                           R"({"_id": "q2", "text": "轮换密钥"})"
                           "\n"
                           R"({"_id": "q3", "text": "never judged"})"
                           "\n");
    write("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq2\td2\t2\nq1\td1\t1\nq1\t3\t0\n");
  }

  void write(const std::string& name, const std::string& content) {
    const std::filesystem::path path = folder() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
  }
  std::filesystem::path folder() const { return temporary_.path() / "keys"; }
  Error error(const BeirOptions& options = {}) const {
    return error_of([&] { load_beir(folder(), options); });
  }
  void expect_parse_error(const std::string& part) const {
    const Error refused = error();
    EXPECT_EQ(refused.errc(), Errc::parse_error);
    EXPECT_NE(std::string(refused.what()).find(part), std::string::npos) << refused.what();
  }

 private:
  TemporaryFolder temporary_;
};

TEST_F(BeirTest, ReadsTheLayoutOfTheArchives) {
  const BeirCollection collection = load_beir(folder());
  EXPECT_EQ(collection.name, "keys");
  ASSERT_EQ(collection.corpus.size(), 3u);
  EXPECT_EQ(collection.corpus[0].text, "Keys Keys are rotated daily.");
  EXPECT_EQ(collection.corpus[1].text, "密钥每天轮换。");
  EXPECT_EQ(collection.corpus[2].id, "3");
  ASSERT_EQ(collection.queries.size(), 2u);
  EXPECT_EQ(collection.queries[0].text, "rotating keys");
  EXPECT_EQ(collection.queries[0].judgements, (Judgements{{"d1", 1}}));
  EXPECT_EQ(collection.queries[1].judgements, (Judgements{{"d2", 2}}));
  EXPECT_EQ(collection.skipped_judgements, 0u);
  EXPECT_EQ(load_beir(folder() / "").name, "keys");
}

TEST_F(BeirTest, SkipsJudgementsOfWhatIsNotThereAndCountsThem) {
  write("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\tgone\t1\nq9\td1\t1\n");
  const BeirCollection collection = load_beir(folder());
  EXPECT_EQ(collection.queries.size(), 1u);
  EXPECT_EQ(collection.skipped_judgements, 2u);
}

TEST_F(BeirTest, TakesTheJudgementsThatAreAskedFor) {
  write("qrels/dev.tsv", "query-id\tcorpus-id\tscore\nq3\td1\t1\n");
  write("qrels.tsv", "q3\td2\t1\n");
  EXPECT_EQ(load_beir(folder()).queries[0].id, "q1");
  BeirOptions options;
  options.split = "dev";
  EXPECT_EQ(load_beir(folder(), options).queries[0].id, "q3");
  options.split = "train";
  EXPECT_EQ(error(options).errc(), Errc::not_found);
  options.split = "../test";
  EXPECT_EQ(error(options).errc(), Errc::invalid_argument);
  std::filesystem::remove_all(folder() / "qrels");
  EXPECT_EQ(load_beir(folder()).queries[0].judgements, (Judgements{{"d2", 1}})) << "without a line of names";
  std::filesystem::remove(folder() / "qrels.tsv");
  EXPECT_EQ(error().errc(), Errc::not_found);
}

TEST_F(BeirTest, UnpacksFilesByWhatItIsGiven) {
  std::filesystem::rename(folder() / "corpus.jsonl", folder() / "corpus.jsonl.gz");
  EXPECT_EQ(error().errc(), Errc::unsupported);
  BeirOptions options;
  options.unpack = [](const std::filesystem::path& path) { return read_file(path); };
  EXPECT_EQ(load_beir(folder(), options).corpus.size(), 3u);
}

TEST_F(BeirTest, SaysInWhichLineOfWhichFileSomethingIsWrong) {
  const std::string good = read_file(folder() / "corpus.jsonl");
  for (const char* line : {"{", "[1]", "7", R"({"_id": "d9", "text": 5})", R"({"_id": "d9", "text": "x", "title": 5})",
                           R"({"text": "x"})", R"({"_id": "", "text": "x"})", R"({"_id": "d9"})",
                           R"({"_id": "d1", "text": "x"})", "{\"_id\": \"d9\", \"text\": \"\xFF\"}"}) {
    SCOPED_TRACE(line);
    write("corpus.jsonl", good + "\n" + line + "\n");
    expect_parse_error("corpus.jsonl, line 5: ");
  }
  write("corpus.jsonl", good);
  for (const char* line : {"q1\td1", "q1\td1\t1\t1", "q1 d1 1", "q1\td1\tyes", "q1\td1\t1.5", "q1\td1\t"}) {
    SCOPED_TRACE(line);
    write("qrels/test.tsv", std::string("query-id\tcorpus-id\tscore\n") + line + "\n");
    expect_parse_error("test.tsv, line 2: ");
  }
  write("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\tgone\t1\n");
  EXPECT_EQ(error().errc(), Errc::not_found);
  EXPECT_NE(std::string(error().what()).find("1 judgements are of texts"), std::string::npos);
  std::filesystem::remove(folder() / "queries.jsonl");
  EXPECT_EQ(error().errc(), Errc::not_found);
}

}  // namespace
}  // namespace ragstone::test
