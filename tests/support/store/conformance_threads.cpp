#include "support/rounds.hpp"
#include "support/store/conformance.hpp"
#include "support/store/samples.hpp"
#include <ragstone/base/error.hpp>

#include <atomic>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace ragstone::test {
namespace {

constexpr int kSources = 6;

/// All sources of a commit carry the number of that commit: in their text, metadata, terms and vectors.
Commit versioned(int version) {
  Commit commit;
  for (int i = 0; i < kSources; ++i) {
    const std::string text = "constant line\nversion" + std::to_string(version) + " 行" + std::to_string(i) + "\n";
    SourceWrite write = sample_lines("s" + std::to_string(i), text, {{"version", std::int64_t{version}}});
    const float number = static_cast<float>(version);
    write.groups[1].dense.push_back(sample_vectors("e", "two", {{0, number}, {number, 1}}, 2));
    commit.sources.push_back(std::move(write));
  }
  return commit;
}

/// Reads a snapshot in every way and checks that it is of one version. Returns that version.
int check_one_version(const StoreSnapshot& at) {
  const std::vector<SourceRecord> records = at.sources({});
  if (records.size() != kSources) {
    ADD_FAILURE() << records.size() << " sources";
    return 0;
  }
  const auto version = static_cast<int>(std::get<std::int64_t>(*records[0].metadata.find("version")));
  for (const SourceRecord& record : records) {
    EXPECT_EQ(std::get<std::int64_t>(*record.metadata.find("version")), version);
    EXPECT_EQ(record.generation, at.generation());
  }
  NodeQuery query;
  query.group = "line";
  query.filter = Filter::parse("version == " + std::to_string(version));
  EXPECT_EQ(at.nodes(query).size(), std::size_t{2 * kSources});
  const std::vector<TermWeight> terms = {{"version" + std::to_string(version), 1}};
  EXPECT_EQ(at.search_terms("line", kBm25Key, terms, {}, {}, 100).size(), std::size_t{kSources});
  const std::vector<float> vector = {1, 0};
  const auto best = at.search_vectors("line", "e", vector, Metric::inner_product, {}, 1);
  EXPECT_EQ(best.at(0).score, version);
  const auto text = at.text("s0");
  EXPECT_NE(text->find("version" + std::to_string(version) + " "), std::string::npos);
  return version;
}

TEST_P(StoreConformance, ReadersSeeWholeCommitsWhileAWriterGoesOn) {
  engine().commit(versioned(1));
  const int versions = static_cast<int>(rounds(60));
  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  for (int r = 0; r < 3; ++r)
    readers.emplace_back([&] {
      int last = 0;
      while (!done.load()) {
        const auto at = snapshot();
        const int version = check_one_version(*at);
        EXPECT_GE(version, last) << "snapshots must not go back";
        EXPECT_EQ(check_one_version(*at), version) << "a snapshot must not change";
        const auto change = at->changes("line", at->generation() - 1);
        EXPECT_TRUE(change.has_value());
        last = version;
      }
    });
  for (int version = 2; version <= versions; ++version) engine().commit(versioned(version));
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(check_one_version(*snapshot()), versions);
}

TEST_P(StoreConformance, CommitsFromSeveralThreadsAllArriveOnce) {
  constexpr int kThreads = 4;
  const int each = static_cast<int>(rounds(25));
  std::vector<std::vector<Generation>> generations(kThreads);
  std::vector<std::thread> writers;
  for (int t = 0; t < kThreads; ++t)
    writers.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        const std::string id = std::to_string(t) + "/" + std::to_string(i);
        Commit commit;
        commit.sources.push_back(sample_lines(id, "text " + id + "\n"));
        generations[static_cast<std::size_t>(t)].push_back(engine().commit(std::move(commit)).generation);
      }
    });
  for (std::thread& writer : writers) writer.join();
  std::set<Generation> all;
  for (const auto& of_thread : generations) all.insert(of_thread.begin(), of_thread.end());
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kThreads * each));
  EXPECT_EQ(snapshot()->sources({}).size(), static_cast<std::size_t>(kThreads * each));
  EXPECT_EQ(nodes("line").size(), static_cast<std::size_t>(kThreads * each));
}

}  // namespace
}  // namespace ragstone::test
