#include <ragstone/text/function_words.hpp>

#include <algorithm>
#include <iterator>

namespace ragstone {
namespace {

// Ascending by bytes, all four.
constexpr std::string_view kEnglish[] = {
    "a",      "about",   "above", "after",   "again", "against",  "all",       "am",      "an",      "and",
    "any",    "are",     "aren",  "as",      "at",    "be",       "because",   "been",    "before",  "being",
    "below",  "between", "both",  "but",     "by",    "can",      "cannot",    "could",   "couldn",  "d",
    "did",    "didn",    "do",    "does",    "doesn", "doing",    "don",       "down",    "during",  "each",
    "few",    "for",     "from",  "further", "had",   "hadn",     "has",       "hasn",    "have",    "haven",
    "having", "he",      "her",   "here",    "hers",  "herself",  "him",       "himself", "his",     "how",
    "i",      "if",      "in",    "into",    "is",    "isn",      "it",        "its",     "itself",  "ll",
    "m",      "me",      "more",  "most",    "my",    "myself",   "no",        "nor",     "not",     "of",
    "off",    "on",      "once",  "only",    "or",    "other",    "ought",     "our",     "ours",    "ourselves",
    "out",    "over",    "own",   "re",      "s",     "same",     "she",       "should",  "shouldn", "so",
    "some",   "such",    "t",     "than",    "that",  "the",      "their",     "theirs",  "them",    "themselves",
    "then",   "there",   "these", "they",    "this",  "those",    "through",   "to",      "too",     "under",
    "until",  "up",      "ve",    "very",    "was",   "wasn",     "we",        "were",    "weren",   "what",
    "when",   "where",   "which", "while",   "who",   "whom",     "why",       "will",    "with",    "won",
    "would",  "wouldn",  "you",   "your",    "yours", "yourself", "yourselves"};

constexpr std::string_view kCharacters[] = {
    "与", "个", "为", "么", "之", "也", "了", "于", "些", "什", "从", "他", "以", "们", "会", "何",
    "你", "個", "們", "其", "又", "及", "只", "可", "吗", "否", "吧", "吶", "呀", "呢", "和", "哪",
    "啊", "嗎", "嘛", "在", "她", "如", "它", "对", "對", "就", "很", "從", "怎", "您", "想", "我",
    "或", "所", "才", "把", "於", "是", "會", "有", "样", "樣", "為", "的", "着", "給", "给", "而",
    "能", "與", "被", "要", "誰", "讓", "让", "该", "谁", "还", "这", "這", "還", "那", "都", "麼"};

// Pairs that have a character which is none of the above.
constexpr std::string_view kPairs[] = {"几个", "可不", "哪一", "哪裡", "哪里", "多少", "幾個", "应该", "能不"};

// Of questions; analysers that cut by a dictionary give them as one word.
constexpr std::string_view kTriples[] = {"为什么", "什么样", "什麼樣", "会不会", "哪一个", "哪一些",
                                         "哪一個", "怎么样", "怎麼樣", "是不是", "會不會", "有沒有",
                                         "有没有", "為什麼", "能不能", "要不要"};

constexpr std::size_t kCharacterBytes = 3;

template <std::size_t N>
constexpr bool ascend(const std::string_view (&words)[N]) {
  for (std::size_t i = 1; i < N; ++i)
    if (!(words[i - 1] < words[i])) return false;
  return true;
}
static_assert(ascend(kEnglish) && ascend(kCharacters) && ascend(kPairs) && ascend(kTriples));

template <std::size_t N>
bool has(const std::string_view (&words)[N], std::string_view form) noexcept {
  return std::binary_search(std::begin(words), std::end(words), form);
}

}  // namespace

bool is_function_word(std::string_view form) noexcept {
  if (form.empty()) return false;
  if (static_cast<unsigned char>(form.front()) < 0x80) return has(kEnglish, form);
  if (form.size() == kCharacterBytes) return has(kCharacters, form);
  if (form.size() == 3 * kCharacterBytes) return has(kTriples, form);
  if (form.size() != 2 * kCharacterBytes) return false;
  return (has(kCharacters, form.substr(0, kCharacterBytes)) && has(kCharacters, form.substr(kCharacterBytes))) ||
         has(kPairs, form);
}

}  // namespace ragstone
