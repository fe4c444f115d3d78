#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace ragstone::bench {

/// Text of words that are as frequent as in a natural language: rank r of 100,000 has probability ~ 1 / r (Zipf).
/// Seeded: the same passages and questions each time.
class Passages {
 public:
  static constexpr std::size_t kWords = 100'000;
  static constexpr std::size_t kPassageWords = 100;

  Passages();

  /// Passage `number`: kPassageWords words.
  std::string passage(std::size_t number) const;
  /// Different words, drawn as in running text.
  std::vector<std::string> question(std::size_t number, std::size_t words) const;
  /// Different words with ranks in [low, high).
  std::vector<std::string> question_of_ranks(std::size_t number, std::size_t words, std::size_t low,
                                             std::size_t high) const;

 private:
  std::size_t draw(std::mt19937_64& random) const;

  std::vector<std::string> words_;  ///< By rank.
  std::vector<double> sums_;        ///< Of probabilities up to each rank.
};

}  // namespace ragstone::bench
