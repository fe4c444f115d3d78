#include "fuzz/targets.hpp"
#include "support/rounds.hpp"
#include "unit/reader/random_text.hpp"
#include "unit/store/segment_probe.hpp"
#include "unit/store/segment_samples.hpp"
#include <ragstone/base/filter.hpp>

#include <cstddef>
#include <exception>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

/// A few of libFuzzer's own mutations.
std::string mutated(std::string bytes, std::mt19937& random) {
  for (auto n = random() % 6; n > 0 && !bytes.empty(); --n) {
    const std::size_t at = random() % bytes.size();
    switch (random() % 5) {
      case 0:
        bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
        break;
      case 2:
        bytes.erase(at, random() % 8);
        break;
      case 3:
        bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 16));
        break;
      default:
        bytes.insert(at, 1, static_cast<char>(random()));
    }
  }
  return bytes;
}

/// Gives a target so many inputs. What it complained of first, with the seed that makes that input again; empty: of
/// nothing.
template <class MakeInput>
std::string first_complaint(void (*target)(std::string_view), std::size_t inputs, MakeInput make_input) {
  for (unsigned seed = 1; seed <= inputs; ++seed) {
    std::mt19937 random(seed);
    try {
      target(make_input(random));
    } catch (const std::exception& error) {
      return "seed " + std::to_string(seed) + ": " + error.what();
    }
  }
  return {};
}

/// The same with mutated samples of a corpus.
std::string first_complaint(void (*target)(std::string_view), std::size_t inputs,
                            const std::vector<std::string>& corpus) {
  return first_complaint(target, inputs,
                         [&](std::mt19937& random) { return mutated(corpus[random() % corpus.size()], random); });
}

void complains_of_x(std::string_view bytes) {
  if (bytes.find('x') != bytes.npos) throw std::logic_error("there is an x");
}

TEST(Fuzz, WhatATargetComplainsOfIsTold) {
  EXPECT_EQ(first_complaint(complains_of_x, 9, [](std::mt19937&) { return std::string("abc"); }), "");
  EXPECT_EQ(first_complaint(complains_of_x, 9, [](std::mt19937&) { return std::string("axc"); }),
            "seed 1: there is an x");
  EXPECT_NE(first_complaint(complains_of_x, 10'000, {"a", "b"}), "") << "mutations come to new bytes";
}

TEST(Fuzz, AnalyzersKeepTheirPromises) {
  const auto text = [](std::mt19937& random) { return mutated(random_text(random, random() % 40), random); };
  EXPECT_EQ(first_complaint(fuzz_analyzers, rounds(500), text), "");
}

TEST(Fuzz, QuestionsKeepTheirPromises) {
  const std::vector<std::string> corpus = {"apple",
                                           "苹果",
                                           "what does one do about keys?",
                                           "什么是动量？",
                                           "the of",
                                           "e\u0301 ｆｕｌｌ C++ state-of-the-art",
                                           "Smith OR \"model* NEAR/3 -score\""};
  const auto question = [&](std::mt19937& random) {
    const std::string text = random() % 3 == 0 ? random_text(random, random() % 20) : corpus[random() % corpus.size()];
    return static_cast<char>(random()) + mutated(text, random);
  };
  EXPECT_EQ(first_complaint(fuzz_query, rounds(1'500), question), "");
}

TEST(Fuzz, HostileQuestionsKeepTheirPromises) {
  std::string words;
  for (int i = 0; i < 10'000; ++i) words += "word" + std::to_string(i) + " 词" + std::to_string(i) + ' ';
  std::string ideographs;
  for (int i = 0; i < 20'000; ++i) ideographs += "注意力";
  for (const std::string& text :
       {std::string(), words + "apple", ideographs, std::string(1 << 20, 'a'), std::string(100'000, '\x01'),
        std::string("\x1b[31mred\x1b[0m\r\n\t\v\f\x7f"), std::string("high \xED\xA0\xBD low \xED\xB8\x80 WTF-8"),
        std::string("👩‍👩‍👧‍👦 family 👨🏽‍💻 coder 🇨🇳 flag ❤️"),
        std::string("GPU加速のテスト한국어ไทยрусскийالعربيةעברית mixed"),
        std::string("score OR b AND NOT model NEAR(apple e, 5) \"f g\" h* ^i {col}: -j"),
        std::string(".*+?^${}()|[]\\ %_ like '; DROP TABLE t; --"), std::string("\xEF\xBB\xBF苹果")})
    for (const char choice : {'\1', '\6'}) EXPECT_NO_THROW(fuzz_query(choice + text)) << text.substr(0, 60);
}

TEST(Fuzz, FiltersKeepTheirPromises) {
  const std::vector<std::string> corpus = {"a == 1 and not (b in [1, 2.5, \"x\"] or `c d` like \"100\\\\%%\")",
                                           "exists a && a > -1e300",
                                           "标题 == \"中文\" || year not in [2020, 2021]",
                                           "((((a != true))))",
                                           "a >= 9223372036854775807",
                                           ""};
  for (const std::string& filter : corpus) EXPECT_NO_THROW(Filter::parse(filter)) << filter;
  EXPECT_EQ(first_complaint(fuzz_filters, rounds(20'000), corpus), "");
}

TEST(Fuzz, ReadersAndChunkersKeepTheirPromises) {
  const auto file = [](std::mt19937& random) {
    std::string bytes(2, '\0');
    for (char& size : bytes) size = static_cast<char>(random());
    return mutated(bytes + random_text(random, random() % 60), random);
  };
  EXPECT_EQ(first_complaint(fuzz_reading, rounds(2'000), file), "");
}

// F6
TEST(Fuzz, SegmentsKeepTheirPromises) {
  std::mt19937 samples(1);
  std::vector<std::string> corpus = {std::string(1, '\1') + segment::random_sparse(samples, 400, 6).image()};
  for (unsigned seed = 0; seed < 40; ++seed) {
    corpus.push_back(fuzz_segment_sample(seed));
    EXPECT_TRUE(segment::probe(corpus.back().substr(1)).verifies);
  }
  const auto image = [&](std::mt19937& random) { return mutated(corpus[random() % corpus.size()], random); };
  EXPECT_EQ(first_complaint(fuzz_segment, rounds(5'000), image), "");
}

// N7
TEST(Fuzz, EventStreamsKeepTheirPromises) {
  const std::vector<std::string> corpus = {
      "\x05"
      "data: {\"a\":1}\n\ndata: [DONE]\n\n",
      "\x03"
      ": ping\r\n\r\nevent: error\rdata:x\r\rdata: y\ndata: z\n\n",
      "\x01"
      "\xEF\xBB\xBF"
      "data\n\nid: 1\nretry: 5\ndata: \xE4\xBD\xA0\n\n"};
  EXPECT_EQ(first_complaint(fuzz_sse, rounds(20'000), corpus), "");
}

// N8, N9
TEST(Fuzz, RepliesOfModelServersKeepTheirPromises) {
  const std::vector<std::string> corpus = {
      R"({"id":"1","model":"m","choices":[{"message":{"content":"hi","refusal":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}})",
      R"({"choices":[{"delta":{"content":"\u4f60","reasoning":"r"},"finish_reason":null}],"usage":null})",
      R"({"data":[{"index":1,"embedding":[0.5,-1e-3]},{"index":0,"embedding":"AACAPwAAAEA="}],"usage":{"total_tokens":3}})",
      R"({"results":[{"index":0,"relevance_score":0.5},{"index":2,"score":1}],"output":{"results":[{"index":1,"relevance_score":0}]}})",
      R"([{"index":0,"score":0.25,"text":"a"}])",
      R"({"error":{"message":"m","code":null}})",
      R"({"a":1,"b":["x",[],{"a":-1}]})"};
  EXPECT_EQ(first_complaint(fuzz_replies, rounds(10'000), corpus), "");
}

// N8
TEST(Fuzz, ReplySchemasKeepTheirPromises) {
  const std::vector<std::string> corpus = {
      R"({"type":"object","properties":{"a":{"type":["integer","null"],"minimum":0}},"required":["a"],"additionalProperties":false})"
      "\n"
      R"({"a":3,"标题":"中文"})",
      R"({"type":"array","items":{"enum":["x","y",1,{"a":[]}]},"uniqueItems":true,"minItems":1,"maxItems":4})"
      "\n"
      R"(["x",1,1.0,{"a":[]}])",
      R"({"anyOf":[{"const":"中"},{"oneOf":[{"minLength":2,"maxLength":3},{"pattern":"^a+"}]},{"not":{"type":"string"}}]})"
      "\n"
      R"("aa")",
      R"({"$defs":{"tree":{"properties":{"left":{"$ref":"#/$defs/tree"},"v":{"multipleOf":0.5}}}},"$ref":"#/$defs/tree"})"
      "\n"
      R"({"left":{"left":{"v":1.5}}})",
      R"({"prefixItems":[{"exclusiveMinimum":1},true],"items":false,"maxProperties":2})"
      "\n"
      "[2,3]",
      R"({"type":5})"
      "\n"
      "1"};
  EXPECT_EQ(first_complaint(fuzz_schemas, rounds(8'000), corpus), "");
}

// N5
TEST(Fuzz, RetryAfterKeepsItsPromises) {
  const std::vector<std::string> corpus = {"120|1500.5", "Mon, 01 Jan 2024 00:00:03 GMT", "1e300|-1", "|nan"};
  EXPECT_EQ(first_complaint(fuzz_retry, rounds(20'000), corpus), "");
}

// F6
TEST(Fuzz, SavedIndexesKeepTheirPromises) {
  const std::vector<std::string> corpus = {fuzz_words_sample(0), fuzz_words_sample(2)};
  const auto image = [&](std::mt19937& random) {
    const std::string& sample = corpus[random() % corpus.size()];
    const char choice = static_cast<char>((sample[0] & 2) | (random() & 1));
    return choice + mutated(sample.substr(1), random);
  };
  EXPECT_EQ(first_complaint(fuzz_words, rounds(3'000), image), "");
}

}  // namespace
}  // namespace ragstone::test
