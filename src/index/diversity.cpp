#include "index/diversity.hpp"

#include <algorithm>
#include <limits>

namespace ragstone {

std::vector<std::size_t> choose_diverse(std::span<const double> relevance, std::size_t k, double lambda,
                                        const std::function<double(std::size_t, std::size_t)>& similarity) {
  constexpr double kNothingChosen = -std::numeric_limits<double>::infinity();
  std::vector<std::size_t> chosen;
  std::vector<double> nearest(relevance.size(), kNothingChosen);
  std::vector<bool> is_chosen(relevance.size());
  while (chosen.size() < std::min(k, relevance.size())) {
    std::size_t best = relevance.size();
    double best_value = 0;
    for (std::size_t i = 0; i < relevance.size(); ++i) {
      if (is_chosen[i]) continue;
      const double value = chosen.empty() ? relevance[i] : lambda * relevance[i] - (1 - lambda) * nearest[i];
      if (best == relevance.size() || value > best_value) {
        best = i;
        best_value = value;
      }
    }
    chosen.push_back(best);
    is_chosen[best] = true;
    for (std::size_t i = 0; i < relevance.size(); ++i)
      if (!is_chosen[i]) nearest[i] = std::max(nearest[i], similarity(i, best));
  }
  return chosen;
}

}  // namespace ragstone
