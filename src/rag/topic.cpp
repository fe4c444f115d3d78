#include "rag/topic.hpp"

#include "text/affixes.hpp"
#include <ragstone/text/normalize.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <string>

namespace ragstone {
namespace {

constexpr std::size_t kMostLeadBytes = 90;  // a topic that is longer is a clause of its own
constexpr std::size_t kLeadWords = 4;
constexpr std::size_t kLeadCharacters = 8;

// "What is the capital of France?" asks for a fact, and its answer is a definition of the same kind.
constexpr std::string_view kAskedBefore[] = {
    "what is ", "what are ", "what's ", "what was ", "define ", "explain ", "describe ", "what does ", "how does ",
    "how do ",  "什么是",    "何谓",    "何为",      "什么叫",  "解释",     "请解释",    "介绍",       "请介绍",
    "说明",     "什麼是",    "解釋",    "介紹",      "請解釋",  "請介紹",   "說明"};
constexpr std::string_view kAskedAfter[] = {
    "是什么",   "是什麼",     "什么意思", "什麼意思", "如何工作",   "如何工作的", "怎么工作", "怎么工作的",
    "怎样工作", "怎样工作的", "怎么回事", "的原理",   "怎麼工作的", "有什么作用", "有什么用", "有什麼作用"};

// Between words, and between characters of scripts without spaces.
constexpr std::string_view kVerbs[] = {" is ",      " are ",         " was a ",     " was an ",
                                       " was the ", " were the ",    " means ",     " refers to ",
                                       " denotes ", " consists of ", " describes ", " represents "};
// None that often is a part of other words ("指数", "立即", "表示学习").
constexpr std::string_view kWideVerbs[] = {"是", "指的是", "称为", "稱為", "即为", "即為", "意味着", "意味著"};

constexpr std::string_view kAnnouncements[] = {"now let",      "for now",      "in this section",  "in this chapter",
                                               "this section", "this chapter", "in the following", "the following",
                                               "we will ",     "we now ",      "in the next",      "next, we",
                                               "next we",      "recall that ", "recall from ",     "in the previous"};
constexpr std::string_view kWideAnnouncements[] = {"以下代码", "以下代碼", "接下来", "接下來", "下面",
                                                   "本节",     "本節",     "本章",   "在本节", "在本節",
                                                   "在本章",   "我们将",   "我們將"};

/// Without marks of emphasis and links, quotes, brackets and white space before it.
std::string_view without_marks(std::string_view text) {
  constexpr std::string_view kMarks = "*_[(\"'` \t\n";
  const std::size_t begin = std::min(text.find_first_not_of(kMarks), text.size());
  return text.substr(begin);
}

bool is_wide(char32_t c) { return c >= 0x2E80; }

/// Where the first of `verbs` begins in `text`, not at its beginning; npos: nowhere.
template <class List>
std::size_t first_of(std::string_view text, const List& verbs) {
  std::size_t first = text.npos;
  for (const std::string_view verb : verbs) first = std::min(first, text.find(verb, 1));
  return first;
}

/// So many words, or characters of scripts without spaces, from the beginning.
std::size_t lead_size(std::string_view text) {
  std::size_t words = 0;
  std::size_t wide = 0;
  for (const auto c : utf8::CodePoints(text)) {
    if (c.value <= 0x20) ++words;
    if (is_wide(c.value)) ++wide;
    if (words >= kLeadWords || wide > kLeadCharacters) return static_cast<std::size_t>(c.begin);
  }
  return text.size();
}

}  // namespace

bool asks_for_explanation(std::string_view question) {
  std::string form = normalize(question);
  constexpr std::string_view kEnds = " ?.!:";
  form.erase(form.find_last_not_of(kEnds) + 1);
  for (const std::string_view end : {"？", "。", "呢"})
    if (form.ends_with(end)) form.erase(form.size() - end.size());
  return starts_with_any(form, kAskedBefore) || ends_with_any(form, kAskedAfter);
}

Topic::Topic(std::string_view sentence) : text_(without_marks(sentence)) {
  for (const std::string_view article : {"The ", "A ", "An ", "所谓", "所謂"})
    if (text_.starts_with(article)) text_.remove_prefix(article.size());
  text_ = without_marks(text_);
  const std::size_t verb = std::min(first_of(text_, kVerbs), first_of(text_, kWideVerbs));
  is_defined_ = verb <= kMostLeadBytes;
  text_ = text_.substr(0, is_defined_ ? verb : lead_size(text_));
}

bool is_announcement(std::string_view sentence) {
  const std::string form = normalize(without_marks(sentence).substr(0, kMostLeadBytes));
  const auto has = [&form](std::string_view words) { return form.find(words) != form.npos; };
  return starts_with_any(form, kAnnouncements) || starts_with_any(form, kWideAnnouncements) || has("let's ") ||
         has("let us ") || has("让我们") || has("讓我們");
}

}  // namespace ragstone
