#include "store/segment/dense_search.hpp"
#include "support/errors.hpp"
#include "unit/store/graph_search.hpp"
#include "unit/store/segment_samples.hpp"
#include "unit/store/told_image.hpp"

#include <algorithm>
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
