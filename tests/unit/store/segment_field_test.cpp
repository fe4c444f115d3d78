#include "store/segment/field_part.hpp"
#include "store/segment/image_sink.hpp"
#include "support/rounds.hpp"
#include "support/store/random_filters.hpp"
#include "unit/store/segment_samples.hpp"

#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::segment {
namespace {

using test::RandomFilters;

void expect_rows(const FieldPart& part, std::span<const Metadata> metadata, const Filter& filter) {
  const RowBitmap rows = select_rows(part, *filter.root(), {});
  ASSERT_EQ(rows.rows(), metadata.size());
  for (std::size_t row = 0; row < metadata.size(); ++row)
    ASSERT_EQ(rows.contains(row), filter.matches(metadata[row])) << filter.to_string() << ", row " << row;
  EXPECT_LE(rows.count(), rows.rows());
}

TEST(FieldPart, SelectsTheRowsThatTheEvaluatorMatches) {  // S2
  for (std::size_t round = 0; round < test::rounds(40); ++round) {
    RandomFilters random(static_cast<unsigned>(round));
    const FieldSample sample = random_fields(random, random.below(200));
    const auto part = sample.part();
    for (int i = 0; i < 40; ++i)
      if (const Filter filter = random.filter(); !filter.empty()) expect_rows(*part, sample.metadata, filter);
  }
}

TEST(FieldPart, MergesLiveRowsOnly) {
  for (std::size_t round = 0; round < test::rounds(40); ++round) {
    RandomFilters random(static_cast<unsigned>(round));
    std::vector<FieldSample> samples;
    std::vector<FieldView> views;
    FieldSample expected;
    NodeId first = 1;
    for (std::size_t i = 1 + random.below(4); i > 0; --i) {
      samples.push_back(random_fields(random, random.below(60), first));
      first += 1000;
      std::vector<std::uint32_t> dead;
      for (std::uint32_t row = 0; row < samples.back().keys.size(); ++row) {
        if (random.below(4) == 0) {
          dead.push_back(row);
          continue;
        }
        expected.keys.push_back(samples.back().keys[row]);
        expected.metadata.push_back(samples.back().metadata[row]);
      }
      views.push_back({samples.back().part(), DeadRows().with(dead)});
    }
    StringSink merged;
    merge_fields(1, views, merged, {});
    const std::string image = std::move(merged).take();
    const FieldPart part(heap_image(image));
    EXPECT_TRUE(part.verify({}).empty());
    ASSERT_EQ(part.rows(), expected.keys.size());
    for (std::uint32_t row = 0; row < part.rows(); ++row) {
      EXPECT_EQ(part.node(row), expected.keys[row].node);
      EXPECT_EQ(part.source(row), expected.keys[row].source);
    }
    for (int i = 0; i < 20; ++i)
      if (const Filter filter = random.filter(); !filter.empty()) expect_rows(part, expected.metadata, filter);
  }
}

TEST(FieldPart, CoversFiltersOverItsFieldsOnly) {
  const std::vector<std::string> fields = {"lang", "year"};
  EXPECT_TRUE(is_covered(*Filter::parse("not (year > 3 or lang in ['zh'])").root(), fields));
  EXPECT_FALSE(is_covered(*Filter::parse("year > 3 and draft == true").root(), fields));
  EXPECT_TRUE(is_covered(*Filter::parse("false").root(), fields));
}

}  // namespace
}  // namespace ragstone::segment
