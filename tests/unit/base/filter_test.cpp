#include <ragstone/base/filter.hpp>

#include <limits>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

const Metadata& row() {
  static const Metadata metadata{{"year", 2021}, {"lang", "zh"},       {"title", "深度学习"}, {"price", 9.5},
                                 {"open", true}, {"shelf mark", "Q1"}, {"作者", "鲁迅"}};
  return metadata;
}

bool holds(const std::string& text) { return Filter::parse(text).matches(row()); }

TEST(Filter, ReadsMilvusSpelling) {
  for (const char* text : {"year >= 2020 and lang in ['zh', \"en\"]",
                           "YEAR == 1 OR year == 2021",
                           "not (year == 2020)",
                           "1 < price <= 9.5",
                           "title like '深度%'",
                           "title like \"__学习\"",
                           "exists title && !exists nothing",
                           "nothing is null",
                           "title IS NOT NULL",
                           "$meta[\"lang\"] == 'zh'",
                           "meta['lang'] != 'en'",
                           "metadata [ 'lang' ] == 'zh'",
                           "`lang` = 'zh'",
                           "`shelf mark` == 'Q1'",
                           "open == true",
                           "lang not in ['en']",
                           "lang not like 'e%'",
                           "year == 2021.0",
                           "2021 <= year",
                           "9.6 > price",
                           "作者 == '鲁迅'",
                           "'鲁迅' == 作者",
                           "true",
                           "",
                           "  \n"})
    EXPECT_TRUE(holds(text)) << text;
  for (const char* text : {"year != 2021", "false", "lang in []", "title like '深度'", "not true",
                           "year < 2021 || false", "作者 == '老舍'", "exists 出版社"})
    EXPECT_FALSE(holds(text)) << text;
}

TEST(Filter, MissingFieldComparesFalseAndNotIsPlainNegation) {
  for (const char* op : {"==", "!=", "<", "<=", ">", ">="})
    EXPECT_FALSE(holds(std::string("nothing ") + op + " 1")) << op;
  EXPECT_FALSE(holds("nothing like '%'"));
  EXPECT_FALSE(holds("nothing in [1]"));
  EXPECT_TRUE(holds("not (nothing == 1)"));
  EXPECT_TRUE(holds("nothing not in [1]"));
  EXPECT_TRUE(holds("nothing not like '%'"));
}

TEST(Filter, AnotherTypeComparesFalse) {
  for (const char* text : {"year == '2021'", "year != '2021'", "lang > 5", "open == 1", "open != 'true'",
                           "year == true", "year like '2%'", "price in ['9.5', true]"})
    EXPECT_FALSE(holds(text)) << text;
}

TEST(Filter, IntegersAndDoublesCompareExactly) {
  const std::int64_t above = (std::int64_t{1} << 53) + 1;  // no double
  const Metadata big{{"n", above}, {"top", std::numeric_limits<std::int64_t>::max()}};
  EXPECT_FALSE(Filter::parse("n == 9007199254740992.0").matches(big));
  EXPECT_TRUE(Filter::parse("n > 9007199254740992.0").matches(big));
  EXPECT_TRUE(Filter::parse("n in [1.5, 9007199254740993]").matches(big));
  EXPECT_TRUE(Filter::parse("top < 9223372036854775808.0").matches(big));
  EXPECT_TRUE(Filter::parse("top > -1e300 and top < 1e300").matches(big));
  EXPECT_EQ(compare(Scalar(std::int64_t{-1}), Scalar(-0.5)), std::partial_ordering::less);
  EXPECT_EQ(compare(Scalar(0.5), Scalar(std::int64_t{0})), std::partial_ordering::greater);
  EXPECT_EQ(compare(Scalar(-0.0), Scalar(std::int64_t{0})), std::partial_ordering::equivalent);
  EXPECT_EQ(compare(Scalar(std::numeric_limits<std::int64_t>::min()), Scalar(-9223372036854775808.0)),
            std::partial_ordering::equivalent);
}

TEST(Filter, LikeKnowsPercentUnderscoreAndBackslash) {
  EXPECT_TRUE(like_matches("", ""));
  EXPECT_TRUE(like_matches("", "%%"));
  EXPECT_FALSE(like_matches("", "_"));
  EXPECT_TRUE(like_matches("abc", "a%c"));
  EXPECT_FALSE(like_matches("abc", "A%"));
  EXPECT_TRUE(like_matches("深度学习", "_度%"));
  EXPECT_TRUE(like_matches("😀", "_"));
  EXPECT_FALSE(like_matches("深", "___"));
  EXPECT_TRUE(like_matches("50%", "50\\%"));
  EXPECT_FALSE(like_matches("500", "50\\%"));
  EXPECT_TRUE(like_matches("a_b\\", "a\\_b\\\\"));
  EXPECT_TRUE(like_matches("aXbXcX", "%b%X"));
  EXPECT_FALSE(like_matches("aab", "%a_%c"));
}

TEST(Filter, LikeTakesPolynomialTime) {
  const std::string text(20'000, 'a');
  std::string pattern;
  for (int i = 0; i < 1'000; ++i) pattern += "%a";
  EXPECT_TRUE(like_matches(text, pattern));
  EXPECT_FALSE(like_matches(text, pattern + "b"));
}

TEST(Filter, EscapesInTextAreRead) {
  const Metadata metadata{{"t", "\"'\\/\b\f\n\r\t中😀"}, {"p", "100%"}};
  EXPECT_TRUE(Filter::parse(R"(t == "\"\'\\\/\b\f\n\r\t\u4e2d\ud83d\ude00")").matches(metadata));
  EXPECT_TRUE(Filter::parse(R"(p like "100\%")").matches(metadata));
  EXPECT_TRUE(Filter::parse(R"(p like "100\\%")").matches(metadata));
  EXPECT_FALSE(Filter::parse(R"(p like "10\%")").matches(metadata));
}

TEST(Filter, BuildersMakeWhatTheParserMakes) {
  const Filter built = field("year") >= 2020 && !(field("lang") == "zh") &&
                       (field("a b").in({1, 2.5, "x", true}) || field("title").like("a%") || field("x").exists());
  EXPECT_EQ(built, Filter::parse(
                       "year>=2020 and not lang=='zh' and (`a b` in [1,2.5,'x',true] or title like 'a%' or exists x)"));
  EXPECT_EQ(
      built.to_string(),
      "year >= 2020 and not lang == \"zh\" and (`a b` in [1, 2.5, \"x\", true] or title like \"a%\" or exists x)");
  EXPECT_EQ(field("a").not_in({1}), Filter::parse("a not in [1]"));
  EXPECT_EQ((field("a") < 1 && field("a") != 2.0 && field("a") <= -3 && field("a") > 4).to_string(),
            "a < 1 and a != 2.0 and a <= -3 and a > 4");
}

TEST(Filter, ConstantsFoldAway) {
  const Filter some = field("a") == 1;
  const Filter all;
  const Filter none = !all;
  EXPECT_TRUE(all.empty());
  EXPECT_EQ(all && some, some);
  EXPECT_EQ(some || none, some);
  EXPECT_TRUE((some || all).empty());
  EXPECT_EQ((none && some).to_string(), "false");
  EXPECT_TRUE((!none).empty());
  EXPECT_TRUE(Filter::all_of({}).empty());
  EXPECT_FALSE(Filter::any_of({}).matches(row()));
  EXPECT_EQ(Filter::parse("false"), none);
  EXPECT_EQ(Filter::parse(none.to_string()), none);
}

TEST(Filter, BuildersRefuseWhatMetadataRefuses) {
  EXPECT_THROW(field(""), Error);
  EXPECT_THROW(field("a\n"), Error);
  EXPECT_THROW(static_cast<void>(field("a") == "\xFF"), Error);
  EXPECT_THROW(static_cast<void>(field("a") > std::numeric_limits<double>::quiet_NaN()), Error);
  EXPECT_THROW(static_cast<void>(field("a") < true), Error);
  EXPECT_THROW(field("a").in({"\xFF"}), Error);
  EXPECT_THROW(field("a").like("x\\"), Error);
  EXPECT_THROW(field("a").like(std::string(5000, 'x')), Error);
}

TEST(Filter, FlatChainsOfAnyLengthAreNotDeep) {
  Filter chain;
  for (int i = 0; i < 1000; ++i) chain = chain || field("n") == i;
  EXPECT_EQ(chain.root(), nullptr) << "all or x is all";
  chain = field("n") == 0;
  for (int i = 1; i < 1000; ++i) chain = chain || field("n") == i;
  EXPECT_EQ(chain.root()->depth(), 2u);
  EXPECT_TRUE(chain.matches(Metadata{{"n", 999}}));
}

TEST(Filter, DeepNestingIsAnErrorNotAnOverflow) {
  Filter deep = field("n") == 0;
  const auto nest = [&] {
    for (int i = 0; i < 1'000'000; ++i) deep = !deep;
  };
  try {
    nest();
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.errc(), Errc::limit_exceeded);
  }
  EXPECT_EQ(deep.root()->depth(), FilterNode::kMaxDepth);
  EXPECT_EQ(Filter::parse(deep.to_string()), deep) << "the deepest tree can still be written and read";
}

}  // namespace
}  // namespace ragstone
