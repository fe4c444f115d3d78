#include <ragstone/base/error.hpp>
#include <ragstone/base/ids.hpp>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

TEST(Hash128, IsTheFirstHalfOfSha256) {
  EXPECT_EQ(to_string(hash128("abc")), "ba7816bf8f01cfea414140de5dae2223");
  EXPECT_EQ(to_string(hash128("")), "e3b0c44298fc1c149afbf4c8996fb924");
}

TEST(Hash128, PartsAreTakenUnambiguously) {
  const std::vector<std::string_view> one{"ab", "c"};
  const std::vector<std::string_view> other{"a", "bc"};
  EXPECT_NE(hash128(one), hash128(other));
}

TEST(Hash128, ReadsBackWhatItPrints) {
  const Hash128 hash = hash128("中文");
  EXPECT_EQ(parse_hash128(to_string(hash)), hash);
  EXPECT_EQ(parse_hash128("BA7816BF8F01CFEA414140DE5DAE2223"), hash128("abc"));
  for (const char* bad : {"", "00", "zz7816bf8f01cfea414140de5dae2223", "ba7816bf8f01cfea414140de5dae22231"})
    EXPECT_THROW(parse_hash128(bad), Error);
}

TEST(Uid, DependsOnEachOfItsParts) {
  const Hash128 content = hash128("text");
  const Uid uid = make_uid("source", "group", "signature", content, 0);
  EXPECT_EQ(uid, make_uid("source", "group", "signature", content, 0));
  EXPECT_NE(uid, make_uid("Source", "group", "signature", content, 0));
  EXPECT_NE(uid, make_uid("source", "Group", "signature", content, 0));
  EXPECT_NE(uid, make_uid("source", "group", "Signature", content, 0));
  EXPECT_NE(uid, make_uid("source", "group", "signature", hash128("Text"), 0));
  EXPECT_NE(uid, make_uid("source", "group", "signature", content, 1));
}

TEST(Uid, IsTheSameOnEveryMachine) {
  EXPECT_EQ(to_string(make_uid("手册/一.md", "MediumChunk", "sentence/1/256,25", hash128("正文"), 0)),
            "9d1bf6db103b3f7862cda4497f8a9602");
}

}  // namespace
}  // namespace ragstone
