#include "store/segment/field_part.hpp"
#include "store/segment/image_sink.hpp"
#include "support/errors.hpp"
#include "support/rounds.hpp"
#include "support/store/random_filters.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::segment {
namespace {

using test::RandomFilters;

std::vector<std::string> sorted_names() {
  std::vector<std::string> names = RandomFilters::names();
  std::sort(names.begin(), names.end());
  return names;
}

struct FieldSample {
  std::vector<std::string> fields = sorted_names();
  std::vector<RowKey> keys;
  std::vector<Metadata> metadata;

  std::string image() const {
    std::vector<std::optional<Scalar>> values;
    for (const Metadata& row : metadata)
      for (const std::string& name : fields) {
        const Scalar* value = row.find(name);
        values.push_back(value ? std::optional(*value) : std::nullopt);
      }
    return build_fields(1, fields, keys, values);
  }
  std::shared_ptr<const FieldPart> part() const { return std::make_shared<const FieldPart>(heap_image(image())); }
};

FieldSample random_fields(RandomFilters& random, std::size_t rows, NodeId first = 1) {
  FieldSample sample;
  for (std::size_t row = 0; row < rows; ++row) {
    sample.keys.push_back({first, static_cast<SourceNumber>(row + 1), Hash128()});
    first += 1 + random.below(3);
    sample.metadata.push_back(random.metadata());
  }
  return sample;
}

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

TEST(FieldPart, DamagedBytesAreFoundOrHarmless) {
  RandomFilters random(7);
  const FieldSample sample = random_fields(random, 300);
  const std::string image = sample.image();
  std::size_t refused = 0;
  std::size_t found = 0;
  for (std::size_t round = 0; round < test::rounds(1000); ++round) {
    std::string damaged = image;
    for (std::size_t i = 1 + random.below(3); i > 0; --i) {
      char& byte = damaged[random.below(damaged.size())];
      byte = static_cast<char>(byte ^ (1 << random.below(8)));
    }
    if (random.below(10) == 0) damaged.resize(random.below(damaged.size()));
    try {
      const FieldPart part(heap_image(damaged));
      const Filter filter = random.filter();
      if (!filter.empty()) try {
          select_rows(part, *filter.root(), {});
        } catch (const Error& error) {
          EXPECT_EQ(error.errc(), Errc::corrupt_store);
        }
      found += part.verify({}).empty() ? 0 : 1;
    } catch (const Error& error) {
      EXPECT_TRUE(error.errc() == Errc::corrupt_store || error.errc() == Errc::unsupported);
      ++refused;
    }
  }
  EXPECT_GT(refused, 0u);
  EXPECT_GT(found, 0u);
}

}  // namespace
}  // namespace ragstone::segment
