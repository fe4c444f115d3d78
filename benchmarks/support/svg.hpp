#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ragstone::bench {

/// A bar chart as an SVG file: groups of bars side by side, one bar for each series, heights on a logarithmic scale, or
/// on one from 0 to 1 for shares.
class BarChart {
 public:
  enum class Scale { logarithmic, share };

  BarChart(std::string title, std::string unit, Scale scale = Scale::logarithmic)
      : title_(std::move(title)), unit_(std::move(unit)), scale_(scale) {}

  void add_series(std::string name) { series_.push_back(std::move(name)); }
  /// One value for each series; those that are not above 0 have no bar.
  void add_group(std::string name, std::vector<double> values);

  /// Throws std::runtime_error.
  void write(const std::filesystem::path& path) const;

 private:
  struct Group {
    std::string name;
    std::vector<double> values;
  };

  std::string title_;
  std::string unit_;
  Scale scale_;
  std::vector<std::string> series_;
  std::vector<Group> groups_;
};

}  // namespace ragstone::bench
