#include "store/segment/dense_search.hpp"
#include "support/errors.hpp"
#include "unit/store/graph_search.hpp"
#include "unit/store/segment_probe.hpp"
#include "unit/store/segment_samples.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::segment {
namespace {

using test::error_of;

std::shared_ptr<const DensePart> merged(const std::vector<DenseView>& parts, const DenseForm& form = graph_form()) {
  StringSink image;
  merge_dense(3, parts, image, {}, form);
  return std::make_shared<const DensePart>(heap_image(std::move(image).take()));
}

/// Of the nodes of a sample, every third in one of three.
DenseSample third_of(const DenseSample& all, std::size_t which) {
  DenseSample some = all;
  some.keys.clear();
  some.values.clear();
  for (std::size_t row = which; row < all.keys.size(); row += 3) {
    some.keys.push_back(all.keys[row]);
    const auto vector = all.vector(row);
    some.values.insert(some.values.end(), vector.begin(), vector.end());
  }
  return some;
}

double mean_recall(std::mt19937 random, const std::vector<DenseView>& views, Metric metric, std::uint32_t dimension) {
  double sum = 0;
  for (int q = 0; q < 60; ++q) {
    const std::vector<float> query = random_vector(random, dimension);
    sum += recall(search(views, query, metric, 10, 60).hits[0], search_dense(views, query, metric, nullptr, 10, {}));
  }
  return sum / 60;
}

TEST(GrowingGraph, AGraphThatGrowsByMergesIsAsGoodAsOneThatIsBuiltAtOnce) {
  std::mt19937 random(13);
  for (const Metric metric : {Metric::cosine, Metric::l2}) {
    const DenseSample all = clustered(random, 4000, 24);
    const std::vector<DenseView> at_once = {{all.part(graph_form(metric)), {}}};
    auto grown = third_of(all, 0).part(graph_form(metric));
    for (const std::size_t which : {1U, 2U})
      grown = merged({{third_of(all, which).part(), {}}, {grown, {}}}, graph_form(metric));
    EXPECT_TRUE(grown->verify({}).empty());
    ASSERT_EQ(grown->rows(), 4000u);
    EXPECT_GE(mean_recall(random, {{grown, {}}}, metric, 24), mean_recall(random, at_once, metric, 24) - 0.02);
  }
}

TEST(GrowingGraph, AGraphThatGrowsKeepsItsLinksWhereNothingComesNear) {
  std::mt19937 random(14);
  const DenseSample all = random_dense(random, 600, 8);
  const auto before = third_of(all, 0).part(graph_form());
  DenseSample far = third_of(all, 1);
  far.keys.resize(1);
  far.values.resize(8);
  const auto after = merged({{before, {}}, {far.part(), {}}});
  std::size_t kept = 0;
  for (std::uint32_t row = 0; row < before->rows(); ++row) {
    std::vector<NodeId> old_links;
    std::vector<NodeId> new_links;
    for (const std::uint32_t link : before->graph()->links(row))
      if (link != graph::kNone) old_links.push_back(before->node(link));
    for (const std::uint32_t link : after->graph()->links(*after->find(before->node(row))))
      if (link != graph::kNone) new_links.push_back(after->node(link));
    kept += old_links == new_links ? 1 : 0;
  }
  EXPECT_GE(kept, 100u) << "of 200; a graph that is built anew keeps few";
}

TEST(GrowingGraph, RowsThatDiedLeaveAGraphThatGrowsAndItsOthersStayReachable) {
  std::mt19937 random(15);
  const DenseSample all = clustered(random, 3000, 16);
  const auto first = third_of(all, 0).part(graph_form());
  for (const double share : {0.02, 0.15, 0.6}) {
    const auto part =
        merged({{first, random_dead(random, 1000, share)}, {third_of(all, 1).part(), random_dead(random, 1000, 0.1)}});
    ASSERT_TRUE(part->graph());
    EXPECT_TRUE(part->verify({}).empty());
    const std::vector<DenseView> views = {{part, {}}};
    std::size_t found = 0;
    for (std::uint32_t row = 0; row < part->rows(); ++row)
      found += search(views, part->vector(row), Metric::cosine, 1, 64).hits[0].at(0).id == part->node(row) ? 1 : 0;
    EXPECT_GE(found, part->rows() * 99 / 100) << share;
    EXPECT_GE(mean_recall(random, views, Metric::cosine, 16), 0.9) << share;
  }
}

TEST(GrowingGraph, CopiesInAGraphThatGrowsStandForOneAnotherWhicheverIsLeft) {
  std::mt19937 random(16);
  DenseSample all = random_dense(random, 900, 12);
  // Five kinds of equal vectors in all thirds.
  for (std::size_t row = 0; row < 600; ++row) std::copy_n(&all.values[(row % 5) * 12], 12, &all.values[row * 12]);
  const auto first = third_of(all, 0).part(graph_form());
  ASSERT_FALSE(first->graph()->copies().empty());
  // What stood for the others in the first graph is gone.
  DeadRows dead;
  dead = dead.with(std::vector<std::uint32_t>{0, 1, 2, 3, 4});
  const auto part = merged({{third_of(all, 2).part(), {}}, {first, dead}});
  EXPECT_TRUE(part->verify({}).empty());
  const std::vector<DenseView> views = {{part, {}}};
  std::size_t found = 0;
  for (std::uint32_t row = 0; row < part->rows(); ++row) {
    const auto hits = search(views, part->vector(row), Metric::cosine, 150, 300).hits[0];
    found +=
        std::any_of(hits.begin(), hits.end(), [&](const ScoredNode& h) { return h.id == part->node(row); }) ? 1 : 0;
  }
  EXPECT_EQ(found, part->rows());
}

TEST(GrowingGraph, ADamagedGraphIsNotGoneOnFrom) {
  std::mt19937 random(17);
  const DenseSample all = clustered(random, 900, 16);
  std::string image = third_of(all, 0).image(1, graph_form());
  const DensePart whole(heap_image(image));
  const char* links = whole.container().bytes(SectionId::graph_links).data();
  const auto at =
      static_cast<std::size_t>(links - reinterpret_cast<const char*>(whole.container().image().bytes().data()));
  for (std::size_t i = 0; i < 64; ++i) image[at + i * 4] ^= 0x55;
  const auto damaged = std::make_shared<const DensePart>(heap_image(image));
  const auto part = merged({{damaged, {}}, {third_of(all, 1).part(), {}}});
  EXPECT_TRUE(part->verify({}).empty());
  EXPECT_GE(mean_recall(random, {{part, {}}}, Metric::cosine, 16), 0.95);
}

TEST(GrowingGraph, NumbersBehindTheEndOfLinksAreNotFollowedWhereAGraphGoesOn) {
  constexpr std::uint32_t kDead = 5;
  std::mt19937 random(31);
  const DenseForm form = graph_form(Metric::cosine, 4, 20);
  std::string image = random_dense(random, 100, 8).image(1, form);
  const DensePart sound(heap_image(image));
  const std::size_t degree = sound.graph()->header().degree;
  std::vector<std::uint32_t> links(degree, 0x7FFFFFF0);
  links[0] = kDead;
  links[1] = graph::kNone;
  const auto* bytes = reinterpret_cast<const char*>(sound.container().image().bytes().data());
  const std::size_t at = static_cast<std::size_t>(sound.container().bytes(SectionId::graph_links).data() - bytes);
  std::memcpy(&image[at], links.data(), degree * sizeof(std::uint32_t));
  const auto forged = std::make_shared<const DensePart>(heap_image(with_right_checksums(image)));
  const std::vector<std::uint32_t> dead = {kDead};
  const std::vector<DenseView> views = {{forged, DeadRows().with(dead)}};
  StringSink merged;
  merge_dense(2, views, merged, {}, form);
  EXPECT_TRUE(DensePart(heap_image(std::move(merged).take())).verify({}).empty());
}

TEST(GrowingGraph, ALevelWhereANodeStandsTwiceIsNotGoneOnFrom) {
  std::mt19937 random(31);
  const DenseForm form = graph_form(Metric::cosine, 4, 20);
  std::string image = random_dense(random, 400, 8).image(1, form);
  const DensePart sound(heap_image(image));
  const graph::UpperLevel& level = sound.graph()->upper().at(0);
  ASSERT_GE(level.nodes.size(), 2U);
  const auto* bytes = reinterpret_cast<const char*>(sound.container().image().bytes().data());
  // After the number of the nodes.
  const std::size_t nodes =
      static_cast<std::size_t>(sound.container().bytes(SectionId::graph_upper).data() - bytes) + sizeof(std::uint32_t);
  const std::size_t degree = sound.graph()->header().upper_degree;
  const std::vector<std::uint32_t> nowhere(degree, 0x7FFFFFF0);
  std::memcpy(&image[nodes + sizeof(std::uint32_t)], &level.nodes[0], sizeof(std::uint32_t));
  std::memcpy(&image[nodes + (level.nodes.size() + degree) * sizeof(std::uint32_t)], nowhere.data(),
              degree * sizeof(std::uint32_t));
  const auto forged = std::make_shared<const DensePart>(heap_image(with_right_checksums(image)));
  // One that the first of the two links to, so that it gets links anew.
  const std::vector<std::uint32_t> dead = {level.links[0]};
  const std::vector<DenseView> views = {{forged, DeadRows().with(dead)}};
  StringSink merged;
  const Error error = error_of([&] { merge_dense(2, views, merged, {}, form); });
  EXPECT_EQ(error.errc(), Errc::corrupt_store) << error.what();
}

}  // namespace
}  // namespace ragstone::segment
