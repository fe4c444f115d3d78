#pragma once

#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

/// Collections in the layout of the BEIR benchmark, and the measures that are published for them.
namespace ragstone::test {

struct BeirText {
  std::string id;
  std::string text;
};

/// corpus.jsonl.gz, queries.jsonl and qrels.tsv of one folder.
struct BeirCollection {
  std::string name;
  std::vector<BeirText> corpus;   ///< Title, a space, text.
  std::vector<BeirText> queries;  ///< Those that have judgements, in the order of the file.
  std::unordered_map<std::string, std::unordered_map<std::string, int>> judgements;  ///< [query id][corpus id], > 0.
};

/// Throws std::runtime_error for a missing or damaged file, and for a judgement of a text that does not exist.
BeirCollection load_beir(const std::filesystem::path& folder);

using Judgements = std::unordered_map<std::string, int>;

/// Normalised discounted cumulative gain of a ranking (best first): gain = judgement, discount 1 / log2(rank + 1).
double ndcg(const std::vector<std::string>& ranking, const Judgements& judgements, std::size_t cut);

/// Share of the judged texts that are among the first `cut`.
double recall(const std::vector<std::string>& ranking, const Judgements& judgements, std::size_t cut);

}  // namespace ragstone::test
