#include <ragstone/text/function_words.hpp>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

TEST(FunctionWords, KnowsEnglishOnesInNormalisedForm) {
  for (const char* word : {"a", "what", "does", "about", "yourselves", "s", "would"})
    EXPECT_TRUE(is_function_word(word)) << word;
  for (const char* word : {"", "What", "computer", "whatever1", "information", "us"})
    EXPECT_FALSE(is_function_word(word)) << word;
}

TEST(FunctionWords, KnowsChineseCharactersAndPairsOfThem) {
  for (const char* word : {"的", "吗", "嗎", "什么", "什麼", "如何", "是否", "多少", "哪里"})
    EXPECT_TRUE(is_function_word(word)) << word;
  for (const char* word : {"法", "几何", "目的", "社会", "什么时", "计算机"})
    EXPECT_FALSE(is_function_word(word)) << word;
}

TEST(FunctionWords, KnowsQuestionWordsOfThreeChineseCharacters) {
  for (const char* word : {"为什么", "為什麼", "怎么样", "怎麼樣", "什么样", "哪一个", "是不是", "有没有"})
    EXPECT_TRUE(is_function_word(word)) << word;
  for (const char* word : {"为人民", "样样好", "会计师"}) EXPECT_FALSE(is_function_word(word)) << word;
}

TEST(FunctionWords, BytesThatAreNoTextAreNone) {
  for (const char* bytes : {"\xFF", "\xE4\xBB", "\xC3\x28\x41", "\xE7\x9A\x84\xFF\xFF\xFF"})
    EXPECT_FALSE(is_function_word(bytes));
}

}  // namespace
}  // namespace ragstone
