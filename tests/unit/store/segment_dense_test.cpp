#include "index/vector_scorer.hpp"
#include "kernel/distance.hpp"
#include "store/segment/dense_part.hpp"
#include "store/segment/dense_search.hpp"
#include "support/errors.hpp"
#include "support/rounds.hpp"
#include "unit/store/segment_samples.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::segment {
namespace {

using test::error_of;
using test::rounds;

constexpr Metric kMetrics[] = {Metric::cosine, Metric::inner_product, Metric::l2, Metric::hamming};

void expect_rows(const DensePart& part, const DenseSample& sample, const std::vector<std::uint32_t>& rows) {
  ASSERT_EQ(part.rows(), rows.size());
  for (std::uint32_t row = 0; row < rows.size(); ++row) {
    const RowKey& key = sample.keys[rows[row]];
    EXPECT_EQ(part.node(row), key.node);
    EXPECT_EQ(part.source(row), key.source);
    EXPECT_EQ(part.content(row), key.content);
    const std::span<const float> vector = sample.vector(rows[row]);
    EXPECT_EQ(std::memcmp(part.vector(row).data(), vector.data(), vector.size_bytes()), 0);
    EXPECT_EQ(part.norm(row), kernel::norm(vector));
    EXPECT_EQ(part.find(key.node), row);
  }
}

std::vector<std::uint32_t> live(std::size_t rows, const DeadRows& dead) {
  std::vector<std::uint32_t> result;
  for (std::uint32_t row = 0; row < rows; ++row)
    if (!dead.contains(row)) result.push_back(row);
  return result;
}

std::string merged_image(std::span<const DenseView> views, Generation generation, const DenseForm& form) {
  StringSink image;
  merge_dense(generation, views, image, {}, form);
  return std::move(image).take();
}

std::shared_ptr<const DensePart> merge(std::span<const DenseView> views, Generation generation = 9) {
  return std::make_shared<const DensePart>(heap_image(merged_image(views, generation, {})));
}

TEST(DenseSegment, GivesBackWhatItWasBuiltFrom) {
  std::mt19937 random(1);
  for (const std::size_t rows : {0, 1, 2, 15, 300})
    for (const std::uint32_t dimension : {1u, 3u, 16u, 100u, 384u}) {
      const DenseSample sample = random_dense(random, rows, dimension);
      const auto part = sample.part();
      EXPECT_EQ(part->dimension(), dimension);
      EXPECT_EQ(part->container().generation(), 1u);
      expect_rows(*part, sample, live(rows, {}));
      EXPECT_EQ(part->find(NodeId{1'000'000}), std::nullopt);
      EXPECT_EQ(part->find(NodeId{0}), std::nullopt);
      EXPECT_TRUE(part->verify({}).empty());
    }
}

TEST(DenseSegment, FindsTheRowsOfAContent) {
  std::mt19937 random(2);
  const DenseSample sample = random_dense(random, 500, 4);
  const auto part = sample.part();
  for (const RowKey& key : sample.keys) {
    std::vector<std::uint32_t> expected;
    for (std::uint32_t row = 0; row < sample.keys.size(); ++row)
      if (sample.keys[row].content == key.content) expected.push_back(row);
    EXPECT_EQ(part->find(key.content), expected);
  }
  EXPECT_TRUE(part->find(hash128("absent")).empty());
}

// The bound on disk: 1.6 times the raw vectors; at 384 dimensions the format needs less.
TEST(DenseSegment, AVectorOf384DimensionsTakesAtMost135PercentOfItsRawSize) {
  std::mt19937 random(3);
  const DenseSample sample = random_dense(random, 2000, 384);
  EXPECT_LE(static_cast<double>(sample.image().size()), 1.35 * 2000 * 384 * sizeof(float));
  EXPECT_LE(static_cast<double>(sample.image(1, nibble_form()).size()), 1.5 * 2000 * 384 * sizeof(float));
}

TEST(DenseSegment, SearchFindsExactlyWhatAScanOfAllVectorsFinds) {
  for (unsigned seed = 1; seed <= rounds(300) && !testing::Test::HasFailure(); ++seed) {
    std::mt19937 random(seed);
    const Values kind = seed % 3 == 0 ? Values::wild : Values::unit;
    const auto dimension = static_cast<std::uint32_t>(1 + random() % 70);
    std::vector<DenseSample> samples;
    std::vector<DeadRows> dead;
    std::vector<DenseView> views;
    NodeId first = 1;
    for (auto parts = random() % 4; parts > 0; --parts) {
      samples.push_back(random_dense(random, random() % 200, dimension, first, kind));
      first += 1000;
      dead.push_back(random() % 2 == 0 ? DeadRows() : random_dead(random, samples.back().keys.size(), 0.3));
      views.push_back({samples.back().part(random() % 2 == 0 ? nibble_form() : DenseForm()), dead.back()});
    }
    const LambdaFilter every_third([](NodeId node, SourceNumber source) { return (node + source) % 3 == 0; });
    const RowFilter* const filter = random() % 2 == 0 ? nullptr : &every_third;
    std::vector<float> query = random_vector(random, dimension, kind);
    if (!samples.empty() && !samples[0].keys.empty() && random() % 4 == 0)
      query.assign(samples[0].vector(0).begin(), samples[0].vector(0).end());
    for (const Metric metric : kMetrics)
      for (const std::size_t k : {1, 10, 1000})
        EXPECT_EQ(search_dense(views, query, metric, filter, k, {}),
                  plain_search(samples, dead, query, metric, filter, k))
            << "seed " << seed << ", " << name_of(metric) << ", k " << k;
  }
}

TEST(DenseSegment, CodesNeverPromiseLessThanTheScore) {
  for (unsigned seed = 1; seed <= rounds(3000) && !testing::Test::HasFailure(); ++seed) {
    std::mt19937 random(seed);
    const auto dimension = static_cast<std::uint32_t>(1 + random() % 600);
    const Values kind = random() % 2 == 0 ? Values::wild : Values::unit;
    std::vector<float> query = random_vector(random, dimension, kind);
    std::vector<float> row = random() % 4 == 0 ? query : random_vector(random, dimension, kind);
    const double norm = kernel::norm(row);
    std::vector<std::int8_t> codes(dimension);
    const CodeScale scale = encode(row, codes);
    std::vector<std::uint8_t> nibbles(kernel::nibble_bytes(dimension));
    const CodeScale nibble_scale = encode_nibbles(row, nibbles);
    for (const Metric metric : kMetrics) {
      const double score = VectorScorer(query, metric).score(row, norm);
      const CodeQuery bound(query, metric);
      if (!bound.is_usable()) continue;
      float dot = 0;
      bound.dots(codes.data(), nullptr, 1, &dot);
      const ScoreBounds bounds = bound.bounds(dot, scale, norm);
      EXPECT_LE(score, bounds.best) << "seed " << seed << ", " << name_of(metric);
      EXPECT_GE(score, bounds.worst) << "seed " << seed << ", " << name_of(metric);
      std::uint32_t selected = 0;
      std::int32_t coarse = 0;
      kernel::simd().code_dots(bound.coarse(), codes.data(), dimension, nullptr, 1, &coarse);
      EXPECT_EQ(kernel::simd().select(bound.terms(score), &coarse, &scale.scale, &norm, 1, &selected), 1u)
          << "seed " << seed << ", " << name_of(metric);
      kernel::simd().nibble_dots(bound.coarse(), nibbles.data(), dimension, 1, &coarse);
      EXPECT_EQ(kernel::simd().select(bound.terms(score), &coarse, &nibble_scale.scale, &norm, 1, &selected), 1u)
          << "seed " << seed << ", " << name_of(metric);
    }
  }
}

TEST(DenseSegment, CodesSpareMostVectorsOfARealisticScan) {
  std::mt19937 random(5);
  const std::uint32_t dimension = 384;
  const DenseSample sample = random_dense(random, 3000, dimension);
  const std::vector<float> query = random_vector(random, dimension);
  const CodeQuery bound(query, Metric::cosine);
  const auto part = sample.part();
  const std::vector<DenseView> views = {{part, {}}};
  const double tenth = search_dense(views, query, Metric::cosine, nullptr, 10, {}).back().score;
  std::size_t scored = 0;
  std::vector<float> dots(part->rows());
  bound.dots(part->all_codes().data(), nullptr, part->rows(), dots.data());
  for (std::uint32_t row = 0; row < part->rows(); ++row)
    scored += bound.bounds(dots[row], part->code_scale(row), part->norm(row)).best >= tenth ? 1 : 0;
  std::vector<std::int32_t> coarse(part->rows());
  kernel::simd().code_dots(bound.coarse(), part->all_codes().data(), dimension, nullptr, part->rows(), coarse.data());
  std::vector<std::uint32_t> kept(part->rows());
  EXPECT_LE(kernel::simd().select(bound.terms(tenth), coarse.data(), &part->all_code_scales()[0].scale,
                                  part->all_norms().data(), part->rows(), kept.data()),
            80u);
  EXPECT_LE(scored, 40u);
  const auto with_nibbles = sample.part(nibble_form());
  kernel::simd().nibble_dots(bound.coarse(), with_nibbles->nibbles_from(0).data(), dimension, part->rows(),
                             coarse.data());
  EXPECT_LE(kernel::simd().select(bound.terms(tenth), coarse.data(), &with_nibbles->all_nibble_scales()[0].scale,
                                  part->all_norms().data(), part->rows(), kept.data()),
            1500u);
}

TEST(DenseSegment, NibblesSpareFewLargeElementsTheirRange) {
  std::mt19937 random(15);
  std::vector<float> row = random_vector(random, 384);
  std::vector<std::uint8_t> nibbles(kernel::nibble_bytes(384));
  const float even = encode_nibbles(row, nibbles).error;
  row[200] = 8 * *std::max_element(row.begin(), row.end());
  const CodeScale scale = encode_nibbles(row, nibbles);
  EXPECT_LT(scale.scale, 0.8F * row[200] / 7);
  EXPECT_EQ(nibble_at(nibbles, 384, 200), 7);
  EXPECT_LT(scale.error, row[200]) << "which is what is lost if all others are 0";
  EXPECT_GT(scale.error, even);
}

TEST(DenseSegment, NibblesAreForLargePartsAndHarmNoOther) {
  std::mt19937 random(16);
  constexpr std::uint32_t kDimension = 48;
  DenseForm form;
  form.nibbles = true;
  form.nibble_elements = 100 * kDimension;
  const DenseSample sample = random_dense(random, 99, kDimension);
  EXPECT_FALSE(sample.part(form)->has_nibbles());
  EXPECT_TRUE(form.fits(*sample.part(form)));
  EXPECT_TRUE(form.fits(*sample.part(nibble_form())));
  EXPECT_TRUE(DenseForm().fits(*sample.part(nibble_form())));
  const DenseSample larger = random_dense(random, 100, kDimension);
  EXPECT_TRUE(larger.part(form)->has_nibbles());
  EXPECT_TRUE(form.fits(*larger.part(form)));
  EXPECT_FALSE(form.fits(*larger.part()));
}

TEST(DenseSegment, EncodesWhatIsNotFiniteWithoutAPromise) {
  std::vector<std::int8_t> codes(2);
  const std::vector<float> row = {std::numeric_limits<float>::quiet_NaN(), 1};
  EXPECT_TRUE(std::isinf(encode(row, codes).error));
  std::vector<std::uint8_t> nibbles(1);
  EXPECT_TRUE(std::isinf(encode_nibbles(row, nibbles).error));
}

TEST(DenseSegment, RefusesAQueryOfAnotherDimension) {
  std::mt19937 random(6);
  const std::vector<DenseView> views = {{random_dense(random, 3, 4).part(), {}}};
  const std::vector<float> query(5, 1.0f);
  EXPECT_EQ(error_of([&] { search_dense(views, query, Metric::cosine, nullptr, 1, {}); }).errc(),
            Errc::dimension_mismatch);
}

TEST(DenseSegment, AMergeIsWhatABuildOfTheLiveRowsIs) {
  for (unsigned seed = 1; seed <= rounds(60) && !testing::Test::HasFailure(); ++seed) {
    std::mt19937 random(seed);
    const auto dimension = static_cast<std::uint32_t>(1 + random() % 40);
    // Dealt out, so that ids of the parts interleave.
    const DenseSample all = random_dense(random, random() % 400, dimension);
    std::vector<DenseSample> samples(1 + random() % 5);
    for (std::size_t row = 0; row < all.keys.size(); ++row) {
      DenseSample& sample = samples[random() % samples.size()];
      sample.keys.push_back(all.keys[row]);
      sample.values.insert(sample.values.end(), all.vector(row).begin(), all.vector(row).end());
    }
    std::vector<DenseView> views;
    std::vector<std::uint32_t> lost;
    for (DenseSample& sample : samples) {
      sample.dimension = dimension;
      views.push_back({sample.part(random() % 2 == 0 ? nibble_form() : DenseForm()),
                       random_dead(random, sample.keys.size(), 0.4 * static_cast<double>(random() % 3))});
      for (const std::uint32_t row : views.back().dead.rows()) lost.push_back(*all.part()->find(sample.keys[row].node));
    }
    DenseSample expected;
    expected.dimension = dimension;
    for (const std::uint32_t row : live(all.keys.size(), DeadRows().with(lost))) {
      expected.keys.push_back(all.keys[row]);
      expected.values.insert(expected.values.end(), all.vector(row).begin(), all.vector(row).end());
    }
    for (const DenseForm& form : {DenseForm(), nibble_form()})
      EXPECT_EQ(merged_image(views, 7, form), expected.image(7, form)) << "seed " << seed;
  }
}

TEST(DenseSegment, AMergeOfNothingLiveIsEmpty) {
  std::mt19937 random(7);
  const DenseSample sample = random_dense(random, 20, 8);
  const std::vector<DenseView> views = {{sample.part(), random_dead(random, 20, 2)},
                                        {DenseSample{8, {}, {}}.part(), {}}};
  EXPECT_EQ(merge(views)->rows(), 0u);
}

TEST(DenseSegment, AMergeRefusesANodeThatLivesTwiceAndOtherDimensions) {
  std::mt19937 random(8);
  const auto part = random_dense(random, 5, 8).part();
  const std::vector<DenseView> twice = {{part, {}}, {part, {}}};
  EXPECT_EQ(error_of([&] { merge(twice); }).errc(), Errc::corrupt_store);
  const std::vector<DenseView> other = {{part, {}}, {random_dense(random, 5, 9, 100).part(), {}}};
  EXPECT_EQ(error_of([&] { merge(other); }).errc(), Errc::dimension_mismatch);
}

// F6: what a merge writes has right checksums, so it must not take over damage.
TEST(DenseSegment, AMergeRefusesLiveRowsInADamagedBlockAndTakesTheOthers) {
  std::mt19937 random(9);
  const std::uint32_t dimension = 384;
  const DenseSample sample = random_dense(random, 200, dimension);
  std::string bytes = sample.image();
  const DensePart whole(heap_image(bytes));
  const auto offset =
      static_cast<std::size_t>(reinterpret_cast<const char*>(whole.vector(100).data()) -
                               reinterpret_cast<const char*>(whole.container().bytes(SectionId::nodes).data())) +
      static_cast<std::size_t>(bytes.find(whole.container().bytes(SectionId::nodes)));
  bytes[offset + 5] = static_cast<char>(bytes[offset + 5] ^ 4);
  const auto damaged = std::make_shared<const DensePart>(heap_image(bytes));
  const std::vector<Finding> findings = damaged->verify({});
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].section, SectionId::vectors);
  EXPECT_EQ(findings[0].loss, Finding::Loss::rows);
  const std::vector<std::uint32_t>& rows = findings[0].rows;
  EXPECT_TRUE(std::find(rows.begin(), rows.end(), 100u) != rows.end());
  EXPECT_LE(rows.size(), kBlockBytes / (dimension * sizeof(float)) + 2);

  std::vector<DenseView> views = {{damaged, {}}};
  EXPECT_EQ(error_of([&] { merge(views); }).errc(), Errc::corrupt_store);
  views[0].dead = DeadRows().with(rows);
  const auto merged = merge(views);
  EXPECT_TRUE(merged->verify({}).empty());
  expect_rows(*merged, sample, live(200, views[0].dead));
}

TEST(DenseSegment, AMergeDerivesDamagedCodesAndNormsAgain) {
  std::mt19937 random(10);
  const DenseSample sample = random_dense(random, 200, 32);
  const std::string good = sample.image(1, nibble_form());
  const DensePart whole(heap_image(good));
  for (const SectionId section : {SectionId::codes, SectionId::code_scales, SectionId::norms, SectionId::content_order,
                                  SectionId::nibbles, SectionId::nibble_scales}) {
    std::string bytes = good;
    const std::size_t at = good.find(whole.container().bytes(section));
    bytes[at + 3] = static_cast<char>(bytes[at + 3] ^ 1);
    const auto damaged = std::make_shared<const DensePart>(heap_image(bytes));
    const std::vector<Finding> findings = damaged->verify({});
    ASSERT_FALSE(findings.empty()) << name_of(section);
    for (const Finding& finding : findings) EXPECT_EQ(finding.loss, Finding::Loss::nothing);
    const std::vector<DenseView> views = {{damaged, {}}};
    EXPECT_EQ(merged_image(views, 1, nibble_form()), good) << name_of(section);
  }
}

TEST(DenseSegment, AStopEndsSearchMergeAndVerification) {
  std::mt19937 random(11);
  const std::vector<DenseView> views = {{random_dense(random, 50, 8).part(), {}}};
  const std::vector<float> query = random_vector(random, 8);
  std::stop_source stop;
  stop.request_stop();
  StringSink image;
  EXPECT_THROW(search_dense(views, query, Metric::cosine, nullptr, 1, stop.get_token()), boost::system::system_error);
  EXPECT_THROW(merge_dense(1, views, image, stop.get_token()), boost::system::system_error);
  EXPECT_THROW(views[0].part->verify(stop.get_token()), boost::system::system_error);
}

}  // namespace
}  // namespace ragstone::segment
