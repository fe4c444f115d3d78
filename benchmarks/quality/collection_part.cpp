#include "quality/parts.hpp"
#include "support/beir.hpp"
#include "support/evaluation.hpp"
#include <ragstone/ragstone.hpp>

#include <cstdio>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <vector>

namespace ragstone::bench {
namespace {

struct Ranking {
  const char* name;
  RetrieverOptions options;
};

RetrieverOptions by(Similarity similarity) {
  RetrieverOptions options;
  options.similarity = similarity;
  return options;
}

RetrieverOptions without_boosts() {
  RetrieverOptions options = by(Similarity::bm25);
  options.text_boosts.depth = 0;
  return options;
}

RetrieverOptions with_feedback(double flat_from, double flat_to) {
  RetrieverOptions options = by(Similarity::bm25);
  options.feedback.weight = 0.4;
  options.feedback.flat_from = flat_from;
  options.feedback.flat_to = flat_to;
  return options;
}

RetrieverOptions textbook(double k1, double b) {
  RetrieverOptions options = without_boosts();
  options.bm25 = {k1, b, 1};
  options.query_terms.function_words = true;
  options.query_terms.k3 = 1e6;
  options.query_terms.character = 1;
  return options;
}

// The first one is what the others are compared with.
const std::vector<Ranking> kRankings = {
    {"bm25", by(Similarity::bm25)},
    {"bm25, no boosts", without_boosts()},
    {"bm25, RM3", with_feedback(0, 0)},
    {"bm25, RM3 if flat", with_feedback(0.5, 0.9)},
    {"bm25 0.9/0.4", textbook(0.9, 0.4)},
    {"bm25 1.2/0.75", textbook(1.2, 0.75)},
    {"hashing cosine", by(Similarity::cosine)},
    {"hybrid", by(Similarity::hybrid)},
};

void print(const char* name, const Evaluation& evaluation, const std::optional<Evaluation>& base) {
  const MeanInterval ndcg = evaluation.mean(&QueryScore::ndcg_at_10);
  std::printf("  %-17s %7.4f [%.3f %.3f] %11.4f %8.4f %8.4f %9.3f", name, ndcg.mean, ndcg.low, ndcg.high,
              evaluation.mean(&QueryScore::recall_at_100).mean, evaluation.mean(&QueryScore::reciprocal_rank).mean,
              evaluation.mean(&QueryScore::average_precision).mean, evaluation.mean_time().count());
  if (base) {
    const MeanInterval difference = compare(evaluation, *base, &QueryScore::ndcg_at_10);
    const bool is_clear = difference.low > 0 || difference.high < 0;
    std::printf("   %+.4f [%+.3f %+.3f]%s", difference.mean, difference.low, difference.high, is_clear ? " *" : "");
  }
  std::printf("\n");
  std::fflush(stdout);
}

void add(const std::string& prefix, const Evaluation& evaluation, Report& report) {
  const MeanInterval ndcg = evaluation.mean(&QueryScore::ndcg_at_10);
  report.add(prefix + "nDCG@10", ndcg.mean, "");
  report.add(prefix + "nDCG@10, low", ndcg.low, "");
  report.add(prefix + "nDCG@10, high", ndcg.high, "");
  report.add(prefix + "Recall@100", evaluation.mean(&QueryScore::recall_at_100).mean, "");
  report.add(prefix + "MRR", evaluation.mean(&QueryScore::reciprocal_rank).mean, "");
  report.add(prefix + "MAP", evaluation.mean(&QueryScore::average_precision).mean, "");
  report.add(prefix + "query time", evaluation.mean_time().count(), "ms");
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace

void QualityReport::add_queries(const std::string& collection, const std::string& configuration,
                                const Evaluation& evaluation) {
  char values[160];
  for (const QueryScore& query : evaluation.queries) {
    std::snprintf(values, sizeof values, "\t%.6f\t%.6f\t%.6f\t%.6f\t%.3f\n", query.ndcg_at_10, query.recall_at_100,
                  query.reciprocal_rank, query.average_precision, query.time.count());
    queries_ += collection + '\t' + configuration + '\t' + query.id + values;
  }
}

void QualityReport::write(const Arguments& arguments) const {
  figures.write(arguments);
  if (!arguments.json) return;
  write_file(arguments.json->string() + ".queries.tsv", queries_);
  chart.write(arguments.json->string() + ".svg");
}

void measure_collection(const std::filesystem::path& folder, QualityReport& report) {
  Runtime runtime;
  auto collection = test::load_beir(folder);
  const std::string name = collection.name;
  const std::size_t texts = collection.corpus.size();
  const std::size_t queries = collection.queries.size();
  const test::Evaluation evaluation(runtime, std::move(collection), hashing_embedder(runtime.pool()));
  std::printf("\n%s: %zu texts, %zu queries, added and built in %.2f s\n", name.c_str(), texts, queries,
              evaluation.build_time().count());
  std::printf("  %-17s %7s %13s %11s %8s %8s %9s   %s\n", "", "nDCG@10", "95 %", "Recall@100", "MRR", "MAP", "ms/query",
              "nDCG@10 against the first, 95 %");
  std::optional<Evaluation> base;
  std::vector<double> bars;
  for (const Ranking& ranking : kRankings) {
    if (!report.has_series) report.chart.add_series(ranking.name);
    const Evaluation measured = evaluation.measure(ranking.options).details;
    print(ranking.name, measured, base);
    add(name + ", " + ranking.name + ", ", measured, report.figures);
    report.add_queries(name, ranking.name, measured);
    bars.push_back(measured.mean(&QueryScore::ndcg_at_10).mean);
    if (!base) base = measured;
  }
  report.has_series = true;
  report.chart.add_group(name, std::move(bars));
}

}  // namespace ragstone::bench
