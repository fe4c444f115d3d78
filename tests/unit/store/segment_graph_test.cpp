#include "store/segment/dense_search.hpp"
#include "support/errors.hpp"
#include "unit/store/graph_search.hpp"
#include "unit/store/segment_probe.hpp"
#include "unit/store/segment_samples.hpp"
#include "unit/store/told_image.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <set>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::segment {
namespace {

using test::error_of;

/// Rows around some centres, as texts are around subjects.
DenseSample clustered(std::mt19937& random, std::size_t rows, std::uint32_t dimension) {
  std::vector<std::vector<float>> centres;
  for (std::size_t i = 0; i < 1 + rows / 100; ++i) centres.push_back(random_vector(random, dimension));
  DenseSample sample = random_dense(random, rows, dimension);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::vector<float>& centre = centres[random() % centres.size()];
    for (std::uint32_t i = 0; i < dimension; ++i) (&sample.values[row * dimension])[i] += 2 * centre[i];
  }
  return sample;
}

class Threads final : public Parallel {
 public:
  std::size_t width() const noexcept override { return 3; }
  void run(std::size_t count, const std::function<void(std::size_t)>& work) const override {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
  }
};

TEST(GraphSegment, AWalkFindsNearlyAllOfTheNearestWithTheirExactScores) {
  std::mt19937 random(1);
  for (const Metric metric : {Metric::cosine, Metric::inner_product, Metric::l2}) {
    const DenseSample sample = clustered(random, 3000, 32);
    const std::vector<DenseView> views = {{sample.part(graph_form(metric)), {}}};
    EXPECT_TRUE(views[0].part->verify({}).empty());
    double sum = 0;
    for (int q = 0; q < 50; ++q) {
      const std::vector<float> query = random_vector(random, 32);
      const DenseHits found = search(views, query, metric, 10, 200);
      EXPECT_NE(found.plan.find("graph over 3000 rows"), std::string::npos) << found.plan;
      const std::vector<ScoredNode> nearest = search_dense(views, query, metric, nullptr, 10, {});
      sum += recall(found.hits[0], nearest);
      ASSERT_EQ(found.hits[0].size(), 10u);
      EXPECT_LE(found.hits[0][0].score, nearest[0].score);
    }
    // The largest products are with long vectors, few of which are near each other.
    EXPECT_GE(sum / 50, metric == Metric::inner_product ? 0.85 : 0.95) << name_of(metric);
  }
}

TEST(GraphSegment, TheRecallIsMeasuredWithRowsThatWereNotInTheGraph) {
  std::mt19937 random(2);
  const auto part = clustered(random, 3000, 32).part(graph_form());
  const graph::GraphHeader& header = part->graph()->header();
  ASSERT_GE(header.measured, 2u);
  EXPECT_GE(header.recalls[header.measured - 1].recall, 0.97F);
  EXPECT_LE(part->graph()->ef_for(0.5, 10), part->graph()->ef_for(0.99, 10));
  EXPECT_LT(part->graph()->ef_for(0.9, 10), part->graph()->ef_for(0.9, 100));
}

TEST(GraphSegment, DeadAndFilteredRowsAreNoHits) {
  std::mt19937 random(5);
  const DenseSample sample = clustered(random, 2000, 16);
  const LambdaFilter even([](NodeId, SourceNumber source) { return source % 2 == 0; });
  const LambdaFilter none([](NodeId, SourceNumber) { return false; });
  const std::vector<DenseView> views = {{sample.part(graph_form()), random_dead(random, 2000, 0.3)}};
  double sum = 0;
  for (int q = 0; q < 20; ++q) {
    const std::vector<float> query = random_vector(random, 16);
    const DenseHits found = search(views, query, Metric::cosine, 10, 100, &even);
    for (const ScoredNode& hit : found.hits[0]) {
      const std::uint32_t row = *views[0].part->find(hit.id);
      EXPECT_FALSE(views[0].dead.contains(row));
      EXPECT_EQ(views[0].part->source(row) % 2, 0u);
    }
    sum += recall(found.hits[0], search_dense(views, query, Metric::cosine, &even, 10, {}));
    EXPECT_TRUE(search(views, query, Metric::cosine, 10, 100, &none).hits[0].empty());
  }
  EXPECT_GE(sum / 20, 0.9);
}

TEST(GraphSegment, ASearchThatMayNotUseTheGraphScansAndSaysWhy) {
  std::mt19937 random(6);
  const DenseSample sample = clustered(random, 500, 16);
  const std::vector<DenseView> views = {{sample.part(graph_form(Metric::l2)), {}}};
  const std::vector<float> query = random_vector(random, 16);
  const DenseHits found = search(views, query, Metric::cosine, 5);
  EXPECT_EQ(found.hits[0], search_dense(views, query, Metric::cosine, nullptr, 5, {}));
  EXPECT_NE(found.plan.find("another metric"), std::string::npos) << found.plan;
  EXPECT_EQ(search(views, query, Metric::l2, 700).hits[0].size(), 500u);
}

TEST(GraphSegment, SmallPartsGetNoGraphAndFitTheirForm) {
  std::mt19937 random(7);
  DenseForm form = graph_form();
  form.graph_rows = 101;
  const auto small = random_dense(random, 100, 8).part(form);
  EXPECT_EQ(small->graph(), nullptr);
  EXPECT_TRUE(form.fits(*small));
  const auto large = random_dense(random, 101, 8).part(form);
  EXPECT_NE(large->graph(), nullptr);
  EXPECT_TRUE(form.fits(*large));
  EXPECT_FALSE(DenseForm().fits(*large));
  EXPECT_FALSE(nibble_form().fits(*large));
  EXPECT_FALSE(graph_form(Metric::l2).fits(*large));
  EXPECT_FALSE(graph_form(Metric::cosine, 9).fits(*large));
}

TEST(GraphSegment, SeveralThreadsBuildAGraphThatIsAsGood) {
  std::mt19937 random(8);
  const DenseSample sample = clustered(random, 3000, 24);
  const std::vector<DenseView> flat = {{sample.part(), {}}};
  StringSink image;
  merge_dense(2, flat, image, {}, graph_form(), std::make_unique<Threads>().get());
  const std::vector<DenseView> views = {{std::make_shared<const DensePart>(heap_image(std::move(image).take())), {}}};
  EXPECT_TRUE(views[0].part->verify({}).empty());
  double sum = 0;
  for (int q = 0; q < 30; ++q) {
    const std::vector<float> query = random_vector(random, 24);
    sum += recall(search(views, query, Metric::cosine, 10, 100).hits[0],
                  search_dense(views, query, Metric::cosine, nullptr, 10, {}));
  }
  EXPECT_GE(sum / 30, 0.95);
}

TEST(GraphSegment, VectorsOfZerosHaveTheCosineZeroToAll) {
  std::mt19937 random(10);
  DenseSample sample = clustered(random, 1000, 16);
  std::set<NodeId> zeros;
  for (std::size_t row = 50; row < 1000; row += 100) {
    std::fill_n(&sample.values[row * 16], 16, 0.0F);
    zeros.insert(sample.keys[row].node);
  }
  const std::vector<DenseView> views = {{sample.part(graph_form()), {}}};
  EXPECT_TRUE(views[0].part->verify({}).empty());
  const std::vector<float> zero(16);
  const DenseHits of_zero = search(views, zero, Metric::cosine, 20, 100);
  EXPECT_NE(of_zero.plan.find("a query of zeros"), std::string::npos) << of_zero.plan;
  EXPECT_EQ(of_zero.hits[0], search_dense(views, zero, Metric::cosine, nullptr, 20, {}));
  ASSERT_EQ(of_zero.hits[0].size(), 20U);
  for (const ScoredNode& hit : of_zero.hits[0]) EXPECT_EQ(hit.score, 0);

  const std::vector<float> query = random_vector(random, 16);
  const DenseHits nearest = search(views, query, Metric::cosine, 10, 100);
  EXPECT_NE(nearest.plan.find("graph over"), std::string::npos) << nearest.plan;
  for (const ScoredNode& hit : nearest.hits[0]) EXPECT_FALSE(zeros.contains(hit.id)) << "nearer than what is near";
  const DenseHits all = search(views, query, Metric::cosine, 1000, 1000);
  std::size_t found = 0;
  for (const ScoredNode& hit : all.hits[0])
    if (zeros.contains(hit.id)) {
      EXPECT_EQ(hit.score, 0);
      ++found;
    }
  EXPECT_EQ(found, zeros.size());
}

/// As where the system gives no more threads.
class NoThreads final : public Parallel {
 public:
  std::size_t width() const noexcept override { return 2; }
  void run(std::size_t, const std::function<void(std::size_t)>&) const override {
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  }
};

TEST(GraphSegment, AnErrorOfTheSystemIsNotTakenForDamage) {
  std::mt19937 random(8);
  const std::vector<DenseView> flat = {{clustered(random, 300, 24).part(), {}}};
  const NoThreads none;
  const Error error = error_of([&] {
    StringSink image;
    merge_dense(2, flat, image, {}, graph_form(), &none);
  });
  EXPECT_EQ(error.errc(), Errc::transient) << error.what();
}

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

TEST(GraphSegment, AGraphThatGrowsByMergesIsAsGoodAsOneThatIsBuiltAtOnce) {
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

TEST(GraphSegment, AGraphThatGrowsKeepsItsLinksWhereNothingComesNear) {
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

TEST(GraphSegment, RowsThatDiedLeaveAGraphThatGrowsAndItsOthersStayReachable) {
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

TEST(GraphSegment, CopiesInAGraphThatGrowsStandForOneAnotherWhicheverIsLeft) {
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

TEST(GraphSegment, ADamagedGraphIsNotGoneOnFrom) {
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

TEST(GraphSegment, NumbersBehindTheEndOfLinksAreNotFollowedWhereAGraphGoesOn) {
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

TEST(GraphSegment, ALevelWhereANodeStandsTwiceIsNotGoneOnFrom) {
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

TEST(GraphSegment, HowLongAQueryIsChangesNoOrderByProduct) {
  std::mt19937 random(32);
  const DenseSample sample = random_dense(random, 2000, 32);
  for (const Metric metric : {Metric::cosine, Metric::inner_product}) {
    const std::vector<DenseView> views = {{sample.part(graph_form(metric)), {}}};
    const std::vector<float> query = random_vector(random, 32);
    std::vector<NodeId> expected;
    for (const float length : {1.0F, 1e-38F, 1e-36F, 1e36F}) {
      std::vector<float> scaled = query;
      for (float& element : scaled) element *= length;
      std::vector<NodeId> ids;
      const DenseHits found = search(views, scaled, metric, 10);
      for (const ScoredNode& hit : found.hits[0]) ids.push_back(hit.id);
      if (expected.empty()) expected = ids;
      EXPECT_GE(std::count_if(ids.begin(), ids.end(),
                              [&](NodeId id) { return std::ranges::find(expected, id) != expected.end(); }),
                9)
          << name_of(metric) << " times " << length;
    }
  }
}

TEST(GraphSegment, AStopEndsTheBuild) {
  std::mt19937 random(9);
  const std::vector<DenseView> views = {{random_dense(random, 200, 8).part(), {}}};
  std::stop_source stop;
  stop.request_stop();
  StringSink image;
  EXPECT_THROW(merge_dense(1, views, image, stop.get_token(), graph_form()), boost::system::system_error);
}

TEST(GraphSegment, AFileIsReadAheadAfterTheFirstAnswerAndNoLongerAtRandomForAScan) {
  std::mt19937 random(12);
  const auto image = std::make_shared<const ToldImage>(random_dense(random, 10'000, 128).image(1, graph_form()));
  const std::vector<DenseView> views = {{std::make_shared<const DensePart>(image), {}}};
  const auto asked = [&](bool pieces) {
    return std::count_if(image->readings.begin(), image->readings.end(),
                         [pieces](const ToldImage::Range& range) { return (range.size > 4096) == pieces; });
  };
  image->scans.clear();
  const std::vector<float> query = random_vector(random, 128);
  search(views, query, Metric::cosine, 10, 20);
  EXPECT_EQ(asked(true), 0);
  EXPECT_GE(asked(false), 10) << "the vectors of the hits are read at the same time";
  for (int i = 0; i < 9; ++i) search(views, query, Metric::cosine, 10, 20);
  EXPECT_EQ(asked(true), 3);
  const auto vectors = asked(false);
  search(views, query, Metric::cosine, 10, 20);
  EXPECT_EQ(asked(false), vectors) << "all was asked for";
  EXPECT_TRUE(image->scans.empty());
  for (int i = 0; i < 2; ++i) search_dense(views, query, Metric::cosine, nullptr, 10, {});
  EXPECT_EQ(image->scans.size(), 2u);
}

TEST(GraphSegment, OpeningReadsNothingAroundTheShapeOfAGraph) {
  std::mt19937 random(13);
  const auto image = std::make_shared<const ToldImage>(random_dense(random, 10'000, 128).image(1, graph_form()));
  const DensePart part(image);
  std::vector<ToldImage::Range> random_reads;
  for (const SectionId section :
       {SectionId::codes, SectionId::vectors, SectionId::graph_header, SectionId::graph_upper})
    random_reads.push_back(range_of(part.container(), section));
  EXPECT_EQ(image->random, random_reads) << "the other sections are small";
  EXPECT_EQ(image->scans, std::vector{range_of(part.container(), SectionId::graph_upper)}) << "walks read it";
  EXPECT_TRUE(image->readings.empty());
}

TEST(GraphSegment, SignsFindMostOfTheNearestAndHammingExactly) {
  std::mt19937 random(10);
  const DenseSample sample = clustered(random, 2000, 130);
  DenseForm form;
  form.bits = true;
  const std::vector<DenseView> views = {{sample.part(form), {}}};
  const std::vector<DenseView> plain = {{sample.part(), {}}};
  double sum = 0;
  for (int q = 0; q < 20; ++q) {
    const std::vector<float> query = random_vector(random, 130);
    sum += recall(search(views, query, Metric::cosine, 10).hits[0],
                  search_dense(plain, query, Metric::cosine, nullptr, 10, {}));
    EXPECT_EQ(search(views, query, Metric::hamming, 10).hits[0],
              search_dense(plain, query, Metric::hamming, nullptr, 10, {}));
  }
  EXPECT_GE(sum / 20, 0.75);
}

TEST(GraphSegment, SignsAndFactorsThatAreNotTheirRowsAreToldByRow) {
  std::mt19937 random(23);
  const DenseSample sample = clustered(random, 900, 130);
  for (const Metric metric : {Metric::cosine, Metric::inner_product, Metric::l2}) {
    DenseForm form = graph_form(metric);
    form.bits = form.nibbles = true;
    form.nibble_elements = 1;
    const std::string good = sample.image(1, form);
    const DensePart whole(heap_image(good));
    EXPECT_TRUE(whole.verify({}).empty());
    for (const auto& [section, bytes_of_row] :
         {std::pair(SectionId::bits, std::size_t{24}), std::pair(SectionId::nibbles, std::size_t{65}),
          std::pair(SectionId::graph_factors, std::size_t{8})}) {
      std::string image = good;
      const auto at = static_cast<std::size_t>(whole.container().bytes(section).data() -
                                               reinterpret_cast<const char*>(whole.container().image().bytes().data()));
      image[at + 7 * bytes_of_row + 1] ^= 8;
      // Beside the block's checksum.
      const std::vector<Finding> findings = DensePart(heap_image(image)).verify({});
      const auto by_row = std::count_if(findings.begin(), findings.end(), [wanted = section](const Finding& finding) {
        return finding.section == wanted && finding.loss == Finding::Loss::nothing &&
               finding.rows == std::vector<std::uint32_t>{7};
      });
      EXPECT_EQ(by_row, 1) << name_of(section);
    }
  }
}

class DenseSegmentThreads : public testing::TestWithParam<FlatForm> {};

TEST_P(DenseSegmentThreads, SeveralQueriesAndThreadsGiveWhatSingleOnesGive) {
  std::mt19937 random(11);
  const DenseSample sample = random_dense(random, 70'000, 4);
  DenseForm form;
  form.bits = GetParam() == FlatForm::bits;
  form.nibbles = GetParam() == FlatForm::nibbles;
  const std::vector<DenseView> views = {{sample.part(form), random_dead(random, 70'000, 0.1)}};
  const Threads threads;
  std::vector<float> queries;
  for (int q = 0; q < 9; ++q) {
    const std::vector<float> vector = random_vector(random, 4);
    queries.insert(queries.end(), vector.begin(), vector.end());
  }
  DenseQuery query;
  query.queries = queries;
  query.dimension = 4;
  query.k = 7;
  query.parallel = &threads;
  const DenseHits found = search_dense(views, query, {});
  ASSERT_EQ(found.hits.size(), 9u);
  query.parallel = nullptr;
  for (std::size_t q = 0; q < 9; ++q) {
    query.queries = std::span(queries).subspan(4 * q, 4);
    EXPECT_EQ(found.hits[q], search_dense(views, query, {}).hits[0]);
  }
}

INSTANTIATE_TEST_SUITE_P(, DenseSegmentThreads, testing::Values(FlatForm::codes, FlatForm::nibbles, FlatForm::bits),
                         [](const testing::TestParamInfo<FlatForm>& form) {
                           return std::string(form.param == FlatForm::codes     ? "ByCodes"
                                              : form.param == FlatForm::nibbles ? "ByNibbles"
                                                                                : "BySigns");
                         });

}  // namespace
}  // namespace ragstone::segment
