#pragma once

#include "support/report.hpp"
#include "support/svg.hpp"
#include <ragstone/rag/evaluation.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace ragstone::bench {

/// What the benchmark `quality` keeps for its files.
class QualityReport {
 public:
  Report figures{"quality"};
  BarChart chart{"nDCG@10", "", BarChart::Scale::share};
  bool has_series = false;

  void add_queries(const std::string& collection, const std::string& configuration, const Evaluation& evaluation);
  /// The JSON file, and what lies beside it.
  void write(const Arguments& arguments) const;

 private:
  std::string queries_ = "collection\tconfiguration\tquery\tndcg@10\trecall@100\trr\tap\tms\n";
};

void measure_collection(const std::filesystem::path& folder, QualityReport& report);
/// What other values of some defaults reach, and which value is best without one collection, for that one. At most the
/// first 700 questions of each.
void measure_defaults(const std::vector<std::filesystem::path>& folders, Report& report);
/// `quick`: every fifth question.
void measure_spans(const std::filesystem::path& folder, bool quick, Report& report);

}  // namespace ragstone::bench
