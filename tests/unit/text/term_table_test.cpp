#include "support/rounds.hpp"
#include <ragstone/text/term_table.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

TEST(TermTable, NumbersTermsAsTheyFirstCome) {
  TermTable table;
  EXPECT_TRUE(table.empty());
  EXPECT_EQ(table.find("pump"), TermTable::kNoNumber);
  EXPECT_EQ(table.number_of("pump"), 0u);
  EXPECT_EQ(table.number_of("水泵"), 1u);
  EXPECT_EQ(table.number_of("pump"), 0u);
  EXPECT_EQ(table.number_of(""), 2u);
  EXPECT_EQ(table.size(), 3u);
  EXPECT_EQ(table[1], "水泵");
  EXPECT_EQ(table.sorted(), (std::vector<std::uint32_t>{2, 0, 1}));
}

TEST(TermTable, TellsApartWhatDiffersInAnyByteOrInLengthAlone) {
  std::vector<std::string> terms;
  for (std::size_t size = 1; size <= 40; ++size) {
    terms.emplace_back(size, 'a');
    terms.emplace_back(size, '\0');
    for (std::size_t at = 0; at < size; ++at) terms.push_back(std::string(size, 'a').replace(at, 1, "b"));
  }
  TermTable table;
  for (std::size_t i = 0; i < terms.size(); ++i) ASSERT_EQ(table.number_of(terms[i]), i);
  for (std::size_t i = 0; i < terms.size(); ++i) ASSERT_EQ(table.number_of(terms[i]), i);
}

TEST(TermTable, DoesWhatAMapDoes) {
  for (unsigned seed = 1; seed <= test::rounds(5); ++seed) {
    std::mt19937 random(seed);
    TermTable table;
    std::map<std::string, std::uint32_t> map;
    for (int i = 0; i < 5000; ++i) {
      std::string term;
      for (auto n = random() % 20; n > 0; --n)
        term += static_cast<char>(random() % 4 == 0 ? random() : 'a' + random() % 3);
      const auto known = map.find(term);
      ASSERT_EQ(table.find(term), known == map.end() ? TermTable::kNoNumber : known->second);
      const auto expected = map.try_emplace(term, static_cast<std::uint32_t>(map.size())).first->second;
      ASSERT_EQ(table.number_of(term), expected);
    }
    std::vector<std::uint32_t> sorted;
    for (const auto& [term, number] : map) {
      sorted.push_back(number);
      ASSERT_EQ(table[number], term);
    }
    ASSERT_EQ(table.sorted(), sorted);
  }
}

}  // namespace
}  // namespace ragstone
