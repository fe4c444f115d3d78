#include "unit/store/graph_search.hpp"
#include "unit/store/segment_samples.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::segment {
namespace {

/// Crowds of rows that codes can hardly tell apart, as pages are that a template made.
DenseSample crowds(std::mt19937& random, std::size_t rows, std::size_t crowd, std::uint32_t dimension, float noise) {
  DenseSample sample = random_dense(random, rows, dimension);
  std::vector<float> centre;
  for (std::size_t row = 0; row < rows; ++row) {
    if (row % crowd == 0) centre = random_vector(random, dimension);
    for (std::uint32_t i = 0; i < dimension; ++i) {
      float& element = sample.values[row * dimension + i];
      element = centre[i] + noise * element;
    }
  }
  return sample;
}

/// Rows that links of the lowest level lead to, from where a walk may begin there.
std::size_t reached(const graph::Graph& graph) {
  std::set<std::uint32_t> seen = {graph.header().entry};
  for (const graph::UpperLevel& level : graph.upper()) seen.insert(level.nodes.begin(), level.nodes.end());
  std::vector<std::uint32_t> waiting(seen.begin(), seen.end());
  while (!waiting.empty()) {
    const auto links = graph.links(waiting.back());
    waiting.pop_back();
    for (const std::uint32_t link : links)
      if (link != graph::kNone && seen.insert(link).second) waiting.push_back(link);
  }
  return seen.size();
}

// hnswlib by itself reaches 1,111 of the 2,000.
TEST(CrowdedGraph, ACrowdOfEqualVectorsHidesNoOther) {
  std::mt19937 random(3);
  DenseSample sample = random_dense(random, 5000, 16);
  for (std::size_t row = 1; row < 3000; ++row) std::copy_n(sample.values.begin(), 16, &sample.values[row * 16]);
  const std::vector<DenseView> views = {{sample.part(graph_form()), {}}};
  EXPECT_TRUE(views[0].part->verify({}).empty());
  std::size_t found = 0;
  for (std::size_t row = 3000; row < 5000; ++row)
    found += search(views, sample.vector(row), Metric::cosine, 1, 64).hits[0].at(0).id == sample.keys[row].node ? 1 : 0;
  EXPECT_EQ(found, 2000u);
  EXPECT_EQ(search(views, sample.vector(0), Metric::cosine, 3000, 64).hits[0].size(), 3000u);
}

TEST(CrowdedGraph, NearlyEqualVectorsHideNoOther) {
  std::mt19937 random(4);
  DenseSample sample = random_dense(random, 2500, 16);
  for (std::size_t row = 1; row < 1500; ++row)
    for (std::size_t i = 0; i < 16; ++i)
      sample.values[row * 16 + i] = sample.values[i] + 1e-3F * static_cast<float>(random() % 100);
  const std::vector<DenseView> views = {{sample.part(graph_form()), {}}};
  std::size_t found = 0;
  for (std::size_t row = 1500; row < 2500; ++row)
    found += search(views, sample.vector(row), Metric::cosine, 1, 64).hits[0].at(0).id == sample.keys[row].node ? 1 : 0;
  EXPECT_GE(found, 995u);
}

TEST(CrowdedGraph, EachRowOfACrowdCanBeReached) {
  for (const Metric metric : {Metric::cosine, Metric::l2, Metric::inner_product})
    for (const std::size_t m : {4U, 16U})
      for (const float noise : {0.003F, 0.02F}) {
        std::mt19937 random(8);
        const auto part = crowds(random, 3000, 300, 32, noise).part(graph_form(metric, m, 40));
        EXPECT_EQ(reached(*part->graph()) + part->graph()->copies().size(), 3000u)
            << name_of(metric) << ", M " << m << ", noise " << noise;
      }
}

TEST(CrowdedGraph, WhatCodesMistakeCountsInTheRecallThatIsMeasured) {
  constexpr std::uint32_t kWidth = 64;
  constexpr int kQueries = 100;
  for (const float noise : {0.01F, 0.05F}) {
    std::mt19937 random(5);
    const DenseSample sample = crowds(random, 5000, 100, kWidth, noise);
    const std::vector<DenseView> views = {{sample.part(graph_form()), {}}};
    const graph::GraphHeader& header = views[0].part->graph()->header();
    double by_target = 0;
    double by_smallest = 0;
    for (int q = 0; q < kQueries; ++q) {
      std::vector<float> query = random_vector(random, kWidth);
      const std::span<const float> like = sample.vector(random() % 5000);
      for (std::uint32_t i = 0; i < kWidth; ++i) query[i] = like[i] + noise * query[i];
      const std::vector<ScoredNode> nearest = search_dense(views, query, Metric::cosine, nullptr, 10, {});
      by_smallest += recall(search(views, query, Metric::cosine, 10, header.recalls[0].ef).hits[0], nearest);
      DenseQuery by_recall;
      by_recall.queries = query;
      by_recall.dimension = kWidth;
      by_recall.metric = Metric::cosine;
      by_recall.k = 10;
      by_recall.recall = 0.97;
      by_target += recall(search_dense(views, by_recall, {}).hits[0], nearest);
    }
    EXPECT_NEAR(by_smallest / kQueries, header.recalls[0].recall, 0.15) << noise;
    EXPECT_GE(by_target / kQueries, 0.96) << noise;
  }
}

TEST(CrowdedGraph, AGraphThatDoesNotReachTheRecallIsNotWalked) {
  std::mt19937 random(6);
  const DenseSample sample = crowds(random, 4000, 4000, 16, 1e-4F);
  const std::vector<DenseView> views = {{sample.part(graph_form()), {}}};
  EXPECT_LT(views[0].part->graph()->best_recall(), 0.97);
  DenseQuery query;
  query.queries = sample.vector(7);
  query.dimension = 16;
  query.metric = Metric::cosine;
  query.k = 10;
  query.recall = 0.97;
  const DenseHits found = search_dense(views, query, {});
  EXPECT_NE(found.plan.find("scan of 4000 rows; along the graph a recall of"), std::string::npos) << found.plan;
  EXPECT_EQ(recall(found.hits[0], search_dense(views, query.queries, Metric::cosine, nullptr, 10, {})), 1);
}

TEST(CrowdedGraph, AFilteredWalkFindsAsManyAsAreAskedFor) {
  constexpr std::uint32_t kWidth = 32;
  std::mt19937 random(7);
  const DenseSample sample = crowds(random, 4000, 40, kWidth, 0.05F);
  const std::vector<DenseView> views = {{sample.part(graph_form()), {}}};
  for (std::size_t crowd = 0; crowd < 100; ++crowd) {
    std::set<NodeId> own;
    for (std::size_t row = 40 * crowd; row < 40 * crowd + 40; ++row) own.insert(sample.keys[row].node);
    const LambdaFilter others([&](NodeId node, SourceNumber) { return !own.contains(node); });
    const std::span<const float> query = sample.vector(40 * crowd);
    for (const std::size_t k : {10U, 100U})
      EXPECT_EQ(search(views, query, Metric::cosine, k, k, &others).hits[0].size(), k) << "crowd " << crowd;
  }
}

TEST(CrowdedGraph, AFilterThatTakesAllThatIsNearestLeavesTheRecall) {
  constexpr std::uint32_t kWidth = 64;
  constexpr std::size_t kCrowd = 150;
  constexpr int kQueries = 100;
  std::mt19937 random(8);
  const DenseSample sample = crowds(random, 12'000, kCrowd, kWidth, 0.7F);
  const std::vector<DenseView> views = {{sample.part(graph_form(Metric::cosine, 16, 100)), {}}};
  double all = 0;
  for (int q = 0; q < kQueries; ++q) {
    const std::size_t first = random() % (sample.keys.size() / kCrowd) * kCrowd;
    const NodeId low = sample.keys[first].node, high = sample.keys[first + kCrowd - 1].node;
    const LambdaFilter others([&](NodeId node, SourceNumber) { return node < low || node > high; });
    const std::span<const float> vector = sample.vector(first + static_cast<std::size_t>(q) % kCrowd);
    DenseQuery query;
    query.queries = vector;
    query.dimension = kWidth;
    query.k = 10;
    query.recall = 0.97;
    query.filter = &others;
    query.by_graph = true;
    all += recall(search_dense(views, query, {}).hits[0], search_dense(views, vector, Metric::cosine, &others, 10, {}));
  }
  EXPECT_GE(all / kQueries, 0.97);
}

TEST(CrowdedGraph, RowsThatCodesTakeForTheSameAreNotSearchedByThem) {
  constexpr std::uint32_t kWidth = 32;
  for (const Metric metric : {Metric::inner_product, Metric::l2, Metric::cosine}) {
    std::mt19937 random(9);
    DenseSample sample = random_dense(random, 4000, kWidth);
    // Beside so large an element no code tells what the others are.
    for (std::size_t row = 0; row < sample.keys.size(); ++row) sample.values[row * kWidth] = 1000;
    const std::vector<DenseView> views = {{sample.part(graph_form(metric)), {}}};
    EXPECT_GT(views[0].part->graph()->copies().size(), 3000U);
    std::vector<float> vector = random_vector(random, kWidth);
    vector[0] = metric == Metric::inner_product ? 0 : 1000;
    DenseQuery query;
    query.queries = vector;
    query.dimension = kWidth;
    query.metric = metric;
    query.k = 10;
    query.recall = 0.97;
    const DenseHits found = search_dense(views, query, {});
    EXPECT_EQ(found.plan.find("scan of 4000 rows; along the graph a recall of"), 0U) << found.plan;
    EXPECT_EQ(recall(found.hits[0], search_dense(views, vector, metric, nullptr, 10, {})), 1) << name_of(metric);
  }
}

/// Of queries that are given, along the graph if `by_graph`, with what a recall of 0.97 takes.
double mean_recall(const std::vector<DenseView>& views, std::span<const float> queries, Metric metric, std::size_t k,
                   bool by_graph) {
  const std::uint32_t width = views[0].part->dimension();
  double all = 0;
  for (std::size_t begin = 0; begin < queries.size(); begin += width) {
    DenseQuery query;
    query.queries = queries.subspan(begin, width);
    query.dimension = width;
    query.metric = metric;
    query.k = k;
    query.recall = 0.97;
    query.by_graph = by_graph;
    all += recall(search_dense(views, query, {}).hits[0], search_dense(views, query.queries, metric, nullptr, k, {}));
  }
  return all * width / static_cast<double>(queries.size());
}

/// Takes the last rows of a sample out of it.
std::vector<float> take_last(DenseSample& sample, std::size_t rows) {
  sample.keys.resize(sample.keys.size() - rows);
  const auto first = sample.values.end() - static_cast<std::ptrdiff_t>(rows * sample.dimension);
  const std::vector<float> taken(first, sample.values.end());
  sample.values.erase(first, sample.values.end());
  return taken;
}

// By products a few long rows are the nearest of all, and nothing else leads to the others.
TEST(CrowdedGraph, LinksToRowsThatAreNearNoneLeaveTheRecallThatWasMeasured) {
  std::mt19937 random(11);
  DenseSample sample = random_dense(random, 4100, 32);
  for (float& element : sample.values) element = 1 + 0.5F * element;
  const std::vector<float> queries = take_last(sample, 100);
  const std::vector<DenseView> views = {{sample.part(graph_form(Metric::inner_product, 16, 100)), {}}};
  const graph::Graph& graph = *views[0].part->graph();
  EXPECT_GE(graph.best_recall(), 0.97);
  EXPECT_GE(mean_recall(views, queries, Metric::inner_product, 10, true), 0.95);
  EXPECT_GE(reached(graph) + graph.copies().size(), 3960U);
}

// Codes tell little of the others beside an element that is so large in all rows.
TEST(CrowdedGraph, ARecallIsMeasuredByAllRowsWhereCodesTellTooLittle) {
  constexpr std::uint32_t kWidth = 16;
  for (const float large : {60.0F, 400.0F}) {
    std::mt19937 random(12);
    DenseSample sample = random_dense(random, 30'050, kWidth);
    for (std::size_t row = 0; row < sample.keys.size(); ++row) sample.values[row * kWidth] = large;
    const std::vector<float> queries = take_last(sample, 50);
    const std::vector<DenseView> views = {{sample.part(graph_form(Metric::l2, 4, 20)), {}}};
    const double had = mean_recall(views, queries, Metric::l2, 10, true);
    EXPECT_LE(views[0].part->graph()->best_recall(), had + 0.1) << large;
    EXPECT_GE(mean_recall(views, queries, Metric::l2, 10, false), 0.97) << large;
  }
}

TEST(CrowdedGraph, AsManyCopiesAreComparedForOneHitAsForThoseThatWereMeasured) {
  constexpr std::uint32_t kWidth = 16;
  constexpr std::size_t kCrowd = 100;
  std::mt19937 random(13);
  DenseSample sample = random_dense(random, 60 * kCrowd, kWidth);
  std::vector<float> codes;
  std::vector<float> queries;
  for (std::size_t row = 0; row < sample.keys.size(); ++row) {
    if (row % kCrowd == 0) {
      codes = random_vector(random, kWidth);
      const auto largest = std::ranges::max_element(codes, {}, [](float x) { return std::abs(x); });
      for (float& x : codes) x = std::nearbyint(x * 127 / std::abs(*largest));
    }
    // Less than half a code from the others.
    for (std::uint32_t i = 0; i < kWidth; ++i) {
      float& element = sample.values[row * kWidth + i];
      element = std::abs(codes[i]) == 127 ? codes[i] : codes[i] + std::clamp(element, -0.45F, 0.45F);
    }
    if (row % kCrowd == kCrowd - 1) queries.insert(queries.end(), sample.vector(row).begin(), sample.vector(row).end());
  }
  const std::vector<DenseView> views = {{sample.part(graph_form(Metric::inner_product)), {}}};
  EXPECT_GE(views[0].part->graph()->best_recall(), 0.95);
  for (const std::size_t k : {1U, 10U})
    EXPECT_GE(mean_recall(views, queries, Metric::inner_product, k, true), 0.9) << k;
}

TEST(CrowdedGraph, RowsThatAreEasyToFindAddedToOthersLeaveTheRecall) {
  constexpr std::uint32_t kWidth = 32;
  constexpr int kQueries = 100;
  std::mt19937 random(10);
  const DenseForm form = graph_form(Metric::cosine, 16, 100);
  const DenseSample before = random_dense(random, 6000, kWidth);
  DenseSample added = random_dense(random, 2500, kWidth, 1'000'000);
  for (std::size_t row = 0; row < added.keys.size(); ++row)
    for (std::uint32_t i = 3; i < kWidth; ++i) added.values[row * kWidth + i] = 0;
  const std::vector<DenseView> parts = {{before.part(form), {}}, {added.part(), {}}};
  StringSink image;
  merge_dense(2, parts, image, {}, form);
  const std::vector<DenseView> views = {{std::make_shared<const DensePart>(heap_image(std::move(image).take())), {}}};
  double all = 0;
  for (int q = 0; q < kQueries; ++q) {
    const std::vector<float> vector = random_vector(random, kWidth);
    DenseQuery query;
    query.queries = vector;
    query.dimension = kWidth;
    query.k = 10;
    query.recall = 0.97;
    query.by_graph = true;
    all += recall(search_dense(views, query, {}).hits[0], search_dense(views, vector, Metric::cosine, nullptr, 10, {}));
  }
  // A mean over all rows is asked for, and these queries are of the harder kind.
  EXPECT_GE(all / kQueries, 0.9);
}

}  // namespace
}  // namespace ragstone::segment
