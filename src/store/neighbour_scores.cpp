#include "store/neighbour_scores.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace ragstone {
namespace {

constexpr std::size_t kNeighbours = 5;

}  // namespace

void NeighbourScores::add(std::string_view term) {
  key_.assign(term);
  texts_.back().emplace_back(numbers_.try_emplace(key_, numbers_.size()).first->second, 1.0F);
}

/// One entry for each term of a text, of unit length in all: 1 + ln(count), times ln((1 + texts) / texts with the
/// term).
void NeighbourScores::finish_counts() {
  frequencies_.assign(numbers_.size(), 0);
  for (Weights& text : texts_) {
    std::sort(text.begin(), text.end());
    std::size_t kept = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (kept > 0 && text[kept - 1].first == text[i].first) {
        ++text[kept - 1].second;
      } else {
        text[kept++] = text[i];
        ++frequencies_[text[i].first];
      }
    }
    text.resize(kept);
  }
  const auto texts = static_cast<double>(texts_.size());
  for (Weights& text : texts_) {
    // A term of one text is like nothing, but makes the text longer.
    double squares = 0;
    for (auto& [term, weight] : text) {
      weight = static_cast<float>((1 + std::log(double{weight})) *
                                  std::log((texts + 1) / static_cast<double>(frequencies_[term])));
      squares += double{weight} * double{weight};
    }
    const auto length = static_cast<float>(std::sqrt(squares));
    for (auto& entry : text) entry.second /= length > 0 ? length : 1;
  }
}

void NeighbourScores::spread(std::span<double> scores, double share, const StopToken& stop) {
  finish_counts();
  const std::size_t count = texts_.size();
  std::vector<std::vector<std::pair<std::size_t, float>>> having(numbers_.size());
  for (std::size_t text = 0; text < count; ++text)
    for (const auto& [term, weight] : texts_[text])
      if (frequencies_[term] > 1) having[term].emplace_back(text, weight);
  const std::vector<double> before(scores.begin(), scores.end());
  std::vector<std::pair<double, std::size_t>> alike(count);
  for (std::size_t text = 0; text < count; ++text) {
    throw_if_stopped(stop);
    for (std::size_t other = 0; other < count; ++other) alike[other] = {0, other};
    for (const auto& [term, weight] : texts_[text])
      for (const auto& [other, of_other] : having[term]) alike[other].first += double{weight} * double{of_other};
    alike[text].first = 0;
    const std::size_t neighbours = std::min(kNeighbours, count - 1);
    std::partial_sort(alike.begin(), alike.begin() + static_cast<std::ptrdiff_t>(neighbours), alike.end(),
                      std::greater<>());
    double weights = 0;
    double sum = 0;
    for (std::size_t i = 0; i < neighbours; ++i) {
      weights += alike[i].first;
      sum += alike[i].first * before[alike[i].second];
    }
    scores[text] = (1 - share) * before[text] + (weights > 0 ? share * sum / weights : 0);
  }
}

}  // namespace ragstone
