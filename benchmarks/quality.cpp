// How good the rankings are: nDCG@10 and Recall@100 over collections in BEIR layout, one node per text (title, a space,
// text), by BM25 with two pairs of parameters, by the cosine of hashed features, and by both joined.
//
// The collections are the folders retrieval/* and multihop/* of the folder that RAGSTONE_DATA names; --quick takes the
// five that tests/unit/rag/quality_test.cpp holds to reference figures. Times are of one query at a time, as a caller
// sees them.

#include "support/beir.hpp"
#include "support/data.hpp"
#include "support/evaluation.hpp"
#include "support/report.hpp"
#include <ragstone/ragstone.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using ragstone::test::Quality;

const std::vector<std::string> kQuick = {"retrieval/scifact", "retrieval/cranfield", "retrieval/cisi",
                                         "retrieval/stard", "retrieval/cmrc2018-dev"};

std::vector<std::filesystem::path> collections(bool quick) {
  std::vector<std::filesystem::path> folders;
  if (quick) {
    for (const auto& name : kQuick)
      if (const auto folder = ragstone::test::find_data(name)) folders.push_back(*folder);
    return folders;
  }
  for (const char* group : {"retrieval", "multihop"}) {
    const auto root = ragstone::test::find_data(group);
    if (!root) continue;
    for (const auto& entry : std::filesystem::directory_iterator(*root))
      if (std::filesystem::exists(entry.path() / "corpus.jsonl.gz")) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

struct Ranking {
  const char* name;
  ragstone::Similarity similarity;
  double k1;
  double b;
};

constexpr Ranking kRankings[] = {
    {"bm25 0.9/0.4", ragstone::Similarity::bm25, 0.9, 0.4},
    {"bm25 1.2/0.75", ragstone::Similarity::bm25, 1.2, 0.75},
    {"hashing cosine", ragstone::Similarity::cosine, 0.9, 0.4},
    {"hybrid", ragstone::Similarity::hybrid, 0.9, 0.4},
};

void measure(const std::filesystem::path& folder, ragstone::bench::Report& report) {
  ragstone::Runtime runtime;
  auto collection = ragstone::test::load_beir(folder);
  const std::string name = collection.name;
  const std::size_t texts = collection.corpus.size();
  const std::size_t queries = collection.queries.size();
  const ragstone::test::Evaluation evaluation(runtime, std::move(collection),
                                              ragstone::hashing_embedder(runtime.pool()));
  std::printf("\n%s: %zu texts, %zu queries, added and built in %.2f s\n", name.c_str(), texts, queries,
              evaluation.build_time().count());
  std::printf("  %-16s %9s %11s %12s\n", "", "nDCG@10", "Recall@100", "ms per query");
  for (const Ranking& ranking : kRankings) {
    ragstone::RetrieverOptions options;
    options.similarity = ranking.similarity;
    options.bm25.k1 = ranking.k1;
    options.bm25.b = ranking.b;
    const Quality quality = evaluation.measure(options);
    std::printf("  %-16s %9.4f %11.4f %12.3f\n", ranking.name, quality.ndcg_at_10, quality.recall_at_100,
                quality.query_time.count());
    std::fflush(stdout);
    const std::string prefix = name + ", " + ranking.name + ", ";
    report.add(prefix + "nDCG@10", quality.ndcg_at_10, "");
    report.add(prefix + "Recall@100", quality.recall_at_100, "");
    report.add(prefix + "query time", quality.query_time.count(), "ms");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const ragstone::bench::Arguments arguments(argc, argv);
  const auto folders = collections(arguments.quick);
  if (folders.empty()) {
    std::fprintf(stderr, "No collections: set RAGSTONE_DATA to a folder that has retrieval/ or multihop/.\n");
    return 2;
  }
  try {
    ragstone::bench::Report report("quality");
    for (const auto& folder : folders) measure(folder, report);
    report.write(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "quality: %s\n", error.what());
    return 1;
  }
  return 0;
}
