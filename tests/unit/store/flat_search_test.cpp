#include "store/segment/flat_search.hpp"

#include "store/segment/dense_search.hpp"
#include "support/rounds.hpp"
#include "unit/store/segment_samples.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::segment {
namespace {

using test::rounds;

constexpr std::uint32_t kDimension = 48;

/// What all rows of a set have in common, so that codes, or only nibbles, tell little of them.
enum class Common { nothing, mean, element };

std::vector<float> centre_of(std::mt19937& random, Common common, float size) {
  std::vector<float> centre(kDimension);
  std::normal_distribution<float> normal;
  if (common == Common::mean)
    for (float& element : centre) element = size * normal(random);
  if (common == Common::element) centre[3] = size;
  return centre;
}

std::vector<float> row_near(std::mt19937& random, const std::vector<float>& centre, float spread = 1) {
  std::normal_distribution<float> normal;
  std::vector<float> row = centre;
  for (float& element : row) element += spread * normal(random);
  return row;
}

DenseSample rows_near(std::mt19937& random, std::size_t rows, const std::vector<std::vector<float>>& centres,
                      float spread = 1, NodeId first = 1) {
  DenseSample sample = random_dense(random, rows, kDimension, first);
  for (std::size_t row = 0; row < rows; ++row)
    std::ranges::copy(row_near(random, centres[random() % centres.size()], spread),
                      sample.values.begin() + static_cast<std::ptrdiff_t>(row * kDimension));
  return sample;
}

DenseSample joined(DenseSample a, const DenseSample& b) {
  a.keys.insert(a.keys.end(), b.keys.begin(), b.keys.end());
  a.values.insert(a.values.end(), b.values.begin(), b.values.end());
  return a;
}

FlatSearch::LookedAt looked_at(const std::shared_ptr<const DensePart>& part, std::span<const float> queries,
                               std::size_t k = 10) {
  FlatSearch search(queries, kDimension, Metric::l2, k, FlatForm::nibbles);
  const DenseView view{part, {}};
  const StopToken never;
  kernel::StopPoll poll(never);
  search.scan(*part, RowGate(view, nullptr, never), 0, static_cast<std::uint32_t>(part->rows()), poll);
  return search.looked_at(0);
}

TEST(FlatSearch, FindsWhatAScanOfAllVectorsFindsHoweverLittleBoundsTell) {
  for (unsigned seed = 1; seed <= rounds(24) && !testing::Test::HasFailure(); ++seed) {
    std::mt19937 random(seed);
    std::vector<DenseSample> samples;
    std::vector<DeadRows> dead;
    std::vector<DenseView> views;
    std::vector<float> centre;
    for (NodeId first : {1, 100'000, 200'000}) {
      centre = centre_of(random, static_cast<Common>(random() % 3), static_cast<float>(1 << random() % 6));
      samples.push_back(rows_near(random, 1 + random() % 6000, {centre}, 1, first));
      dead.push_back(random() % 2 == 0 ? DeadRows() : random_dead(random, samples.back().keys.size(), 0.3));
      views.push_back({samples.back().part(random() % 3 > 0 ? nibble_form() : DenseForm()), dead.back()});
    }
    const LambdaFilter every_third([](NodeId node, SourceNumber source) { return (node + source) % 3 == 0; });
    DenseQuery query;
    query.filter = random() % 2 == 0 ? nullptr : &every_third;
    query.dimension = kDimension;
    std::vector<float> queries;
    for (const std::size_t asked : {1, 3, 9}) {
      while (queries.size() < asked * kDimension)
        for (const float element : row_near(random, centre)) queries.push_back(element);
      query.queries = queries;
      for (const Metric metric : {Metric::cosine, Metric::inner_product, Metric::l2})
        for (const std::size_t k : {1, 10, 100}) {
          query.metric = metric;
          query.k = k;
          const DenseHits found = search_dense(views, query, {});
          for (const std::size_t q : {std::size_t{0}, asked - 1})
            EXPECT_EQ(found.hits[q], plain_search(samples, dead, query.queries.subspan(q * kDimension, kDimension),
                                                  metric, query.filter, k))
                << "seed " << seed << ", " << name_of(metric) << ", k " << k << ", query " << q << " of " << asked;
        }
    }
  }
}

TEST(FlatSearch, NibblesAreReadWhereTheyLeaveFewRows) {
  std::mt19937 random(1);
  std::vector<std::vector<float>> centres(200);
  for (std::vector<float>& centre : centres) centre = centre_of(random, Common::mean, 1);
  const DenseSample sample = rows_near(random, 20'000, centres, 0.2F);
  const std::vector<float> query = row_near(random, centres[0], 0.2F);
  const auto with_nibbles = looked_at(sample.part(nibble_form()), query);
  EXPECT_GE(with_nibbles.nibbles, 18'000u);
  EXPECT_LE(with_nibbles.codes, 5'000u);
  const auto without = looked_at(sample.part(), query);
  EXPECT_EQ(without.nibbles, 0u);
  EXPECT_EQ(without.codes, 20'000u);
}

TEST(FlatSearch, NibblesRestWhereTheyLeaveManyRows) {
  std::mt19937 random(2);
  const std::vector<float> centre = centre_of(random, Common::mean, 1);
  const auto part = rows_near(random, 20'000, {centre}).part(nibble_form());
  const auto looked = looked_at(part, row_near(random, centre), 100);
  EXPECT_GT(looked.nibbles, 0u);
  EXPECT_LE(looked.nibbles, 4'000u);
  EXPECT_GE(looked.codes, 18'000u);
}

TEST(FlatSearch, SeveralQueriesAPassReadCodes) {
  std::mt19937 random(3);
  const std::vector<float> centre(kDimension);
  const auto part = rows_near(random, 4'000, {centre}).part(nibble_form());
  std::vector<float> queries = row_near(random, centre);
  queries.insert(queries.end(), queries.begin(), queries.begin() + kDimension);
  EXPECT_EQ(looked_at(part, queries).nibbles, 0u);
}

TEST(FlatSearch, CodesRestWhereTheyTellNothing) {
  std::mt19937 random(4);
  for (const Common common : {Common::mean, Common::element}) {
    const std::vector<float> centre = centre_of(random, common, 100);
    const auto part = rows_near(random, 20'000, {centre}).part(nibble_form());
    const auto looked = looked_at(part, row_near(random, centre));
    EXPECT_GE(looked.vectors, 19'000u);
    EXPECT_LE(looked.codes, 4'000u);
    EXPECT_LE(looked.nibbles, 4'000u);
  }
}

TEST(FlatSearch, CodesAndNibblesAreTriedAgainForOtherRows) {
  std::mt19937 random(5);
  const std::vector<float> far = centre_of(random, Common::element, 1000);
  const std::vector<float> near = centre_of(random, Common::element, 100);
  // All of the first rows are nearer than their codes can tell apart; none of the others is near.
  const auto part =
      joined(rows_near(random, 10'000, {near}), rows_near(random, 40'000, {far}, 1, 1'000'000)).part(nibble_form());
  const auto looked = looked_at(part, row_near(random, near));
  EXPECT_GE(looked.vectors, 9'000u);
  EXPECT_LE(looked.vectors, 30'000u);
  EXPECT_GE(looked.nibbles, 15'000u);
}

TEST(FlatSearch, ForManyHitsCodesDoNotRestForWhatEvenScoresWouldLeave) {
  std::mt19937 random(6);
  const std::vector<float> centre(kDimension);
  const auto part = rows_near(random, 8'000, {centre}).part();
  EXPECT_EQ(looked_at(part, row_near(random, centre), 1000).vectors, 0u);
}

class QuickFilter final : public RowFilter {
 public:
  bool allows(NodeId node, SourceNumber) const override { return node % 100 < 65; }
  bool selects_quickly() const noexcept override { return true; }
};

// By nibbles all rows cost less than two of three by codes, which cost less than all by codes.
TEST(FlatSearch, NibblesAreCheapForPassesThatReadThem) {
  std::mt19937 random(8);
  const std::vector<float> queries = random_vector(random, 2 * kDimension);
  const std::vector<DenseView> views = {{random_dense(random, 5'000, kDimension).part(nibble_form()), {}}};
  const QuickFilter filter;
  DenseQuery query;
  query.dimension = kDimension;
  query.filter = &filter;
  query.queries = std::span(queries).first(kDimension);
  EXPECT_EQ(search_dense(views, query, {}).plan.find("selected"), std::string::npos);
  query.queries = queries;
  EXPECT_NE(search_dense(views, query, {}).plan.find("selected"), std::string::npos);
}

}  // namespace
}  // namespace ragstone::segment
