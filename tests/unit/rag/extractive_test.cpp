#include "rag/extractive.hpp"

#include "rag/prose.hpp"
#include "rag/topic.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

Answer extracted(const std::string& question, const std::vector<std::string>& passages) {
  Answer answer;
  for (std::size_t i = 0; i < passages.size(); ++i) {
    Hit& hit = answer.passages.emplace_back();
    hit.source = std::to_string(i);
    hit.text = passages[i];
    hit.span = Span{0, passages[i].size()};
  }
  answer_by_extraction(question, *standard_analyzer(), ExtractiveOptions(), answer);
  return answer;
}

/// The first line of an answer, without its mark.
std::string first_sentence(const Answer& answer) {
  if (answer.outcome != AnswerOutcome::answered) return {};
  return answer.text.substr(0, answer.text.find(" ["));
}

TEST(Extractive, WhatSomethingIsIsToldByTheSentenceThatDefinesIt) {
  const std::vector<std::string> english = {
      "Momentum and more momentum were tuned in the momentum runs. We plot momentum against momentum for each run.",
      "Momentum is a leaky average over past gradients. It speeds up convergence."};
  EXPECT_EQ(first_sentence(extracted("What is momentum?", english)),
            "Momentum is a leaky average over past gradients.");
  const std::vector<std::string> chinese = {"动量法的实验中我们比较了动量法和不用动量法的结果，动量法收敛。",
                                            "动量法是用过去梯度的平均值代替梯度的方法。它加快了收敛。"};
  EXPECT_EQ(first_sentence(extracted("什么是动量法？", chinese)), "动量法是用过去梯度的平均值代替梯度的方法。");
  EXPECT_EQ(first_sentence(extracted("动量法是什么？", chinese)), "动量法是用过去梯度的平均值代替梯度的方法。");
}

TEST(Extractive, DefinitionsOfWordsThatLookLikeMarksAreFound) {
  const std::vector<std::string> english = {
      "Recall that recall was plotted before in the recall plots.",
      "Recall is the share of the relevant texts that were found. It falls as lists get shorter."};
  EXPECT_EQ(first_sentence(extracted("What is recall?", english)),
            "Recall is the share of the relevant texts that were found.");
  const std::vector<std::string> chinese = {"接下來我們比較各種指數函數的圖像，指數函數增長。",
                                            "指數函數是以常數為底的冪函數。它增長得很快。"};
  EXPECT_EQ(first_sentence(extracted("什麼是指數函數？", chinese)), "指數函數是以常數為底的冪函數。");
}

TEST(Extractive, HowSomethingWorksIsToldBySentencesAboutIt) {
  const std::vector<std::string> english = {
      "For now let's review the Adam algorithm.",
      "Adam combines momentum with a scale for each coordinate. Others were compared with Adam."};
  EXPECT_EQ(first_sentence(extracted("How does Adam work?", english)),
            "Adam combines momentum with a scale for each coordinate.");
  const std::vector<std::string> chinese = {"现在让我们回顾一下Adam算法。",
                                            "Adam算法结合了动量和每个坐标的尺度。其他算法与Adam比较过。"};
  EXPECT_EQ(first_sentence(extracted("Adam算法是如何工作的？", chinese)), "Adam算法结合了动量和每个坐标的尺度。");
}

TEST(Extractive, ASentenceUnderAHeadingThatNamesTheSubjectIsAboutIt) {
  const std::vector<std::string> passages = {
      "## Results\n\nThe runs with weight decay took a day.",
      "## Weight Decay\n\nThe weight of each parameter shrinks by decay at every step.\n"};
  EXPECT_EQ(first_sentence(extracted("Explain weight decay.", passages)),
            "The weight of each parameter shrinks by decay at every step.");
}

TEST(Extractive, SentencesAreWhole) {
  const std::vector<std::string> english = {
      "In the picture\n:numref:`fig_heads`\ndescribes multi-head attention.\n"
      ":label:`sec_heads`\n\nMulti-head attention runs several heads side by side."};
  EXPECT_EQ(first_sentence(extracted("What is multi-head attention?", english)),
            "Multi-head attention runs several heads side by side.");
  const std::vector<std::string> chinese = {"注意力机制给每个输入一个权重。训练时注意力机制要比没有注意力机制的"};
  EXPECT_EQ(first_sentence(extracted("什么是注意力机制？", chinese)), "注意力机制给每个输入一个权重。");
}

TEST(Prose, ReferencesBelongToTheirSentences) {
  const std::string text = "由于新增的机制，训练比\n:numref:`sec_seq2seq`慢得多。\n:label:`sec_next`\n";
  ASSERT_EQ(prose_sentences(text).size(), 1u);
  EXPECT_EQ(joined_lines(prose_sentences(text)[0].of(text)), "由于新增的机制，训练比 :numref:`sec_seq2seq`慢得多。");
}

TEST(Prose, CodeWhoseFenceIsInAnotherPassageIsNone) {
  const auto sentences = [](const std::string& text) {
    std::vector<std::string> found;
    for (const Span span : prose_sentences(text)) found.push_back(joined_lines(span.of(text)));
    return found;
  };
  const std::vector<std::string> only = {"It drops some of the values."};
  EXPECT_EQ(sentences("        return self.ln(self.dropout(Y) + X)\n```\nIt drops some of the values.\n"), only);
  EXPECT_EQ(sentences("the dropout of Y\n```\nIt drops some of the values.\n\n```python\nx = 1\n```\n"), only);
  EXPECT_EQ(sentences("```\ndropout of all values\n```\nIt drops some of the values.\n"), only);
  EXPECT_EQ(sentences("It drops some of the values.\n\n```python\nthe end is elsewhere"), only);
  EXPECT_EQ(sentences("    @property\n    def weights(self):\n        raise Error\n\nIt drops some of the values."),
            (std::vector<std::string>{"raise Error", "It drops some of the values."}));
}

TEST(Topic, QuestionsForAnExplanationAreToldFromOthers) {
  for (const char* question : {"What is attention?", "what are word embeddings", "How does Adam work?",
                               "Define entropy.", "Explain multi-head attention", "什么是注意力机制？", "动量法是什么",
                               "Adam算法是如何工作的？", "请解释注意力机制", "批量规范化有什么作用？"})
    EXPECT_TRUE(asks_for_explanation(question)) << question;
  for (const char* question : {"Who won?", "When was it founded?", "Why is weight decay used?", "谁赢得了比赛？", "",
                               "他是哪一年出生的？", "How many players are there?"})
    EXPECT_FALSE(asks_for_explanation(question)) << question;
}

TEST(Topic, IsWhatASentenceIsAbout) {
  EXPECT_EQ(Topic("The **learning rate** is a step size.").text(), "learning rate**");
  EXPECT_TRUE(Topic("Attention is a pooling.").is_defined());
  EXPECT_EQ(Topic("*动量法*（momentum）是一种方法。").text(), "动量法*（momentum）");
  EXPECT_TRUE(Topic("所谓注意力是指对输入的加权。").is_defined());
  EXPECT_FALSE(Topic("Adam combines many techniques at once.").is_defined());
  EXPECT_EQ(Topic("Adam combines many techniques at once.").text(), "Adam combines many techniques");
  EXPECT_EQ(Topic("").text(), "");
  EXPECT_EQ(Topic("**").text(), "");
}

}  // namespace
}  // namespace ragstone
