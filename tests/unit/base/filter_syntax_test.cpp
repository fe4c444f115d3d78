#include "support/rounds.hpp"
#include <ragstone/base/filter.hpp>
#include <ragstone/base/utf8.hpp>

#include <random>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

struct Mistake {
  std::string text;
  std::size_t position;
  std::string expected;
};

TEST(FilterSyntax, AMistakeIsNamedWithItsPlace) {
  for (const Mistake& mistake : std::vector<Mistake>{
           {"year >", 6, "a value, found the end"},
           {"year", 4, "an operator after the field"},
           {"year == 1 lang", 10, "'and', 'or' or the end of the filter, found 'lang'"},
           {"(a == 1", 7, "')'"},
           {"a == 1)", 6, "found ')'"},
           {"作者 == ", 10, "a value"},
           {"a in (1)", 5, "'['"},
           {"a in [1 2]", 8, "','"},
           {"a in [1,]", 8, "a value, found ']'"},
           {"a in [", 6, "a value, found the end"},
           {"a == null", 5, "'is null'"},
           {"a is 5", 5, "'null'"},
           {"a not 5", 6, "'in' or 'like'"},
           {"a like 5", 7, "a pattern in quotes"},
           {"a like 'x\\\\'", 7, "lone backslash"},
           {"a < true", 4, "no order"},
           {"true < a", 0, "no order"},
           {"5", 1, "an operator after the value"},
           {"1 < a == 2", 6, "in a range"},
           {"a == 'x", 5, "closing quote"},
           {"`a == 1", 0, "closing backquote"},
           {"`` == 1", 0, "at least one character"},
           {"meta[5] == 1", 5, "name in quotes"},
           {"a == 12x", 7, "the end of a number"},
           {"a == 9223372036854775808", 5, "64 bits"},
           {"a == 1e999", 5, "a double"},
           {"a == '\\q'", 6, "known escape"},
           {"a == '\\u12'", 6, "four hexadecimal"},
           {"a == '\\ud800x'", 6, "surrogates"},
           {"a == '\\udc00'", 6, "surrogates"},
           {"a ? 1", 2, "an operator"},
           {"a == 1 ; drop", 7, "an operator"},
           {"and == 1", 0, "a field"},
           {"a == 1 and", 10, "a field"},
           {"not", 3, "a field"},
           {"a == \xFF", 5, "valid UTF-8"},
       }) {
    try {
      Filter::parse(mistake.text);
      ADD_FAILURE() << mistake.text << " was read";
    } catch (const FilterSyntaxError& error) {
      EXPECT_EQ(error.errc(), Errc::parse_error);
      EXPECT_EQ(error.position(), mistake.position) << mistake.text << ": " << error.what();
      const std::string what = error.what();
      EXPECT_NE(what.find("byte " + std::to_string(mistake.position) + ":"), std::string::npos) << what;
      EXPECT_NE(what.find(mistake.expected), std::string::npos) << mistake.text << ": " << what;
    }
  }
}

TEST(FilterSyntax, HostileInputIsAnErrorNotACrash) {
  const std::size_t many = 500'000;
  for (const std::string& text :
       {std::string(many, '('), std::string(many, '!'), std::string(many, '['), std::string(2 << 20, ' '),
        std::string(many, '`'), std::string(many, '"'), "a == '" + std::string(2 << 20, 'x') + "'",
        std::string(many, '9') + " == a", "a == -" + std::string(many, '9') + ".5e" + std::string(many, '9')})
    EXPECT_THROW(Filter::parse(text), FilterSyntaxError);
  std::string nots;
  for (int i = 0; i < 150'000; ++i) nots += "not ";
  EXPECT_THROW(Filter::parse(nots + "a == 1"), FilterSyntaxError);
  std::string nested;
  for (int i = 0; i < 150; ++i) nested += "(a == 1 or b == 2 and ";
  EXPECT_THROW(Filter::parse(nested + "a == 1" + std::string(150, ')')), FilterSyntaxError);
}

TEST(FilterSyntax, SqlInsideValuesAndNamesStaysData) {
  const std::string attack = "'; DROP TABLE nodes; --";
  const Filter filter = field(attack) == attack;
  EXPECT_EQ(Filter::parse(filter.to_string()), filter);
  EXPECT_TRUE(filter.matches(Metadata{{attack, attack}}));
  EXPECT_FALSE(filter.matches(Metadata{{attack, ""}}));
}

TEST(FilterSyntax, AMessageShowsOnlyTheBeginningOfALongToken) {
  try {
    Filter::parse("a == 1 " + std::string(100'000, 'x'));
    FAIL();
  } catch (const FilterSyntaxError& error) {
    EXPECT_LT(std::string(error.what()).size(), 300u);
  }
  std::string han;
  for (int i = 0; i < 1000; ++i) han += "中";
  try {
    Filter::parse("a == 1 " + han);
    FAIL();
  } catch (const FilterSyntaxError& error) {
    EXPECT_TRUE(utf8::is_valid(error.what()));
  }
}

TEST(FilterSyntax, DamagedFiltersAreReadOrRefused) {
  std::mt19937 random(7);
  const std::vector<std::string> pieces{"a",    "作者", "==",   "!=",     "<",   "in",   "[",     "]",   ",",
                                        "(",    ")",    "and",  "or",     "not", "like", "'x%'",  "5",   "-2.5",
                                        "true", "is",   "null", "exists", "`",   "\"",   "\\u12", "\xE4"};
  std::size_t read = 0;
  const std::size_t count = test::rounds(20'000);
  for (std::size_t i = 0; i < count; ++i) {
    std::string text;
    for (std::size_t n = random() % 12; n > 0; --n)
      text += pieces[random() % pieces.size()] + (random() % 4 ? " " : "");
    try {
      const Filter filter = Filter::parse(text);
      ++read;
      ASSERT_EQ(Filter::parse(filter.to_string()), filter) << text;
    } catch (const FilterSyntaxError& error) {
      ASSERT_LE(error.position(), text.size());
    }
  }
  EXPECT_GT(read, count / 1000);
}

}  // namespace
}  // namespace ragstone
