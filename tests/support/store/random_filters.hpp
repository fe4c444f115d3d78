#pragma once

#include <ragstone/base/filter.hpp>
#include <ragstone/base/metadata.hpp>

#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace ragstone::test {

/// Filters and metadata that meet: few names; values of all kinds, chosen so that equal, neighbouring and extreme ones
/// are frequent; English and Chinese texts, wildcards and escapes in texts and patterns.
class RandomFilters {
 public:
  explicit RandomFilters(unsigned seed) : random_(seed) {}

  /// The names that it uses.
  static const std::vector<std::string>& names();

  Metadata metadata();
  Scalar value();
  /// `depth`: how deep conditions may nest.
  Filter filter(std::size_t depth = 3);

  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }

 private:
  std::string pattern();

  std::mt19937 random_;
};

}  // namespace ragstone::test
