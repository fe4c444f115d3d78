#include <ragstone/base/error.hpp>
#include <ragstone/base/metadata.hpp>

#include <limits>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

Errc code_of(const auto& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.errc();
  }
  return Errc{};
}

TEST(Metadata, KeepsNamesInByteOrderWhateverTheOrderOfSetting) {
  const Metadata one{{"b", 1}, {"作者", "鲁迅"}, {"a", true}};
  Metadata other;
  other.set("作者", "鲁迅");
  other.set("a", true);
  other.set("b", 1);
  EXPECT_EQ(one, other);
  std::vector<std::string> names;
  for (const auto& [name, value] : one) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b", "作者"}));
}

TEST(Metadata, SetReplacesAndEraseForgets) {
  Metadata metadata{{"year", 2020}};
  metadata.set("year", "二〇二〇");
  EXPECT_EQ(metadata.text("year"), "二〇二〇");
  EXPECT_EQ(metadata.size(), 1u);
  EXPECT_TRUE(metadata.erase("year"));
  EXPECT_FALSE(metadata.erase("year"));
  EXPECT_EQ(metadata.find("year"), nullptr);
  EXPECT_TRUE(metadata.empty());
}

TEST(Metadata, KeepsEachScalarTypeAsGiven) {
  Metadata metadata;
  metadata.set("flag", true);
  metadata.set("ratio", 0.5);
  metadata.set("whole", 2.0);
  metadata.set("count", 3u);
  metadata.set("big", std::numeric_limits<std::int64_t>::min());
  metadata.set("text", "true");
  EXPECT_EQ(*metadata.find("flag"), Scalar(true));
  EXPECT_EQ(*metadata.find("ratio"), Scalar(0.5));
  EXPECT_EQ(*metadata.find("whole"), Scalar(2.0));
  EXPECT_EQ(*metadata.find("count"), Scalar(std::int64_t{3}));
  EXPECT_EQ(*metadata.find("big"), Scalar(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(*metadata.find("text"), Scalar(std::string("true")));
  EXPECT_EQ(metadata.text("flag"), std::nullopt);
}

TEST(Metadata, RefusesBadNamesAndKeepsWhatItHad) {
  Metadata metadata{{"a", 1}};
  for (const std::string& name :
       {std::string(), std::string(256, 'x'), std::string("a\nb"), std::string("a\0b", 3), std::string("\xC3"),
        std::string("\xED\xA0\x80"), std::string("a\x7F"), std::string("a\xC2\x85")})
    EXPECT_EQ(code_of([&] { metadata.set(name, 1); }), Errc::invalid_argument) << name;
  EXPECT_NO_THROW(metadata.set(std::string(255, 'x'), 1));
  EXPECT_EQ(metadata.size(), 2u);
}

TEST(Metadata, RefusesValuesThatAreNoTextOrNoNumber) {
  Metadata metadata;
  EXPECT_EQ(code_of([&] { metadata.set("t", "\xFF"); }), Errc::invalid_argument);
  EXPECT_EQ(code_of([&] { metadata.set("n", std::numeric_limits<double>::quiet_NaN()); }), Errc::invalid_argument);
  EXPECT_EQ(code_of([&] { metadata.set("n", std::numeric_limits<double>::infinity()); }), Errc::invalid_argument);
  EXPECT_EQ(code_of([&] { Metadata{{"n", std::numeric_limits<double>::infinity()}}; }), Errc::invalid_argument);
  EXPECT_TRUE(metadata.empty());
}

}  // namespace
}  // namespace ragstone
