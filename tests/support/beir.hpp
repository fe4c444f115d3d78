#pragma once

#include <ragstone/rag/evaluation.hpp>

#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

/// Collections in the layout of the BEIR benchmark.
namespace ragstone::test {

struct BeirText {
  std::string id;
  std::string text;
};

/// corpus.jsonl.gz, queries.jsonl and qrels.tsv of one folder.
struct BeirCollection {
  std::string name;
  std::vector<BeirText> corpus;                            ///< Title, a space, text.
  std::vector<BeirText> queries;                           ///< Those that have judgements, in the order of the file.
  std::unordered_map<std::string, Judgements> judgements;  ///< By query id; grades > 0 by corpus id.
};

/// Throws std::runtime_error for a missing or damaged file, and for a judgement of a text that does not exist.
BeirCollection load_beir(const std::filesystem::path& folder);

}  // namespace ragstone::test
