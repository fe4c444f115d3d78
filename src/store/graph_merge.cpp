#include "store/graph_merge.hpp"

#include <algorithm>

namespace ragstone {
namespace {

constexpr std::size_t kShareWhenDue = 4;
constexpr std::size_t kShareWhenIdle = 16;
// Fewer are scanned sooner than a graph is walked.
constexpr std::size_t kLeastRows = 2'048;

}  // namespace

std::vector<bool> choose_for_graph(std::span<const PartShape> parts, const segment::DenseForm& form, Upkeep upkeep) {
  std::vector<bool> chosen(parts.size());
  if (!form.graph) return chosen;
  std::size_t all = 0;
  std::size_t without = 0;
  std::size_t largest = 0;
  for (const PartShape& part : parts) {
    all += part.rows;
    if (part.has_graph) {
      largest = std::max(largest, part.rows);
    } else {
      without += part.rows;
    }
  }
  const std::size_t share = upkeep == Upkeep::idle ? kShareWhenIdle : kShareWhenDue;
  if (largest > 0 && all - largest >= std::max(largest / share, kLeastRows)) {
    chosen.assign(parts.size(), true);
  } else if (form.wants_graph(without)) {
    std::transform(parts.begin(), parts.end(), chosen.begin(), [](const PartShape& part) { return !part.has_graph; });
  }
  return chosen;
}

}  // namespace ragstone
