#include <ragstone/base/filter.hpp>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

TEST(Filter, ReadsMilvusSpelling) {
  const Metadata row{{"year", 2021}, {"lang", "zh"}, {"title", "深度学习"}, {"price", 9.5}, {"open", true}};
  for (const char* text : {
           "year >= 2020 and lang in ['zh', \"en\"]", "YEAR == 1 OR year == 2021", "not (year == 2020)", "1 < price <= 9.5",
           "title like '深度%'", "title like \"__学习\"", "exists title && !exists 作者", "作者 is null",
           "$meta[\"lang\"] == 'zh'", "meta['lang'] != 'en'", "`lang` = 'zh'", "open == true", "lang not in ['en']",
           "lang not like 'e%'", "year == 2021.0", "true", "", "  "})
    EXPECT_TRUE(Filter::parse(text).matches(row)) << text;
  for (const char* text : {"year != 2021", "missing != 1", "lang > 5", "year == '2021'", "false", "open == 1", "lang in []"})
    EXPECT_FALSE(Filter::parse(text).matches(row)) << text;
}

}  // namespace
}  // namespace ragstone
