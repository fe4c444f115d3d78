#include "store/segment/dense_search.hpp"
#include "unit/store/segment_probe.hpp"
#include "unit/store/segment_samples.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::segment {
namespace {

constexpr std::uint32_t kDimension = 16;

/// Two languages: rows of either lie together, far from the other's. The first half is of one.
class TwoRegions : public testing::TestWithParam<bool> {
 protected:
  TwoRegions() : sample_(random_dense(random_, kRows, kDimension)) {
    for (std::size_t row = 0; row < kRows; ++row) {
      sample_.keys[row].source = static_cast<SourceNumber>(1 + row % 7);
      sample_.values[row * kDimension] += is_first(row) ? 12.0F : -12.0F;
    }
    part_ = sample_.part(graph_form());
  }

  static bool is_first(std::size_t row) { return row < kRows / 2; }

  std::vector<float> question_of_the_first() {
    std::vector<float> query = random_vector(random_, kDimension);
    query[0] += 12.0F;
    return query;
  }

  DenseHits search(const std::vector<float>& vector, const DeadRows& dead, const RowFilter* filter) const {
    DenseQuery query;
    query.queries = vector;
    query.dimension = kDimension;
    query.ef = 20;
    query.filter = filter;
    query.by_graph = GetParam();
    const std::vector<DenseView> views = {{part_, dead}};
    return search_dense(views, query, {});
  }

  void expect_nearest(const DeadRows& dead, const RowFilter* filter) {
    const std::vector<DenseView> views = {{part_, dead}};
    std::size_t right = 0;
    for (int q = 0; q < 20; ++q) {
      const std::vector<float> query = question_of_the_first();
      const DenseHits found = search(query, dead, filter);
      const auto nearest = search_dense(views, query, Metric::cosine, filter, 10, {});
      ASSERT_EQ(found.hits[0].size(), 10U) << found.plan;
      for (const ScoredNode& hit : found.hits[0]) right += std::count(nearest.begin(), nearest.end(), hit) > 0 ? 1 : 0;
    }
    EXPECT_GE(right, 180U);
  }

  static constexpr std::size_t kRows = 20'000;
  std::mt19937 random_{21};
  DenseSample sample_;
  std::shared_ptr<const DensePart> part_;
};

/// Says what it allows at once.
class OtherRegion final : public RowFilter {
 public:
  explicit OtherRegion(NodeId first_of_other) : first_(first_of_other) {}
  bool allows(NodeId node, SourceNumber) const override { return node >= first_; }
  bool selects_quickly() const noexcept override { return true; }

 private:
  NodeId first_;
};

TEST_P(TwoRegions, RowsThatPassAreFoundThoughNoneIsNearTheQuery) {
  const OtherRegion filter(sample_.keys[kRows / 2].node);
  expect_nearest({}, &filter);
}

TEST_P(TwoRegions, RowsAreFoundWhereAllNearTheQueryAreRemoved) {
  std::vector<std::uint32_t> removed(kRows / 2);
  std::iota(removed.begin(), removed.end(), 0U);
  expect_nearest(DeadRows().with(removed), nullptr);
}

INSTANTIATE_TEST_SUITE_P(, TwoRegions, testing::Bool(), [](const testing::TestParamInfo<bool>& way) {
  return std::string(way.param ? "ByGraph" : "ByCost");
});

TEST(GraphSegment, APlanTellsThatAWalkWasGivenUp) {
  std::mt19937 random(22);
  DenseSample sample = random_dense(random, 20'000, kDimension);
  for (std::size_t row = 0; row < 20'000; ++row) sample.values[row * kDimension] += row < 10'000 ? 12.0F : -12.0F;
  const OtherRegion filter(sample.keys[10'000].node);
  std::vector<float> vector(kDimension);
  vector[0] = 1;
  DenseQuery query;
  query.queries = vector;
  query.dimension = kDimension;
  query.ef = 20;
  query.filter = &filter;
  const std::vector<DenseView> views = {{sample.part(graph_form()), {}}};
  const DenseHits found = search_dense(views, query, {});
  EXPECT_NE(found.plan.find("rows were given up"), std::string::npos) << found.plan;
  EXPECT_EQ(found.hits[0], search_dense(views, vector, Metric::cosine, &filter, 10, {}));
}

TEST(GraphSegment, APlanTellsARecallThatIsLessThanWasAskedForOrThatNoneWasMeasured) {
  std::mt19937 random(25);
  const std::string image = random_dense(random, 100, kDimension).image(1, graph_form());
  const DensePart sound(heap_image(image));
  const auto* bytes = reinterpret_cast<const char*>(sound.container().image().bytes().data());
  const auto at = static_cast<std::size_t>(sound.container().bytes(SectionId::graph_header).data() - bytes);
  const std::vector<float> vector = random_vector(random, kDimension);
  const auto plan_with = [&](std::uint32_t measured) {
    graph::GraphHeader header = sound.graph()->header();
    header.measured = measured;
    header.recalls[0] = {10, 0.9695F};
    std::string other = image;
    std::memcpy(&other[at], &header, sizeof header);
    DenseQuery query;
    query.queries = vector;
    query.dimension = kDimension;
    query.recall = 0.97;
    const std::vector<DenseView> views = {
        {std::make_shared<const DensePart>(heap_image(with_right_checksums(other))), {}}};
    return search_dense(views, query, {}).plan;
  };
  EXPECT_EQ(plan_with(1), "scan of 100 rows; along the graph a recall of 0.9695 was measured, not 0.97");
  EXPECT_EQ(plan_with(0), "scan of 100 rows; along the graph no recall was measured");
}

TEST(DenseSegment, AQueryWithoutADirectionFindsTheFirstRows) {
  std::mt19937 random(23);
  const DenseSample sample = random_dense(random, 3000, kDimension);
  const DeadRows dead = random_dead(random, 3000, 0.1);
  const std::vector<DenseView> views = {{sample.part(), dead}};
  const std::vector<float> zero(kDimension);
  for (const Metric metric : {Metric::cosine, Metric::inner_product, Metric::l2}) {
    const auto found = search_dense(views, zero, metric, nullptr, 10, {});
    EXPECT_EQ(found, plain_search(std::vector{sample}, std::vector{dead}, zero, metric, nullptr, 10));
  }
}

TEST(GraphSegment, VectorsWhoseSquaresAreNoFloatsHideNoOther) {
  std::mt19937 random(24);
  DenseSample sample = random_dense(random, 1000, kDimension);
  for (std::size_t row = 0; row < 1000; row += 10)
    for (std::size_t i = 0; i < kDimension; ++i) sample.values[row * kDimension + i] *= 1e19F;
  const std::vector<DenseView> views = {{sample.part(graph_form(Metric::l2)), {}}};
  EXPECT_TRUE(views[0].part->verify({}).empty());
  std::size_t found = 0;
  for (std::size_t row = 0; row < 1000; ++row) {
    DenseQuery query;
    query.queries = sample.vector(row);
    query.dimension = kDimension;
    query.metric = Metric::l2;
    query.k = 1;
    query.ef = 100;
    query.by_graph = true;
    const DenseHits hits = search_dense(views, query, {});
    if (row % 10 != 0) found += hits.hits[0].at(0).id == sample.keys[row].node ? 1 : 0;
  }
  EXPECT_GE(found, 890U);
}

}  // namespace
}  // namespace ragstone::segment
