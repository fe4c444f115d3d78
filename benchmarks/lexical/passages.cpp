#include "lexical/passages.hpp"

#include <algorithm>
#include <set>

namespace ragstone::bench {
namespace {

constexpr std::uint64_t kWordSeed = 1;
constexpr std::uint64_t kPassageSeed = 1'000;
constexpr std::uint64_t kQuestionSeed = 1'000'000'000;

/// Short words first, as languages have it. None is a stop word, and none has an ending that the stemmer takes
/// off, so that words stay apart.
std::string make_word(std::mt19937_64& random, std::size_t rank) {
  static constexpr char kConsonants[] = "bdfgkmnptv";
  static constexpr char kVowels[] = "aiou";
  std::string word;
  const std::size_t syllables = rank < 300 ? 1 : rank < 10'000 ? 2 : 3;
  for (std::size_t i = 0; i < syllables; ++i) {
    word += kConsonants[random() % 10];
    word += kVowels[random() % 4];
  }
  return word + kConsonants[random() % 10];
}

}  // namespace

Passages::Passages() {
  std::mt19937_64 random(kWordSeed);
  std::set<std::string> taken;
  double sum = 0;
  while (words_.size() < kWords) {
    std::string word = make_word(random, words_.size());
    if (!taken.insert(word).second) continue;
    words_.push_back(std::move(word));
    sum += 1 / static_cast<double>(words_.size());
    sums_.push_back(sum);
  }
}

std::size_t Passages::draw(std::mt19937_64& random) const {
  const double at = std::uniform_real_distribution<double>(0, sums_.back())(random);
  return std::min<std::size_t>(
      static_cast<std::size_t>(std::lower_bound(sums_.begin(), sums_.end(), at) - sums_.begin()), kWords - 1);
}

std::string Passages::passage(std::size_t number) const {
  std::mt19937_64 random(kPassageSeed + number);
  std::string text;
  for (std::size_t i = 0; i < kPassageWords; ++i) {
    if (i > 0) text += i % 12 == 0 ? ". " : " ";
    text += words_[draw(random)];
  }
  return text;
}

std::vector<std::string> Passages::question(std::size_t number, std::size_t words) const {
  std::mt19937_64 random(kQuestionSeed + number);
  std::set<std::string> question;
  while (question.size() < words) question.insert(words_[draw(random)]);
  return {question.begin(), question.end()};
}

std::vector<std::string> Passages::question_of_ranks(std::size_t number, std::size_t words, std::size_t low,
                                                     std::size_t high) const {
  std::mt19937_64 random(kQuestionSeed + number);
  std::set<std::string> question;
  while (question.size() < words) question.insert(words_[low + random() % (high - low)]);
  return {question.begin(), question.end()};
}

}  // namespace ragstone::bench
