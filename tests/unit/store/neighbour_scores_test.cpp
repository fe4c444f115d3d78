#include "store/neighbour_scores.hpp"

#include "support/rounds.hpp"
#include <ragstone/text/analyzer.hpp>
#include <ragstone/text/term_table.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

namespace ragstone {
namespace {

using Texts = std::vector<std::vector<std::string>>;

std::vector<double> spread(const Texts& texts, std::vector<double> scores, double share) {
  NeighbourScores neighbours;
  TermTable numbers;
  for (const auto& text : texts) {
    neighbours.begin();
    for (const std::string& term : text) neighbours.add(numbers.number_of(term));
  }
  neighbours.spread(scores, share);
  return scores;
}

Texts terms_of(const std::vector<std::string>& texts) {
  Texts all;
  for (const std::string& text : texts) {
    auto& terms = all.emplace_back();
    for (const Token& token : standard_analyzer()->analyze(text)) terms.push_back(token.term);
  }
  return all;
}

/// By the formula, with a map for each text and every pair of texts compared.
std::vector<double> spread_plainly(const Texts& texts, const std::vector<double>& scores, double share) {
  std::map<std::string, double> frequency;
  std::vector<std::map<std::string, double>> vectors(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (const std::string& term : texts[i]) ++vectors[i][term];
    for (const auto& [term, count] : vectors[i]) ++frequency[term];
  }
  for (auto& vector : vectors) {
    double squares = 0;
    for (auto& [term, weight] : vector) {
      weight = (1 + std::log(weight)) * std::log((static_cast<double>(texts.size()) + 1) / frequency[term]);
      squares += weight * weight;
    }
    for (auto& [term, weight] : vector) weight /= std::sqrt(squares);
  }
  std::vector<double> result;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::vector<std::pair<double, std::size_t>> alike;
    for (std::size_t other = 0; other < texts.size(); ++other) {
      if (other == i) continue;
      double cosine = 0;
      for (const auto& [term, weight] : vectors[i])
        if (const auto found = vectors[other].find(term); found != vectors[other].end())
          cosine += weight * found->second;
      alike.emplace_back(cosine, other);
    }
    std::sort(alike.rbegin(), alike.rend());
    alike.resize(std::min<std::size_t>(alike.size(), 5));
    double weights = 0;
    double sum = 0;
    for (const auto& [cosine, other] : alike) {
      weights += cosine;
      sum += cosine * scores[other];
    }
    result.push_back((1 - share) * scores[i] + (weights > 0 ? share * sum / weights : 0));
  }
  return result;
}

TEST(NeighbourScores, ATextThatIsLikeAGoodOneRises) {
  const std::vector<double> scores =
      spread(terms_of({"a seal on the shaft of the pump", "the pump has a shaft seal", "sales of the northern region"}),
             {9, 3, 3}, 0.25);
  EXPECT_DOUBLE_EQ(scores[0], 0.75 * 9 + 0.25 * 3);
  EXPECT_DOUBLE_EQ(scores[1], 0.75 * 3 + 0.25 * 9);
  EXPECT_DOUBLE_EQ(scores[2], 0.75 * 3);
}

TEST(NeighbourScores, ComparesChineseTextsByTheirCharacters) {
  const std::vector<double> scores =
      spread(terms_of({"水泵轴封漏水", "轴封需要更换", "北方区域销售额"}), {9, 3, 3}, 0.5);
  EXPECT_DOUBLE_EQ(scores[1], 6);
  EXPECT_DOUBLE_EQ(scores[2], 1.5);
}

TEST(NeighbourScores, NoShareChangesNothingAndTheWholeLeavesNoScoreOfItsOwn) {
  const Texts texts = {{"a", "b"}, {"a", "c"}};
  EXPECT_EQ(spread(texts, {5, 2}, 0), (std::vector<double>{5, 2}));
  EXPECT_EQ(spread(texts, {5, 2}, 1), (std::vector<double>{2, 5}));
}

TEST(NeighbourScores, TakesNoTextsASingleOneAndOnesWithoutTerms) {
  EXPECT_TRUE(spread({}, {}, 0.25).empty());
  EXPECT_EQ(spread({{"a"}}, {4}, 0.25), (std::vector<double>{3}));
  EXPECT_EQ(spread({{}, {"a"}, {}}, {4, 4, 4}, 0.25), (std::vector<double>{3, 3, 3}));
}

TEST(NeighbourScores, AStopEndsTheComparison) {
  NeighbourScores neighbours;
  for (const std::uint32_t term : {0U, 0U, 1U}) {
    neighbours.begin();
    neighbours.add(term);
  }
  std::vector<double> scores{3, 2, 1};
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(neighbours.spread(scores, 0.5, stop.get_token()), boost::system::system_error);
}

TEST(NeighbourScores, DoesWhatTheFormulaSays) {
  for (unsigned seed = 1; seed <= test::rounds(20); ++seed) {
    std::mt19937 random(seed);
    Texts texts(2 + random() % 40);
    std::vector<double> scores;
    for (auto& text : texts) {
      for (auto n = 10 + random() % 30; n > 0; --n) text.push_back("term" + std::to_string(random() % 200));
      scores.push_back(static_cast<double>(random() % 1000) / 10);
    }
    const std::vector<double> expected = spread_plainly(texts, scores, 0.25);
    const std::vector<double> found = spread(texts, scores, 0.25);
    for (std::size_t i = 0; i < texts.size(); ++i) ASSERT_NEAR(found[i], expected[i], 1e-4) << "seed " << seed;
  }
}

}  // namespace
}  // namespace ragstone
