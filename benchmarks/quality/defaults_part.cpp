#include "quality/parts.hpp"
#include "support/beir.hpp"
#include "support/evaluation.hpp"
#include <ragstone/ragstone.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <vector>

namespace ragstone::bench {
namespace {

constexpr std::size_t kMaxQueries = 700;

using Measure = double QueryScore::*;

/// A default, with what it might be instead.
struct Choice {
  const char* name;
  Measure measure;
  Similarity similarity;
  std::vector<double> values;
  double chosen;
  std::function<void(RetrieverOptions&, double)> set;
};

const std::vector<Choice> kChoices = {
    {"neighbours",
     &QueryScore::ndcg_at_10,
     Similarity::bm25,
     {0, 0.15, 0.25, 0.35, 0.5},
     0.25,
     [](RetrieverOptions& options, double value) { options.text_boosts.neighbours = value; }},
    {"depth",
     &QueryScore::ndcg_at_10,
     Similarity::bm25,
     {50, 100, 200},
     100,
     [](RetrieverOptions& options, double value) { options.text_boosts.depth = static_cast<std::size_t>(value); }},
    {"character",
     &QueryScore::ndcg_at_10,
     Similarity::bm25,
     {1, 1.5, 2, 3},
     2,
     [](RetrieverOptions& options, double value) { options.query_terms.character = value; }},
    {"weight of hashing, by Recall@100",
     &QueryScore::recall_at_100,
     Similarity::hybrid,
     {0.001, 0.005, 0.01, 0.02, 0.05, 0.1},
     0.02,
     [](RetrieverOptions& options, double value) { options.weights["embedder"] = value; }},
    {"weight of hashing, by nDCG@10",
     &QueryScore::ndcg_at_10,
     Similarity::hybrid,
     {0.001, 0.005, 0.01, 0.02, 0.05, 0.1},
     0.02,
     [](RetrieverOptions& options, double value) { options.weights["embedder"] = value; }},
};

/// What each value of a choice reaches on each collection.
using Reached = std::vector<std::vector<double>>;

double mean_of(const std::vector<double>& values, std::size_t but = SIZE_MAX) {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (i != but) {
      sum += values[i];
      ++count;
    }
  return count > 0 ? sum / static_cast<double>(count) : 0;
}

std::size_t best_of(const Reached& reached, std::size_t but) {
  const auto better = [&](const auto& a, const auto& b) { return mean_of(a, but) < mean_of(b, but); };
  return static_cast<std::size_t>(std::max_element(reached.begin(), reached.end(), better) - reached.begin());
}

void print(const Choice& choice, const std::vector<std::string>& names, const Reached& reached, Report& report) {
  std::printf("\n%s\n  %-20s", choice.name, "");
  for (const double value : choice.values) std::printf(" %8.4g", value);
  std::printf("   left out: best of the others\n");
  const auto chosen = static_cast<std::size_t>(std::find(choice.values.begin(), choice.values.end(), choice.chosen) -
                                               choice.values.begin());
  for (std::size_t set = 0; set < names.size(); ++set) {
    std::printf("  %-20s", names[set].c_str());
    for (const auto& of_value : reached) std::printf(" %8.4f", of_value[set]);
    const std::size_t others = best_of(reached, set);
    std::printf("   %.4g: %+.4f\n", choice.values[others], reached[others][set] - reached[chosen][set]);
    report.add(std::string(choice.name) + ", " + names[set] + ", best of the others", choice.values[others], "");
  }
  std::printf("  %-20s", "mean");
  for (std::size_t i = 0; i < reached.size(); ++i) {
    std::printf(" %8.4f", mean_of(reached[i]));
    char name[80];
    std::snprintf(name, sizeof name, "%s %.4g, mean", choice.name, choice.values[i]);
    report.add(name, mean_of(reached[i]), "");
  }
  std::printf("\n");
}

}  // namespace

void measure_defaults(const std::vector<std::filesystem::path>& folders, Report& report) {
  std::vector<std::string> names;
  std::vector<Reached> reached;
  for (const Choice& choice : kChoices) reached.emplace_back(choice.values.size());
  for (const auto& folder : folders) {
    Runtime runtime;
    auto collection = test::load_beir(folder);
    if (collection.queries.size() > kMaxQueries) collection.queries.resize(kMaxQueries);
    names.push_back(collection.name);
    const test::Evaluation evaluation(runtime, std::move(collection), hashing_embedder(runtime.pool()));
    for (std::size_t i = 0; i < kChoices.size(); ++i)
      for (std::size_t value = 0; value < kChoices[i].values.size(); ++value) {
        RetrieverOptions options;
        options.similarity = kChoices[i].similarity;
        kChoices[i].set(options, kChoices[i].values[value]);
        reached[i][value].push_back(evaluation.measure(options).details.mean(kChoices[i].measure).mean);
      }
    std::printf("%s measured\n", names.back().c_str());
    std::fflush(stdout);
  }
  for (std::size_t i = 0; i < kChoices.size(); ++i) print(kChoices[i], names, reached[i], report);
}

}  // namespace ragstone::bench
