#include "store/neighbour_scores.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace ragstone {
namespace {

constexpr std::size_t kNeighbours = 5;

}  // namespace

void NeighbourScores::add(std::uint32_t term) {
  if (term >= entries_.size()) {
    entries_.resize(term + 1);
    frequencies_.resize(term + 1, 0);
  }
  Weights& text = texts_.back();
  Entry& entry = entries_[term];
  if (entry.text != texts_.size()) {
    entry.text = static_cast<std::uint32_t>(texts_.size());
    entry.at = static_cast<std::uint32_t>(text.size());
    text.emplace_back(term, 0.0F);
    ++frequencies_[term];
  }
  ++text[entry.at].second;
}

/// From counts to one entry for each term of a text, of unit length in all: 1 + ln(count), times ln((1 + texts) / texts
/// with the term).
void NeighbourScores::weigh() {
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
  weigh();
  const std::size_t count = texts_.size();
  std::vector<std::vector<std::pair<std::size_t, float>>> having(frequencies_.size());
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
