#include "rag/citations.hpp"

#include "rag/citation_marks.hpp"
#include "rag/prose.hpp"

#include <algorithm>
#include <unordered_set>

namespace ragstone {
namespace {

using Terms = std::unordered_set<std::string>;

Terms terms_of(const Analyzer& analyzer, std::string_view text) {
  Terms terms;
  analyzer.visit(text, [&terms](std::string_view term, Span, std::uint32_t) { terms.emplace(term); });
  return terms;
}

double share_of(const Terms& wanted, const Terms& found) {
  if (wanted.empty()) return 0;
  const auto shared =
      std::count_if(wanted.begin(), wanted.end(), [&found](const std::string& term) { return found.contains(term); });
  return static_cast<double>(shared) / static_cast<double>(wanted.size());
}

/// A passage that is cited: its sentences and their terms, made once.
class CitedPassage {
 public:
  CitedPassage(const Hit& hit, const Analyzer& analyzer) : hit_(hit), sentences_(prose_sentences(hit.text)) {
    for (const Span sentence : sentences_) terms_.push_back(terms_of(analyzer, sentence.of(hit.text)));
    whole_ = terms_of(analyzer, hit.text);
  }

  Citation cite(std::size_t number, Span mark, const Terms& statement) const {
    Span best{0, hit_.text.size()};
    double support = 0;
    for (std::size_t i = 0; i < sentences_.size(); ++i) {
      const double share = share_of(statement, terms_[i]);
      if (share <= support) continue;
      support = share;
      best = sentences_[i];
    }
    if (support == 0) support = share_of(statement, whole_);
    return citation_of(hit_, number, best, mark, support);
  }

 private:
  const Hit& hit_;
  std::vector<Span> sentences_;
  std::vector<Terms> terms_;
  Terms whole_;
};

/// The text that a mark speaks for: from the end of the sentence before, or of the mark before, to the mark.
class Statements {
 public:
  explicit Statements(std::string_view text) : text_(text) {
    for (const Span sentence : prose_sentences(text)) ends_.push_back(sentence.end);
  }

  /// Marks must be asked for in the order of the text. Marks without words between them share a statement.
  std::string_view before(Span mark) {
    const std::string_view since = text_.substr(last_end_, mark.begin - last_end_);
    last_end_ = mark.end;
    if (since.find_first_not_of(" \t\r\n.,;!?") == since.npos) return statement_;
    // A sentence that ends right before the mark is what the mark speaks for: "... done. [1]"
    const std::size_t end = mark.begin - (since.size() - since.find_last_not_of(" \t\r\n") - 1);
    const auto after = std::lower_bound(ends_.begin(), ends_.end(), end);
    const std::size_t sentence = after == ends_.begin() ? 0 : *(after - 1);
    const std::size_t begin = std::max(sentence, static_cast<std::size_t>(mark.begin - since.size()));
    return statement_ = text_.substr(begin, mark.begin - begin);
  }

 private:
  std::string_view text_;
  std::vector<std::uint64_t> ends_;
  std::size_t last_end_ = 0;
  std::string_view statement_;
};

}  // namespace

Citation citation_of(const Hit& hit, std::size_t passage, Span within, Span mark, double support) {
  Citation citation;
  citation.mark = mark;
  citation.passage = passage;
  citation.node = hit.id;
  citation.uid = hit.uid;
  citation.source = hit.source;
  citation.span = hit.span;
  citation.file_span = hit.file_span;
  citation.quote = within.of(hit.text);
  citation.support = support;
  if (!hit.is_span) return citation;
  citation.span = Span{hit.span.begin + within.begin, hit.span.begin + within.end};
  if (hit.file_span.size() == hit.span.size())
    citation.file_span = Span{hit.file_span.begin + within.begin, hit.file_span.begin + within.end};
  return citation;
}

std::vector<Citation> find_citations(std::string_view text, const std::vector<Hit>& passages, const Analyzer& analyzer,
                                     std::size_t& forged) {
  std::vector<Citation> citations;
  std::vector<std::optional<CitedPassage>> cited(passages.size());
  Statements statements(text);
  for (const CitationMark& mark : citation_marks(text)) {
    const Terms statement = terms_of(analyzer, statements.before(mark.span));
    for (const std::size_t number : mark.numbers) {
      if (number == 0 || number > passages.size()) {
        ++forged;
        continue;
      }
      std::optional<CitedPassage>& passage = cited[number - 1];
      if (!passage) passage.emplace(passages[number - 1], analyzer);
      citations.push_back(passage->cite(number - 1, mark.span, statement));
    }
  }
  return citations;
}

}  // namespace ragstone
