#include "kernel/distance.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

TEST(Distance, AgreesWithSumsInLongDoubleForEveryLength) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> value(-1, 1);
  for (std::size_t n = 0; n <= 100; ++n) {
    std::vector<float> a(n), b(n);
    long double dot = 0, apart = 0, own = 0;
    for (std::size_t i = 0; i < n; ++i) {
      a[i] = value(random);
      b[i] = value(random);
      dot += static_cast<long double>(a[i]) * b[i];
      apart += (static_cast<long double>(a[i]) - b[i]) * (static_cast<long double>(a[i]) - b[i]);
      own += static_cast<long double>(a[i]) * a[i];
    }
    EXPECT_NEAR(kernel::dot(a, b), static_cast<double>(dot), 1e-5);
    EXPECT_NEAR(kernel::squared_l2(a, b), static_cast<double>(apart), 1e-4);
    EXPECT_NEAR(kernel::dot_wide(a, b), static_cast<double>(dot), 1e-13);
    EXPECT_NEAR(kernel::squared_l2_wide(a, b), static_cast<double>(apart), 1e-13);
    EXPECT_NEAR(kernel::norm(a), static_cast<double>(std::sqrt(own)), 1e-13);
  }
}

TEST(Distance, HasTheSameBitsOnEveryMachine) {
  std::vector<float> a, b;
  for (int i = 0; i < 37; ++i) {
    a.push_back(1.0F / static_cast<float>(i + 1));
    b.push_back(static_cast<float>(i % 7) - 2.5F);
  }
  EXPECT_EQ(kernel::dot(a, b), -0x1.d0a0ecp+0F);
  EXPECT_EQ(kernel::squared_l2(a, b), 0x1.44ff1p+7F);
}

TEST(Distance, WideSumsNeitherOverflowNorVanish) {
  const std::vector<float> huge(1000, std::numeric_limits<float>::max());
  EXPECT_TRUE(std::isfinite(kernel::dot_wide(huge, huge)));
  EXPECT_TRUE(std::isfinite(kernel::norm(huge)));
  const std::vector<float> tiny(3, std::numeric_limits<float>::denorm_min());
  EXPECT_GT(kernel::dot_wide(tiny, tiny), 0);
}

}  // namespace
}  // namespace ragstone
