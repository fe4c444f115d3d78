#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ragstone::bench {

/// `--quick` and `--json FILE`, which every benchmark understands, and `--folder FOLDER`, for those that take data.
class Arguments {
 public:
  /// Prints the usage and ends the process with code 2 for anything else.
  Arguments(int argc, char** argv);

  bool quick = false;
  std::optional<std::filesystem::path> json;
  std::vector<std::filesystem::path> folders;
};

/// The figures of one benchmark, written as JSON at the end:
/// {"benchmark", "figures": [{"name", "value", "unit"}], "ratios": [{"name", "ours", "theirs", "ratio"}]}.
class Report {
 public:
  explicit Report(std::string benchmark) : benchmark_(std::move(benchmark)) {}

  /// Keeps a figure that the benchmark prints in a table of its own.
  void add(const std::string& name, double value, const std::string& unit);
  /// Keeps and prints a figure.
  void figure(const std::string& name, double value, const std::string& unit);
  /// Keeps and prints the ratio of two costs: ratio = theirs / ours, so that above 1 we are better. Costs are above 0.
  void cost_ratio(const std::string& name, double ours, double theirs);

  /// Writes the file if one was asked for. Throws std::runtime_error if that fails.
  void write(const Arguments& arguments) const;

 private:
  struct Figure {
    std::string name;
    double value;
    std::string unit;
  };
  struct Ratio {
    std::string name;
    double ours;
    double theirs;
    double ratio;
  };

  std::string benchmark_;
  std::vector<Figure> figures_;
  std::vector<Ratio> ratios_;
};

}  // namespace ragstone::bench
