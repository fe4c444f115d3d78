#include "support/rounds.hpp"
#include "unit/store/segment_probe.hpp"
#include "unit/store/segment_samples.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::segment {
namespace {

using test::rounds;

std::string mutated(std::string bytes, std::mt19937& random) {
  const std::size_t at = random() % bytes.size();
  const std::size_t other = random() % bytes.size();
  const std::size_t size = std::min<std::size_t>(1 + random() % 200, bytes.size() - std::max(at, other));
  switch (random() % 7) {
    case 0:
      bytes.resize(at);
      break;
    case 1:
      bytes.append(1 + random() % 5000, static_cast<char>(random()));
      break;
    case 2:
      std::swap_ranges(
          bytes.begin() + static_cast<std::ptrdiff_t>(at),
          bytes.begin() + static_cast<std::ptrdiff_t>(at + std::min(size, other > at ? other - at : at - other)),
          bytes.begin() + static_cast<std::ptrdiff_t>(other));
      break;
    case 3:
      std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), std::min<std::size_t>(4096, bytes.size() - at),
                  '\0');
      break;
    case 4:
      bytes[at] = static_cast<char>(random());
      break;
    default:
      bytes[at] = static_cast<char>(bytes[at] ^ 1 << random() % 8);
  }
  return bytes;
}

/// Most rows have a vector that others have, too.
DenseSample with_copies(std::mt19937& random) {
  DenseSample sample = random_dense(random, 60, 8);
  for (std::size_t row = 20; row < 60; ++row)
    std::copy_n(sample.values.begin(), 8, sample.values.begin() + static_cast<std::ptrdiff_t>(8 * row));
  return sample;
}

DenseForm with_bits(DenseForm form) {
  form.bits = form.nibbles = true;
  form.nibble_elements = 1;
  return form;
}

struct Tally {
  std::size_t refused = 0;
  std::size_t found = 0;
  std::size_t harmless = 0;
};

/// Each mutation is refused at opening, or found by verify(), or changes no answer.
Tally run(const std::vector<std::string>& images, std::size_t count) {
  std::vector<Probe> good;
  for (const std::string& image : images) {
    good.push_back(probe(image));
    EXPECT_TRUE(good.back().opens && good.back().verifies);
  }
  Tally tally;
  for (unsigned seed = 1; seed <= count && !testing::Test::HasFailure(); ++seed) {
    std::mt19937 random(seed);
    const std::size_t n = random() % images.size();
    std::string bytes = images[n];
    for (auto times = 1 + random() % 3; times > 0 && !bytes.empty(); --times) bytes = mutated(std::move(bytes), random);
    Probe result;
    EXPECT_NO_THROW(result = probe(bytes)) << "seed " << seed;
    if (!result.opens) {
      ++tally.refused;
    } else if (!result.verifies) {
      ++tally.found;
    } else {
      ++tally.harmless;
      EXPECT_TRUE(result.answers == good[n].answers) << "seed " << seed;
    }
  }
  return tally;
}

// F6
TEST(SegmentMutation, DamagedDenseImagesAreRefusedFoundOrHarmless) {
  std::mt19937 random(1);
  // One of them has sections of several blocks.
  const std::vector<std::string> images = {random_dense(random, 1, 4).image(), random_dense(random, 60, 8).image(),
                                           random_dense(random, 400, 48).image(1, nibble_form()),
                                           random_dense(random, 90, 8).image(1, graph_form()),
                                           with_copies(random).image(1, with_bits(graph_form(Metric::l2)))};
  const Tally tally = run(images, rounds(2500));
  EXPECT_GT(tally.refused, 100u);
  EXPECT_GT(tally.found, 100u);
}

// F6
TEST(SegmentMutation, DamagedSparseImagesAreRefusedFoundOrHarmless) {
  std::mt19937 random(2);
  const std::vector<std::string> images = {random_sparse(random, 1, 40).image(), random_sparse(random, 60, 300).image(),
                                           random_sparse(random, 5000, 30).image()};
  const Tally tally = run(images, rounds(2500));
  EXPECT_GT(tally.refused, 100u);
  EXPECT_GT(tally.found, 100u);
}

// F6
TEST(SegmentMutation, DamagedImagesOfFieldsAreRefusedFoundOrHarmless) {
  test::RandomFilters random(7);
  // One of them has sections of several blocks.
  const std::vector<std::string> images = {random_fields(random, 1).image(), random_fields(random, 60).image(),
                                           random_fields(random, 5000).image()};
  const Tally tally = run(images, rounds(1000));
  EXPECT_GT(tally.refused, 40u);
  EXPECT_GT(tally.found, 40u);
}

// F6: with right checksums nothing stands between the bytes and the code that reads them.
TEST(SegmentMutation, ForgedImagesKeepEveryPromiseThatHoldsForAnyBytes) {
  std::mt19937 samples(3);
  test::RandomFilters metadata(3);
  const std::vector<std::string> images = {random_dense(samples, 40, 8).image(),
                                           random_sparse(samples, 40, 100).image(),
                                           random_sparse(samples, 5000, 30).image(),
                                           random_fields(metadata, 40).image(),
                                           random_dense(samples, 60, 8).image(1, graph_form()),
                                           with_copies(samples).image(1, with_bits(graph_form(Metric::l2)))};
  for (unsigned seed = 1; seed <= rounds(5000) && !testing::Test::HasFailure(); ++seed) {
    std::mt19937 random(seed);
    std::string bytes = images[random() % images.size()];
    for (auto times = 1 + random() % 3; times > 0 && !bytes.empty(); --times) bytes = mutated(std::move(bytes), random);
    EXPECT_NO_THROW(probe(with_right_checksums(bytes))) << "seed " << seed;
  }
}

}  // namespace
}  // namespace ragstone::segment
