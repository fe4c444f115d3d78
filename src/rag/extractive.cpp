#include "rag/extractive.hpp"

#include "rag/citations.hpp"
#include "rag/prompt_texts.hpp"
#include "rag/prose.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace ragstone {
namespace {

// BM25 over the sentences of the passages, with its usual k1 and a b for texts of similar length.
constexpr double kK1 = 1.2;
constexpr double kB = 0.5;
constexpr double kPassagePrior = 0.1;  // a passage's sentences weigh 1 / (1 + this * its place, from 0)
constexpr double kRepeatedTerm = 0.3;  // what a term is still worth once a chosen sentence has it
constexpr double kAlike = 0.7;         // a sentence that shares this much of its terms with a chosen one is left out
constexpr double kBroken = 0.5;        // for a sentence that begins or ends in another passage
constexpr double kQuestion = 0.4;      // for a sentence that asks, and does not answer

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
      : options_(options) {
    for (std::size_t i = 0; i < passages.size(); ++i) collect(passages[i], i, analyzer);
    for (const auto& entry : count_terms(analyzer, question).terms) weigh(entry.first);
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
        if (best->terms.contains(term)) weight *= kRepeatedTerm;
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
      for (auto& [term, count] : count_terms(analyzer, text).terms) {
        candidate.terms.emplace(std::move(term), count);
        candidate.length += count;
      }
      if (candidate.terms.empty()) continue;
      candidate.factor = 1 / (1 + kPassagePrior * static_cast<double>(passage));
      const bool begins_before = span.begin < 4 && text.front() >= 'a' && text.front() <= 'z';
      const bool ends_after = span.end + 1 >= hit.text.size() && text.find_last_of(".!?:;") != text.size() - 1 &&
                              static_cast<unsigned char>(text.back()) < 0x80;
      if (begins_before || ends_after) candidate.factor *= kBroken;
      if (text.ends_with("?") || text.ends_with("？")) candidate.factor *= kQuestion;
      total_length_ += candidate.length;
      candidates_.push_back(std::move(candidate));
    }
  }

  void weigh(const std::string& term) {
    const auto with = static_cast<double>(std::count_if(
        candidates_.begin(), candidates_.end(), [&term](const Candidate& c) { return c.terms.contains(term); }));
    const auto all = static_cast<double>(candidates_.size());
    const double weight = std::log(1 + (all - with + 0.5) / (with + 0.5));
    weights_.emplace(term, weight);
    question_weight_ += weight;
  }

  double score_of(const Candidate& candidate) const {
    const double average = total_length_ / static_cast<double>(candidates_.size());
    double score = 0;
    for (const auto& [term, weight] : weights_) {
      const auto found = candidate.terms.find(term);
      if (found == candidate.terms.end()) continue;
      const double count = found->second;
      score += weight * count * (kK1 + 1) / (count + kK1 * (1 - kB + kB * candidate.length / average));
    }
    return score * candidate.factor;
  }

  /// The share of the question's weight in a sentence, before anything was chosen.
  double coverage(const Candidate& candidate) const {
    double covered = 0;
    for (const auto& [term, weight] : weights_)
      if (candidate.terms.contains(term)) covered += weight;
    return question_weight_ > 0 ? covered / question_weight_ : 0;
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
  std::vector<Candidate> candidates_;
  double total_length_ = 0;
  std::unordered_map<std::string, double> weights_;
  double question_weight_ = 0;
};

}  // namespace

void answer_by_extraction(std::string_view question, const Analyzer& analyzer, const ExtractiveOptions& options,
                          Answer& answer) {
  Extraction extraction(question, analyzer, options, answer.passages);
  for (const Candidate* sentence : extraction.choose()) {
    const Hit& hit = answer.passages[sentence->passage];
    answer.text += one_line(sentence->span.of(hit.text));
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
