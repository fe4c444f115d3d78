#include "support/svg.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace ragstone::bench {
namespace {

constexpr double kLeft = 70;
constexpr double kTop = 60;
constexpr double kHeight = 300;
constexpr double kBar = 22;
constexpr double kGap = 26;
const char* const kColours[] = {"#2f6fab", "#d9822b", "#4f9d5d", "#a94c6e", "#7a6bb5", "#888888"};

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

void put_text(std::ostream& out, double x, double y, const std::string& text, const char* anchor, int size = 12) {
  out << "<text x=\"" << x << "\" y=\"" << y << "\" font-size=\"" << size << "\" text-anchor=\"" << anchor << "\">"
      << escaped(text) << "</text>\n";
}

}  // namespace

void BarChart::add_group(std::string name, std::vector<double> values) {
  groups_.push_back({std::move(name), std::move(values)});
}

void BarChart::write(const std::filesystem::path& path) const {
  double least = 1e300;
  double most = 0;
  for (const Group& group : groups_)
    for (const double value : group.values)
      if (value > 0) least = std::min(least, value), most = std::max(most, value);
  if (most == 0) throw std::runtime_error("a chart needs a value above 0");
  const bool is_share = scale_ == Scale::share;
  const double low = is_share ? 0 : std::floor(std::log10(least));
  const double high = is_share ? 1 : std::max(low + 1, std::ceil(std::log10(most)));
  const auto height_of = [&](double value) {
    return kHeight * ((is_share ? std::min(value, 1.0) : std::log10(value)) - low) / (high - low);
  };
  const double group_width = static_cast<double>(series_.size()) * kBar + kGap;
  const double width = kLeft + static_cast<double>(groups_.size()) * group_width + 20;
  const double base = kTop + kHeight;

  std::ostringstream out;
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << width << "\" height=\"" << base + 70
      << "\" font-family=\"sans-serif\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  put_text(out, kLeft, 22, title_, "start", 15);
  const double step = is_share ? 0.25 : 1;
  for (double mark = low; mark <= high; mark += step) {
    const double y = base - kHeight * (mark - low) / (high - low);
    out << "<line x1=\"" << kLeft << "\" x2=\"" << width - 10 << "\" y1=\"" << y << "\" y2=\"" << y
        << "\" stroke=\"#dddddd\"/>\n";
    put_text(out, kLeft - 6, y + 4, short_number(is_share ? mark : std::pow(10, mark)) + " " + unit_, "end", 11);
  }
  double x = kLeft + kGap / 2;
  for (const Group& group : groups_) {
    for (std::size_t i = 0; i < group.values.size(); ++i) {
      if (!(group.values[i] > 0)) continue;
      const double height = std::max(1.0, height_of(group.values[i]));
      const double left = x + static_cast<double>(i) * kBar;
      out << "<rect x=\"" << left << "\" y=\"" << base - height << "\" width=\"" << kBar - 3 << "\" height=\"" << height
          << "\" fill=\"" << kColours[i % std::size(kColours)] << "\"/>\n";
      put_text(out, left + (kBar - 3) / 2, base - height - 3, short_number(group.values[i]), "middle", 9);
    }
    put_text(out, x + (group_width - kGap) / 2, base + 18, group.name, "middle", 11);
    x += group_width;
  }
  double legend = kLeft;
  for (std::size_t i = 0; i < series_.size(); ++i) {
    out << "<rect x=\"" << legend << "\" y=\"" << base + 40 << "\" width=\"11\" height=\"11\" fill=\""
        << kColours[i % std::size(kColours)] << "\"/>\n";
    put_text(out, legend + 16, base + 50, series_[i], "start", 12);
    legend += 34 + 7 * static_cast<double>(series_[i].size());
  }
  out << "</svg>\n";
  std::ofstream file(path);
  file << out.str();
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace ragstone::bench
