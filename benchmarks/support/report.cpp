#include "support/report.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace ragstone::bench {

Arguments::Arguments(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") == 0) {
      quick = true;
    } else if (std::strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
      json = argv[++i];
    } else if (std::strcmp(argv[i], "--folder") == 0 && i + 1 < argc) {
      folders.emplace_back(argv[++i]);
    } else {
      std::fprintf(stderr, "Usage: %s [--quick] [--json FILE] [--folder FOLDER]...\n", argv[0]);
      std::exit(2);
    }
  }
}

void Report::add(const std::string& name, double value, const std::string& unit) {
  figures_.push_back({name, value, unit});
}

void Report::figure(const std::string& name, double value, const std::string& unit) {
  std::printf("%-64s %12.4g %s\n", name.c_str(), value, unit.c_str());
  std::fflush(stdout);
  add(name, value, unit);
}

void Report::cost_ratio(const std::string& name, double ours, double theirs) {
  const double ratio = theirs / ours;
  std::printf("%-64s %12.4g x (ours %.4g, theirs %.4g)\n", name.c_str(), ratio, ours, theirs);
  std::fflush(stdout);
  ratios_.push_back({name, ours, theirs, ratio});
}

void Report::write(const Arguments& arguments) const {
  if (!arguments.json) return;
  nlohmann::json json = {
      {"benchmark", benchmark_}, {"figures", nlohmann::json::array()}, {"ratios", nlohmann::json::array()}};
  for (const Figure& figure : figures_)
    json["figures"].push_back({{"name", figure.name}, {"value", figure.value}, {"unit", figure.unit}});
  for (const Ratio& ratio : ratios_)
    json["ratios"].push_back(
        {{"name", ratio.name}, {"ours", ratio.ours}, {"theirs", ratio.theirs}, {"ratio", ratio.ratio}});
  std::ofstream out(*arguments.json);
  out << json.dump(2) << '\n';
  if (!out.flush()) throw std::runtime_error("cannot write " + arguments.json->string());
}

}  // namespace ragstone::bench
