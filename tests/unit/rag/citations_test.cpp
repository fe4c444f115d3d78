#include "rag/citation_marks.hpp"
#include "rag/prose.hpp"
#include <ragstone/rag/answer.hpp>

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

Hit hit(std::string source, std::string text, std::uint64_t begin) {
  Hit hit;
  hit.id = begin;
  hit.source = std::move(source);
  hit.text = std::move(text);
  hit.span = Span{begin, begin + hit.text.size()};
  hit.file_span = Span{begin + 3, begin + 3 + hit.text.size()};
  return hit;
}

std::vector<Citation> cite(const std::string& text, const std::vector<Hit>& passages, std::size_t* forged = nullptr) {
  std::size_t count = 0;
  auto citations = find_citations(text, passages, *standard_analyzer(), count);
  if (forged != nullptr) *forged = count;
  return citations;
}

std::vector<std::size_t> numbers(std::string_view text) {
  std::vector<std::size_t> all;
  for (const CitationMark& mark : citation_marks(text)) all.insert(all.end(), mark.numbers.begin(), mark.numbers.end());
  return all;
}

TEST(CitationMarks, AreReadInEveryUsualForm) {
  using Numbers = std::vector<std::size_t>;
  EXPECT_EQ(numbers("a [1], b [2][3] c [1, 3] d [2-4] e 【5】 f ［1，2］ g [^7]"),
            (Numbers{1, 2, 3, 1, 3, 2, 3, 4, 5, 1, 2, 7}));
  EXPECT_EQ(numbers("[x] [] [1 [a1] [1.5] [-1] [99999999] [3-1] [1](http://evil) ![2](x) 【一】\n  [3]: x"), Numbers());
  EXPECT_EQ(numbers("It works![1] 有效！[2][3] according to [4]: yes"), (Numbers{1, 2, 3, 4}));
  EXPECT_EQ(numbers("[1-1000000]"), Numbers()) << "a range does not fill the memory";
  EXPECT_EQ(without_marks("A [1]. 乙【2】。"), "A. 乙。");
}

TEST(Citations, NameTheSentenceThatSupportsTheStatement) {
  const std::vector<Hit> passages{
      hit("en.md", "Gradient descent is slow. Momentum averages past gradients.\nAdam scales them.", 1000),
      hit("zh.md", "梯度下降很慢。动量法对过去的梯度取平均。", 50)};
  const std::string text = "Momentum takes an average of gradients [1]. 动量法取梯度的平均。[2]";
  const auto citations = cite(text, passages);
  ASSERT_EQ(citations.size(), 2u);
  EXPECT_EQ(citations[0].quote, "Momentum averages past gradients.");
  EXPECT_EQ(citations[0].source, "en.md");
  EXPECT_EQ(citations[0].span.begin, 1026u);
  EXPECT_EQ(citations[0].file_span.begin, 1029u);
  EXPECT_GT(citations[0].support, 0.5);
  EXPECT_EQ(citations[1].quote, "动量法对过去的梯度取平均。");
  EXPECT_EQ(citations[1].span.of(std::string(50, ' ') + passages[1].text), citations[1].quote);
  EXPECT_EQ(citations[1].mark.of(text), "[2]");
}

TEST(Citations, WithoutACommonWordNameTheWholePassageAndNoSupport) {
  const auto citations = cite("Bananas are yellow [1].", {hit("en.md", "Gradient descent is slow.", 7)});
  ASSERT_EQ(citations.size(), 1u);
  EXPECT_EQ(citations[0].quote, "Gradient descent is slow.");
  EXPECT_EQ(citations[0].support, 0);
}

// S7: whatever a text says, a citation names one of the passages and bytes that are there.
TEST(Citations, CannotBeForged) {
  const std::vector<Hit> passages{hit("a", "One sentence. Another one。第三句。", 10), hit("b", "甲乙丙。", 90)};
  std::mt19937_64 random(7);
  const std::string pieces[] = {"[", "]", "1",   "2",  "3",  "0",    "-",    ",",   "【",  "】",
                                "^", "!", "(x)", "句", ". ", "one ", "\xFF", "[3]", "[1]", "\n"};
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (std::size_t n = random() % 30; n > 0; --n) text += pieces[random() % std::size(pieces)];
    std::size_t forged = 0;
    for (const Citation& citation : cite(text, passages, &forged)) {
      ASSERT_LT(citation.passage, passages.size());
      const Hit& passage = passages[citation.passage];
      EXPECT_EQ(citation.source, passage.source);
      ASSERT_TRUE(passage.span.contains(citation.span));
      EXPECT_EQ(passage.text.substr(citation.span.begin - passage.span.begin, citation.span.size()), citation.quote);
      ASSERT_LE(citation.mark.end, text.size());
    }
  }
  std::size_t forged = 0;
  EXPECT_EQ(cite("As [99] and [0] and [2] say.", passages, &forged).size(), 1u);
  EXPECT_EQ(forged, 2u);
}

TEST(Prose, LeavesOutWhatIsNoSentence) {
  const std::string text =
      "# Momentum\n:label:`sec_momentum`\n\nIn this section we look\nat momentum. It helps.\n\n```python\nx = 1\n```\n"
      "* 第一点：动量。\n* Second point.\n\n![A figure.](img.svg)\n$$a = b.$$\n| a | b |\nThe end.";
  std::vector<std::string> found;
  for (const Span span : prose_sentences(text)) found.push_back(joined_lines(span.of(text)));
  EXPECT_EQ(found, (std::vector<std::string>{"In this section we look at momentum.", "It helps.", "第一点：动量。",
                                             "Second point.", "The end."}));
}

}  // namespace
}  // namespace ragstone
