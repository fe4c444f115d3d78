#include "kernel/simd.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::kernel {
namespace {

// Zero and one row, tails of every kind, and lengths around what a register or a block of rows holds.
constexpr std::size_t kDimensions[] = {1,   3,   7,   15,  16,  17,  31,  63,  64,  65,
                                       100, 127, 128, 129, 192, 200, 384, 784, 1000};
constexpr std::size_t kRows = 11;

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

std::vector<float> random_floats(std::mt19937& random, std::size_t count) {
  std::uniform_real_distribution<float> value(-1, 1);
  std::vector<float> values(count);
  for (float& v : values) v = value(random);
  return values;
}

std::vector<std::int8_t> random_codes(std::mt19937& random, std::size_t count) {
  std::vector<std::int8_t> codes(count);
  for (std::int8_t& code : codes) code = static_cast<std::int8_t>(static_cast<int>(random() % 256) - 128);
  return codes;
}

TEST(Simd, ThisMachineRunsPlainCodeAndWhatIsBetter) {
  ASSERT_GE(supported_simd().size(), 1u);
  EXPECT_EQ(&simd(), supported_simd().front());
  for (const Simd* chosen : supported_simd()) {
    force_simd(chosen);
    EXPECT_EQ(simd().name, chosen->name);
  }
  force_simd(nullptr);
  EXPECT_EQ(&simd(), supported_simd().front());
}

#if defined(__x86_64__)
TEST(Simd, EachInstructionSetOfTheProcessorHasItsTable) {
  std::set<std::string> names;
  for (const Simd* table : supported_simd()) names.insert(table->name);
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) GTEST_SKIP() << "a processor without AVX2";
  EXPECT_TRUE(names.contains("N_AVX2"));
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    EXPECT_TRUE(names.contains("N_AVX3"));
  }
}
#endif

TEST(Simd, FloatSumsAreNearTheExactOnesAndTheSameWithEveryInstructionSet) {
  std::mt19937 random(1);
  for (const std::size_t dimension : kDimensions) {
    const std::vector<float> query = random_floats(random, dimension);
    const std::vector<float> rows = random_floats(random, dimension * kRows);
    const float* const asked = query.data();
    std::vector<float> first_dots, first_l2s;
    for (const Simd* simd : supported_simd()) {
      std::vector<float> dots(kRows), l2s(kRows);
      simd->dots(&asked, 1, rows.data(), dimension, nullptr, kRows, dots.data());
      simd->squared_l2s(&asked, 1, rows.data(), dimension, nullptr, kRows, l2s.data());
      const std::vector<std::uint32_t> chosen = {10, 0, 3, 3, 7, 1, 2, 9, 4};
      std::vector<float> some_dots(chosen.size()), some_l2s(chosen.size());
      simd->dots(&asked, 1, rows.data(), dimension, chosen.data(), chosen.size(), some_dots.data());
      simd->squared_l2s(&asked, 1, rows.data(), dimension, chosen.data(), chosen.size(), some_l2s.data());
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        EXPECT_EQ(some_dots[i], dots[chosen[i]]) << simd->name << ' ' << dimension;
        EXPECT_EQ(some_l2s[i], l2s[chosen[i]]) << simd->name << ' ' << dimension;
      }
      for (std::size_t row = 0; row < kRows; ++row) {
        const float* r = rows.data() + row * dimension;
        double dot = 0, size = 0, apart = 0;
        for (std::size_t i = 0; i < dimension; ++i) {
          const double product = double{query[i]} * double{r[i]};
          const double difference = double{query[i]} - double{r[i]};
          dot += product;
          size += std::abs(product);
          apart += difference * difference;
        }
        const double roundings = (static_cast<double>(dimension) / 16 + 5) * 0x1p-24;
        EXPECT_LE(std::abs(double{dots[row]} - dot), roundings * size + 1e-40) << simd->name << ' ' << dimension;
        EXPECT_LE(std::abs(double{l2s[row]} - apart), 2 * roundings * apart + 1e-40) << simd->name << ' ' << dimension;
        EXPECT_EQ(simd->dot(query.data(), r, dimension), dots[row]) << simd->name;
        EXPECT_EQ(simd->squared_l2(query.data(), r, dimension), l2s[row]) << simd->name;
      }
      if (first_dots.empty()) first_dots = dots, first_l2s = l2s;
      EXPECT_TRUE(same_bits(dots, first_dots) && same_bits(l2s, first_l2s)) << simd->name << ' ' << dimension;
    }
  }
}

TEST(Simd, FloatSumsOfSeveralQueriesAreThoseOfEach) {
  std::mt19937 random(5);
  const std::vector<std::uint32_t> chosen = {10, 0, 3, 3, 7, 1, 2, 9, 4};
  for (const Simd* simd : supported_simd())
    for (const std::size_t dimension : {1, 15, 16, 33, 256})
      for (const std::size_t asked : {1, 3, 4, 5, 8, 11}) {
        const std::vector<float> values = random_floats(random, dimension * asked);
        const std::vector<float> rows = random_floats(random, dimension * kRows);
        std::vector<const float*> queries;
        for (std::size_t q = 0; q < asked; ++q) queries.push_back(&values[q * dimension]);
        for (const auto function : {simd->dots, simd->squared_l2s})
          for (const std::uint32_t* rows_chosen : {static_cast<const std::uint32_t*>(nullptr), chosen.data()}) {
            const std::size_t count = rows_chosen == nullptr ? kRows : chosen.size();
            std::vector<float> together(asked * count), alone(asked * count);
            function(queries.data(), asked, rows.data(), dimension, rows_chosen, count, together.data());
            for (std::size_t q = 0; q < asked; ++q)
              function(&queries[q], 1, rows.data(), dimension, rows_chosen, count, &alone[q * count]);
            EXPECT_TRUE(same_bits(together, alone)) << simd->name << ' ' << dimension << ' ' << asked;
          }
      }
}

TEST(Simd, WhatIsNotFiniteGivesADefinedSum) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const Simd* simd : supported_simd())
    for (const std::size_t dimension : {1, 16, 17, 40}) {
      const std::vector<float> ones(dimension, 1);
      const float* query = ones.data();
      for (std::size_t at = 0; at < dimension; ++at) {
        std::vector<float> row = ones;
        row[at] = kNan;
        EXPECT_TRUE(std::isnan(simd->dot(ones.data(), row.data(), dimension))) << simd->name;
        EXPECT_TRUE(std::isnan(simd->squared_l2(ones.data(), row.data(), dimension))) << simd->name;
        float sum = 0;
        simd->dots(&query, 1, row.data(), dimension, nullptr, 1, &sum);
        EXPECT_TRUE(std::isnan(sum)) << simd->name;
        simd->squared_l2s(&query, 1, row.data(), dimension, nullptr, 1, &sum);
        EXPECT_TRUE(std::isnan(sum)) << simd->name;
        row[at] = kInfinity;
        EXPECT_EQ(simd->dot(ones.data(), row.data(), dimension), kInfinity) << simd->name;
        EXPECT_EQ(simd->squared_l2(ones.data(), row.data(), dimension), kInfinity) << simd->name;
        simd->dots(&query, 1, row.data(), dimension, nullptr, 1, &sum);
        EXPECT_EQ(sum, kInfinity) << simd->name;
        simd->squared_l2s(&query, 1, row.data(), dimension, nullptr, 1, &sum);
        EXPECT_EQ(sum, kInfinity) << simd->name;
        if (dimension == 1) continue;
        row[(at + 1) % dimension] = -kInfinity;
        EXPECT_TRUE(std::isnan(simd->dot(ones.data(), row.data(), dimension))) << simd->name;
      }
    }
}

TEST(Simd, SumsOverCodesAreExact) {
  std::mt19937 random(2);
  for (const std::size_t dimension : kDimensions) {
    std::vector<std::int8_t> query = random_codes(random, dimension);
    const std::vector<std::int8_t> low = random_codes(random, dimension);
    const std::vector<std::int8_t> rows = random_codes(random, dimension * kRows);
    const std::vector<std::uint32_t> chosen = {10, 0, 3, 3, 7, 1, 2, 9, 4};
    std::vector<std::int32_t> expected(kRows), expected_low(kRows), sums(kRows);
    for (std::size_t row = 0; row < kRows; ++row)
      for (std::size_t i = 0; i < dimension; ++i) {
        const std::int8_t code = rows[row * dimension + i];
        expected[row] += query[i] * code;
        expected_low[row] += low[i] * code;
        sums[row] += code;
      }
    for (const Simd* simd : supported_simd()) {
      std::vector<std::int32_t> dots(kRows), some(chosen.size());
      std::vector<float> wide(kRows), some_wide(chosen.size());
      simd->code_dots(query.data(), rows.data(), dimension, nullptr, kRows, dots.data());
      simd->code_dots(query.data(), rows.data(), dimension, chosen.data(), chosen.size(), some.data());
      simd->code_dots_wide(query.data(), low.data(), rows.data(), dimension, nullptr, kRows, wide.data());
      simd->code_dots_wide(query.data(), low.data(), rows.data(), dimension, chosen.data(), chosen.size(),
                           some_wide.data());
      EXPECT_EQ(dots, expected) << simd->name << ' ' << dimension;
      for (std::size_t row = 0; row < kRows; ++row) {
        EXPECT_EQ(simd->code_dot(query.data(), rows.data() + row * dimension, dimension, sums[row]), expected[row]);
        EXPECT_EQ(wide[row], 128 * static_cast<float>(expected[row]) + static_cast<float>(expected_low[row]));
      }
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        EXPECT_EQ(some[i], expected[chosen[i]]) << simd->name << ' ' << dimension;
        EXPECT_EQ(some_wide[i], wide[chosen[i]]) << simd->name << ' ' << dimension;
      }
    }
  }
}

TEST(Simd, SumsOverNibblesAreExact) {
  std::mt19937 random(7);
  for (const std::size_t dimension : kDimensions) {
    const std::vector<std::int8_t> query = random_codes(random, dimension);
    const std::size_t bytes = nibble_bytes(dimension);
    std::vector<std::uint8_t> rows(kRows * bytes);
    std::vector<std::int32_t> expected(kRows);
    for (std::size_t row = 0; row < kRows; ++row)
      for (std::size_t i = 0; i < dimension; ++i) {
        // As simd.hpp says where an element is.
        const std::size_t block = i / kNibbleBlock * kNibbleBlock;
        const std::size_t half = (std::min(kNibbleBlock, dimension - block) + 1) / 2;
        const std::size_t in_block = i - block;
        const int element = static_cast<int>(random() % 16) - 8;
        const int stored = element + 8;
        std::uint8_t& byte = rows[row * bytes + block / 2 + in_block % half];
        byte = static_cast<std::uint8_t>(byte | (in_block < half ? stored : stored << 4));
        expected[row] += query[i] * element;
      }
    for (const Simd* simd : supported_simd()) {
      std::vector<std::int32_t> dots(kRows);
      simd->nibble_dots(query.data(), rows.data(), dimension, kRows, dots.data());
      EXPECT_EQ(dots, expected) << simd->name << ' ' << dimension;
    }
  }
}

TEST(Simd, SeveralQueriesInOnePassGetTheSumsOfEach) {
  std::mt19937 random(5);
  for (const std::size_t dimension : kDimensions) {
    const std::vector<std::int8_t> queries = random_codes(random, dimension * 9);
    const std::vector<std::int8_t> rows = random_codes(random, dimension * kRows);
    const std::vector<std::uint32_t> chosen = {10, 0, 3, 3, 7, 1, 2, 9, 4};
    for (const Simd* simd : supported_simd())
      for (const std::size_t asked : {1, 2, 4, 5, 8, 9}) {
        std::vector<const std::int8_t*> pointers;
        for (std::size_t q = 0; q < asked; ++q) pointers.push_back(queries.data() + q * dimension);
        std::vector<std::int32_t> all(asked * kRows), some(asked * chosen.size());
        simd->code_dots_each(pointers.data(), asked, rows.data(), dimension, nullptr, kRows, all.data());
        simd->code_dots_each(pointers.data(), asked, rows.data(), dimension, chosen.data(), chosen.size(), some.data());
        for (std::size_t q = 0; q < asked; ++q) {
          std::vector<std::int32_t> alone(kRows);
          simd->code_dots(pointers[q], rows.data(), dimension, nullptr, kRows, alone.data());
          for (std::size_t row = 0; row < kRows; ++row) EXPECT_EQ(all[q * kRows + row], alone[row]) << simd->name;
          for (std::size_t i = 0; i < chosen.size(); ++i)
            EXPECT_EQ(some[q * chosen.size() + i], alone[chosen[i]]) << simd->name << ' ' << dimension;
        }
      }
  }
}

TEST(Simd, SumsOverTheLargestCodesDoNotOverflow) {
  const std::size_t dimension = 65'536;
  const std::vector<std::int8_t> least(dimension, -128), most(dimension, 127);
  for (const Simd* simd : supported_simd())
    for (const auto& [a, b, expected] : {std::tuple(&most, &most, 127 * 127), std::tuple(&least, &most, -128 * 127),
                                         std::tuple(&most, &least, -128 * 127)}) {
      std::int32_t dot = 0;
      simd->code_dots(a->data(), b->data(), dimension, nullptr, 1, &dot);
      EXPECT_EQ(dot, expected * 65'536) << simd->name;
    }
  const std::vector<std::uint8_t> smallest(nibble_bytes(dimension), 0x00), largest(nibble_bytes(dimension), 0xFF);
  for (const Simd* simd : supported_simd())
    for (const auto& [query, nibbles, expected] :
         {std::tuple(&most, &largest, 127 * 7), std::tuple(&least, &largest, -128 * 7),
          std::tuple(&least, &smallest, 128 * 8)}) {
      std::int32_t dot = 0;
      simd->nibble_dots(query->data(), nibbles->data(), dimension, 1, &dot);
      EXPECT_EQ(dot, expected * 65'536) << simd->name;
    }
}

TEST(Simd, CountsTheBitsThatDiffer) {
  std::mt19937_64 random(3);
  for (const std::size_t words : {1, 2, 6, 7, 8, 9, 13, 16, 40}) {
    std::vector<std::uint64_t> query(words), rows(words * kRows);
    for (auto& word : query) word = random();
    for (auto& word : rows) word = random();
    for (const Simd* simd : supported_simd()) {
      std::vector<std::uint32_t> distances(kRows);
      simd->hamming(query.data(), rows.data(), words, kRows, distances.data());
      for (std::size_t row = 0; row < kRows; ++row) {
        int expected = 0;
        for (std::size_t w = 0; w < words; ++w) expected += std::popcount(query[w] ^ rows[row * words + w]);
        EXPECT_EQ(distances[row], static_cast<std::uint32_t>(expected)) << simd->name;
      }
    }
  }
}

TEST(Simd, CountsTheBitsThatAreSet) {
  std::mt19937_64 random(6);
  for (const std::size_t count : {0, 1, 3, 4, 7, 8, 9, 17, 100}) {
    std::vector<std::uint64_t> words(count);
    std::size_t expected = 0;
    for (auto& word : words) {
      word = random() & random();
      expected += static_cast<std::size_t>(std::popcount(word));
    }
    for (const Simd* simd : supported_simd()) EXPECT_EQ(simd->count_bits(words.data(), count), expected) << simd->name;
  }
}

TEST(Simd, SelectsTheRowsWhoseTermsAreNotBelowZero) {
  std::mt19937 random(4);
  for (const std::size_t count : {0, 1, 63, 64, 65, 300}) {
    std::vector<float> scales = random_floats(random, 2 * count);
    std::vector<std::int32_t> dots(count);
    for (std::int32_t& dot : dots) dot = static_cast<std::int32_t>(random() % 5) - 2;
    std::vector<double> norms(count);
    for (double& norm : norms) norm = static_cast<double>(random() % 5);
    if (count > 2) scales[4] = std::numeric_limits<float>::quiet_NaN(), norms[1] = 1e300;
    const SelectTerms terms{1, 2, 0.5F, -0.25F, 0.125F};
    for (const Simd* simd : supported_simd()) {
      std::vector<std::uint32_t> kept(count);
      kept.resize(simd->select(terms, dots.data(), scales.data(), norms.data(), count, kept.data()));
      std::vector<std::uint32_t> expected;
      for (std::uint32_t i = 0; i < count; ++i) {
        const double sum = static_cast<double>(dots[i]) * scales[2 * i] + 2 * scales[2 * i + 1] + 0.5 * norms[i] -
                           norms[i] * norms[i] / 4 + 0.125;
        if (!(sum < 0) || norms[i] > 1e15) expected.push_back(i);
      }
      EXPECT_EQ(kept, expected) << simd->name << ' ' << count;
    }
  }
}

}  // namespace
}  // namespace ragstone::kernel
