#include "rag/extractive.hpp"

#include "rag/citations.hpp"
#include "rag/prompt_texts.hpp"
#include "rag/prose.hpp"
#include "rag/topic.hpp"
#include "text/affixes.hpp"
#include <ragstone/text/function_words.hpp>
#include <ragstone/text/normalize.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace ragstone {
namespace {

// BM25 over the sentences of the passages, with its usual k1 and a b for texts of similar length.
constexpr double kK1 = 1.2;
constexpr double kB = 0.5;
constexpr double kPassagePrior = 0.1;  // a passage's sentences weigh 1 / (1 + this * its place, from 0)
constexpr double kFound = 0.5;         // what every term of the question counts, however common in the passages
constexpr double kRepeatedTerm = 0.3;  // what a term is still worth once a chosen sentence has it
constexpr double kAlike = 0.7;         // a sentence that shares this much of its terms with a chosen one is left out
constexpr double kBroken = 0.3;        // for a sentence that begins or ends in another passage
constexpr double kCharacter = 0.5;     // what a character counts beside a word, in the coverage
constexpr double kQuestion = 0.4;      // for a sentence that asks, and does not answer
constexpr double kAnnounces = 0.4;     // for a sentence that tells what will be told
// Of a question that asks what something is or how it works:
constexpr double kTopical = 1.6;          // for a sentence whose topic is the question's subject
constexpr double kDefines = 1.5;          // and tells what that is
constexpr double kUnderHeading = 1.6;     // for a sentence under a heading that names the subject
constexpr double kNamed = 0.5;            // of the terms of a topic, or of a heading, so many are the subject's
constexpr double kRepeatedSubject = 0.8;  // as kRepeatedTerm: several sentences explain better than one

/// What a question asks about: its words, and its characters of scripts without spaces, each with the terms that show
/// it in a sentence. Where there are pairs, a character alone shows nothing.
class Subject {
 public:
  Subject(std::string_view question, const Analyzer& analyzer) {
    std::vector<Token> tokens = analyzer.analyze(question);
    keep_unless_none(tokens, [&](const Token& token) { return !is_function_word(normalize(token.span.of(question))); });
    keep_unless_none(tokens, [&](const Token& token) { return !asks(normalize(token.span.of(question))); });
    for (const Token& token : tokens) terms_.insert(token.term);
    std::stable_sort(tokens.begin(), tokens.end(),
                     [](const Token& a, const Token& b) { return a.span.begin < b.span.begin; });
    std::size_t longest = 0;
    for (const Token& token : tokens) longest = std::max<std::size_t>(longest, token.span.size());
    // What overlaps a token begins at most so far before it.
    auto first = tokens.cbegin();
    for (const Token& token : tokens) {
      while (first->span.begin + longest < token.span.begin) ++first;
      const auto last =
          std::find_if(first, tokens.cend(), [&](const Token& t) { return t.span.begin > token.span.end; });
      add_part(token, std::span(first, last));
    }
  }

  const std::unordered_set<std::string>& terms() const noexcept { return terms_; }

  /// A text with these terms names all of it. What stands half in a word that was left out ("是如") need not be there.
  template <class Terms>
  bool is_named_by(const Terms& terms) const {
    std::size_t named = 0;
    for (const Part& part : parts_) {
      if (!part.is_whole) continue;
      const auto is_there = [&](const std::string& term) { return terms.contains(term); };
      if (!std::any_of(part.shown_by.begin(), part.shown_by.end(), is_there)) return false;
      ++named;
    }
    return named > 0;
  }

  /// The share of it that is in a sentence with these terms.
  template <class Terms>
  double share_in(const Terms& terms) const {
    double shown = 0;
    double all = 0;
    for (const Part& part : parts_) {
      all += part.weight;
      const auto is_there = [&](const std::string& term) { return terms.contains(term); };
      if (std::any_of(part.shown_by.begin(), part.shown_by.end(), is_there)) shown += part.weight;
    }
    return all > 0 ? shown / all : 0;
  }

 private:
  template <class Keep>
  void keep_unless_none(std::vector<Token>& tokens, Keep keep) {
    const auto end = std::stable_partition(tokens.begin(), tokens.end(), keep);
    if (end == tokens.begin()) return;
    for (auto left_out = end; left_out != tokens.end(); ++left_out) left_out_.push_back(left_out->span);
    tokens.erase(end, tokens.end());
  }

  /// Words that ask for an explanation, and are not what is to be explained.
  static bool asks(std::string_view form) {
    constexpr std::string_view kAsking[] = {"work",   "works", "working", "mean", "means", "explain", "describe",
                                            "define", "tell",  "工作",    "解释", "解釋",  "说明",    "說明",
                                            "介绍",   "介紹",  "意思",    "请问", "請問",  "告诉",    "告訴"};
    return std::find(std::begin(kAsking), std::end(kAsking), form) != std::end(kAsking);
  }

  struct Part {
    std::vector<std::string> shown_by;
    double weight = 1;
    bool is_whole = true;  ///< No part of it belongs to a word that was left out.
  };

  /// `tokens`: all that overlap it, and perhaps more.
  void add_part(const Token& token, std::span<const Token> tokens) {
    const auto has = [](const Span& outer, const Span& inner) {
      return outer.begin <= inner.begin && inner.end <= outer.end && outer.size() > inner.size();
    };
    const bool is_whole =
        std::any_of(tokens.begin(), tokens.end(), [&](const Token& other) { return has(token.span, other.span); });
    if (is_whole) return;
    Part part;
    for (const Token& other : tokens)
      if (has(other.span, token.span)) part.shown_by.push_back(other.term);
    if (part.shown_by.empty()) {
      part.shown_by.push_back(token.term);
    } else {
      part.weight = kCharacter;
    }
    part.is_whole = std::none_of(left_out_.begin(), left_out_.end(), [&token](const Span& other) {
      return token.span.begin < other.end && other.begin < token.span.end;
    });
    parts_.push_back(std::move(part));
  }

  std::vector<Span> left_out_;
  std::unordered_set<std::string> terms_;
  std::vector<Part> parts_;
};

// A sentence that the end of its passage cuts off ends with none of these.
constexpr std::string_view kSentenceEnds[] = {".",  "!",  "?", ":",  ";",  "。", "！", "？",
                                              "：", "；", "”", "」", "\"", ")",  "）"};

/// The last heading of a passage before a position in it; empty if there is none.
std::string_view heading_above(std::string_view text, std::size_t position) {
  std::size_t line = text.rfind('\n', position);
  while (line != text.npos) {
    const std::size_t begin = line == 0 ? text.npos : text.rfind('\n', line - 1);
    const std::string_view one =
        text.substr(begin == text.npos ? 0 : begin + 1, line - (begin == text.npos ? 0 : begin + 1));
    if (one.starts_with("#") && one.find_first_not_of('#') <= 6)
      return one.substr(std::min(one.find_first_not_of("# "), one.size()));
    line = begin;
  }
  return {};
}

/// Three words, or four characters of a script without spaces, and hardly any of the marks that code and paths are full
/// of.
bool is_sentence(std::string_view text) {
  constexpr std::string_view kMarks = "_=/\\<>{}()[]|&*#^~$@+.,";
  std::size_t words = 1;
  std::size_t wide = 0;
  std::size_t marks = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    words += byte <= 0x20 && i > 0 && static_cast<unsigned char>(text[i - 1]) > 0x20 ? 1 : 0;
    wide += byte >= 0xE0 ? 1 : 0;
    marks += byte < 0x80 && kMarks.find(text[i]) != kMarks.npos ? 1 : 0;
  }
  return (words >= 3 || wide >= 4) && marks * 4 <= text.size();
}

struct Candidate {
  std::size_t passage = 0;
  Span span;
  std::unordered_map<std::string, std::uint32_t> terms;
  double length = 0;
  double factor = 1;
};

class Extraction {
 public:
  Extraction(std::string_view question, const Analyzer& analyzer, const ExtractiveOptions& options,
             const std::vector<Hit>& passages)
      : options_(options),
        passages_(passages),
        explains_(asks_for_explanation(question)),
        subject_(question, analyzer) {
    for (std::size_t i = 0; i < passages.size(); ++i) collect(passages[i], i, analyzer);
    for (const std::string& term : subject_.terms()) weigh(term);
  }

  /// The best sentences, best first; none if they hold too little of the question.
  std::vector<const Candidate*> choose() {
    std::vector<const Candidate*> chosen;
    double first = 0;
    while (chosen.size() < options_.max_sentences) {
      const Candidate* best = nullptr;
      double best_score = 0;
      for (const Candidate& candidate : candidates_) {
        const double score = score_of(candidate);
        if (score > best_score && !is_like_one_of(chosen, candidate)) {
          best = &candidate;
          best_score = score;
        }
      }
      if (best == nullptr || best_score < options_.min_relative_score * first) break;
      if (chosen.empty() && coverage(*best) < options_.min_coverage) break;
      if (chosen.empty()) first = best_score;
      chosen.push_back(best);
      for (auto& [term, weight] : weights_)
        if (best->terms.contains(term)) weight *= explains_ ? kRepeatedSubject : kRepeatedTerm;
    }
    return chosen;
  }

 private:
  void collect(const Hit& hit, std::size_t passage, const Analyzer& analyzer) {
    for (const Span span : prose_sentences(hit.text)) {
      Candidate candidate;
      candidate.passage = passage;
      candidate.span = span;
      const std::string_view text = span.of(hit.text);
      if (!is_sentence(text)) continue;
      for (auto& [term, count] : count_terms(analyzer, text).terms) {
        candidate.terms.emplace(std::move(term), count);
        candidate.length += count;
      }
      if (candidate.terms.empty()) continue;
      candidate.factor = 1 / (1 + kPassagePrior * static_cast<double>(passage));
      const bool begins_before = span.begin < 4 && text.front() >= 'a' && text.front() <= 'z';
      if (begins_before || (span.end + 1 >= hit.text.size() && !ends_with_any(text, kSentenceEnds)))
        candidate.factor *= kBroken;
      if (text.ends_with("?") || text.ends_with("？")) candidate.factor *= kQuestion;
      if (is_announcement(text)) candidate.factor *= kAnnounces;
      if (explains_) {
        const Topic topic(text);
        if (is_about_subject(topic, analyzer)) candidate.factor *= topic.is_defined() ? kTopical * kDefines : kTopical;
        if (names_subject(heading_above(hit.text, span.begin), kNamed, analyzer)) candidate.factor *= kUnderHeading;
      }
      total_length_ += candidate.length;
      candidates_.push_back(std::move(candidate));
    }
  }

  bool is_about_subject(const Topic& topic, const Analyzer& analyzer) const {
    // What belongs to the subject is another topic.
    const std::string_view owner = topic.text().substr(0, topic.text().find("的"));
    if (owner.size() < topic.text().size() && names_subject(owner, kNamed, analyzer)) return false;
    if (topic.is_defined()) return names_subject(topic.text(), kNamed, analyzer);
    return begins_with_subject(topic.text(), analyzer) && names_subject(topic.text(), 0, analyzer);
  }

  bool begins_with_subject(std::string_view text, const Analyzer& analyzer) const {
    const std::vector<Token> tokens = analyzer.analyze(text);
    const auto first = std::min_element(tokens.begin(), tokens.end(), [](const Token& a, const Token& b) {
      return std::pair(a.span.begin, a.span.end) < std::pair(b.span.begin, b.span.end);
    });
    return first != tokens.end() && subject_.terms().contains(first->term);
  }

  /// It names the whole subject, and so many of its terms are the subject's.
  bool names_subject(std::string_view text, double share, const Analyzer& analyzer) const {
    const auto terms = count_terms(analyzer, text).terms;
    std::unordered_set<std::string> found;
    for (const auto& entry : terms) found.insert(entry.first);
    if (!subject_.is_named_by(found)) return false;
    const auto shared = std::count_if(found.begin(), found.end(),
                                      [this](const std::string& term) { return subject_.terms().contains(term); });
    return static_cast<double>(shared) >= share * static_cast<double>(found.size());
  }

  void weigh(const std::string& term) {
    const auto with = static_cast<double>(std::count_if(
        candidates_.begin(), candidates_.end(), [&term](const Candidate& c) { return c.terms.contains(term); }));
    const auto all = static_cast<double>(candidates_.size());
    // What the passages were found by is in many of their sentences, and says something all the same.
    weights_.emplace(term, kFound + std::log(1 + (all - with + 0.5) / (with + 0.5)));
  }

  /// A sentence need not repeat what its source is about, as far as the passages show it.
  double coverage(const Candidate& sentence) const {
    std::unordered_set<std::string> source;
    for (const Candidate& candidate : candidates_) {
      if (passages_[candidate.passage].source != passages_[sentence.passage].source) continue;
      for (const auto& entry : candidate.terms) source.insert(entry.first);
    }
    return (subject_.share_in(sentence.terms) + subject_.share_in(source)) / 2;
  }

  double score_of(const Candidate& candidate) const {
    const double average = total_length_ / static_cast<double>(candidates_.size());
    double score = 0;
    for (const auto& [term, weight] : weights_) {
      const auto found = candidate.terms.find(term);
      if (found == candidate.terms.end()) continue;
      const double count = explains_ ? 1 : found->second;  // what is repeated explains no more
      score += weight * count * (kK1 + 1) / (count + kK1 * (1 - kB + kB * candidate.length / average));
    }
    return score * candidate.factor;
  }

  static bool is_like_one_of(const std::vector<const Candidate*>& chosen, const Candidate& candidate) {
    return std::any_of(chosen.begin(), chosen.end(), [&candidate](const Candidate* other) {
      if (other == &candidate) return true;
      const auto shared = std::count_if(candidate.terms.begin(), candidate.terms.end(),
                                        [other](const auto& entry) { return other->terms.contains(entry.first); });
      return static_cast<double>(shared) >= kAlike * static_cast<double>(candidate.terms.size());
    });
  }

  const ExtractiveOptions& options_;
  const std::vector<Hit>& passages_;
  const bool explains_;
  Subject subject_;
  std::vector<Candidate> candidates_;
  double total_length_ = 0;
  std::unordered_map<std::string, double> weights_;
};

}  // namespace

void answer_by_extraction(std::string_view question, const Analyzer& analyzer, const ExtractiveOptions& options,
                          Answer& answer) {
  Extraction extraction(question, analyzer, options, answer.passages);
  for (const Candidate* sentence : extraction.choose()) {
    const Hit& hit = answer.passages[sentence->passage];
    answer.text += joined_lines(sentence->span.of(hit.text));
    answer.text += ' ';
    const std::size_t mark = answer.text.size();
    answer.text += "[" + std::to_string(sentence->passage + 1) + "]";
    answer.citations.push_back(citation_of(hit, sentence->passage, sentence->span, Span{mark, answer.text.size()}, 1));
    answer.text += '\n';
  }
  if (!answer.text.empty()) {
    answer.text.pop_back();
    return;
  }
  answer.outcome = AnswerOutcome::nothing_found;
  answer.text = prompt_texts::nothing_found(language_of(question));
}

}  // namespace ragstone
