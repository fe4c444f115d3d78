#pragma once

#include <ragstone/rag/evaluation.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

namespace ragstone {

class BeirText {
 public:
  BeirText() = default;

  std::string id;
  std::string text;  ///< The title, a space, and the text; where there is no title, the text.
};

/// A collection with judgements in the layout of the BEIR benchmark (Thakur et al. 2021).
class BeirCollection {
 public:
  BeirCollection() = default;

  std::string name;  ///< The folder's.
  std::vector<BeirText> corpus;
  /// For evaluate(): those with a relevant text, in the order of the file; of their judgements, the grades above 0.
  std::vector<JudgedQuery> queries;
  std::size_t skipped_judgements = 0;  ///< Of texts or queries that the folder does not have.
};

class BeirOptions {
 public:
  BeirOptions() = default;

  /// Which judgements: "test", "dev" or "train". Empty: the first of these that the folder has, else its qrels.tsv.
  std::string split;
  /// Gives the content of a packed file, "corpus.jsonl.gz" say, where there is no plain one. Ragstone itself unpacks
  /// none: without this they are refused.
  std::function<std::string(const std::filesystem::path&)> unpack;
};

/// Reads corpus.jsonl (members "_id", "text" and, if there is one, "title"), queries.jsonl ("_id", "text") and
/// qrels/SPLIT.tsv or qrels.tsv (query id, corpus id and grade, a whole number, divided by tabs, below a line of
/// names). Other members and empty lines are left out.
///
/// Errors: Errc::not_found for a folder without one of the files, and where no query is judged; Errc::parse_error, with
/// file and line, for what does not follow the layout, an id that comes twice included; Errc::unsupported for packed
/// files without BeirOptions::unpack; Errc::invalid_argument for another split; Errc::io_error; what `unpack` throws.
BeirCollection load_beir(const std::filesystem::path& folder, const BeirOptions& options = {});

static_assert(!std::is_aggregate_v<BeirText> && !std::is_aggregate_v<BeirCollection> &&
              !std::is_aggregate_v<BeirOptions>);

}  // namespace ragstone
