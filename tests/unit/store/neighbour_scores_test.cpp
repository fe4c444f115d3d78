#include "store/neighbour_scores.hpp"

#include <array>
#include <stop_token>
#include <string_view>
#include <vector>

#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

namespace ragstone {
namespace {

NeighbourScores scores_of(const std::vector<std::vector<std::string_view>>& texts) {
  NeighbourScores neighbours;
  for (const auto& terms : texts) {
    neighbours.begin();
    for (const std::string_view term : terms) neighbours.add(term);
  }
  return neighbours;
}

TEST(NeighbourScores, TextsThatAreAlikeShareTheirScores) {
  NeighbourScores neighbours = scores_of({{"river", "石头"}, {"river", "石头", "石头"}, {"other", "另外"}});
  std::array<double, 3> scores{4, 2, 1};
  neighbours.spread(scores, 0.5);
  EXPECT_DOUBLE_EQ(scores[0], 3);
  EXPECT_DOUBLE_EQ(scores[1], 3);
  EXPECT_DOUBLE_EQ(scores[2], 0.5) << "like none";
}

TEST(NeighbourScores, AStopEndsTheComparison) {
  NeighbourScores neighbours = scores_of({{"river"}, {"river"}, {"石头"}});
  std::array<double, 3> scores{3, 2, 1};
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(neighbours.spread(scores, 0.5, stop.get_token()), boost::system::system_error);
}

}  // namespace
}  // namespace ragstone
