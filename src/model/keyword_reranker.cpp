#include <ragstone/async/offload.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/model/reranker.hpp>
#include <ragstone/text/analyzer.hpp>
#include <ragstone/text/normalize.hpp>

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <utility>

namespace ragstone {
namespace {

/// Numbers for the terms that occur in keywords; 0 for every other term of a text.
using Vocabulary = std::unordered_map<std::string, std::uint32_t>;

/// A term of a keyword or a text. `joined`: nothing but white space between it and the term before it.
struct Term {
  std::uint32_t number = 0;
  bool joined = false;
};

using Phrase = std::vector<Term>;

std::shared_ptr<const Analyzer> phrase_analyzer() {
  AnalyzerOptions options;
  options.stop_words = false;  // "state of the art" has all its words.
  options.pairs = false;       // Characters in order say the same, and one term per position can be compared.
  return standard_analyzer(options);
}

bool is_blank(std::string_view text) {
  const std::string folded = normalize(text);
  return folded.find_first_not_of(" \t\r\n\v\f") == std::string::npos;
}

class Keywords {
 public:
  explicit Keywords(const KeywordRerankerOptions& options) : analyzer_(phrase_analyzer()) {
    for (const std::string& keyword : options.required) required_.push_back(parse(keyword));
    for (const std::string& keyword : options.excluded) excluded_.push_back(parse(keyword));
    if (required_.empty() && excluded_.empty())
      throw Error(Errc::invalid_argument,
                  "keyword_reranker: no keywords; a reranker that keeps everything is not needed");
  }

  bool pass(std::string_view text) const {
    const Phrase terms = read(text);
    const auto held = [&](const Phrase& keyword) { return holds(terms, keyword); };
    return std::all_of(required_.begin(), required_.end(), held) &&
           std::none_of(excluded_.begin(), excluded_.end(), held);
  }

 private:
  /// `joined` of a keyword's term: nothing at all between it and the term before it, as within a Chinese word.
  Phrase parse(const std::string& keyword) {
    Phrase phrase;
    std::uint64_t end = 0;
    for (const Token& token : analyzer_->analyze(keyword)) {
      const auto number = static_cast<std::uint32_t>(vocabulary_.size() + 1);
      const auto known = vocabulary_.emplace(token.term, number).first;
      phrase.push_back(Term{known->second, token.span.begin == end});
      end = token.span.end;
    }
    if (phrase.empty())
      throw Error(Errc::invalid_argument, "keyword_reranker: the keyword '" + keyword + "' has no letter or digit");
    phrase.front().joined = false;
    return phrase;
  }

  Phrase read(std::string_view text) const {
    Phrase terms;
    std::uint64_t end = 0;
    std::string term_text;
    analyzer_->visit(text, [&](std::string_view term, Span span, std::uint32_t) {
      term_text.assign(term);
      const auto known = vocabulary_.find(term_text);
      const std::uint32_t number = known == vocabulary_.end() ? 0 : known->second;
      const bool joined = number != 0 && is_blank(text.substr(end, span.begin - end));
      terms.push_back(Term{number, joined});
      end = span.end;
    });
    return terms;
  }

  static bool holds(const Phrase& terms, const Phrase& keyword) {
    const auto same = [](const Term& term, const Term& wanted) {
      return term.number == wanted.number && (term.joined || !wanted.joined);
    };
    return std::search(terms.begin(), terms.end(), keyword.begin(), keyword.end(), same) != terms.end();
  }

  std::shared_ptr<const Analyzer> analyzer_;
  Vocabulary vocabulary_;
  std::vector<Phrase> required_;
  std::vector<Phrase> excluded_;
};

class KeywordReranker final : public Reranker {
 public:
  KeywordReranker(Pool pool, const KeywordRerankerOptions& options)
      : pool_(std::move(pool)), keywords_(std::make_shared<const Keywords>(options)) {}

  std::string_view name() const noexcept override { return "keyword"; }

 private:
  Task<Reranking> do_rerank(std::string_view, std::span<const std::string> texts, std::size_t top_n,
                            CallContext context) override {
    // A cancelled call returns while its job still runs: the job owns what it reads.
    std::vector<std::string> owned(texts.begin(), texts.end());
    Work<std::vector<RankedText>> work;
    work.set([keywords = keywords_, owned = std::move(owned), top_n](const StopToken& stop) {
      std::vector<RankedText> kept;
      for (std::size_t i = 0; i < owned.size() && kept.size() < top_n; ++i) {
        throw_if_stopped(stop);
        if (keywords->pass(owned[i])) kept.push_back(RankedText{i, std::nullopt});
      }
      return kept;
    });
    Reranking reranking(co_await offload(pool_, Lane::foreground, std::move(work), context));
    reranking.usage.input = 0;
    co_return reranking;
  }

  Pool pool_;
  std::shared_ptr<const Keywords> keywords_;
};

}  // namespace

std::shared_ptr<Reranker> keyword_reranker(Pool pool, KeywordRerankerOptions options) {
  return std::make_shared<KeywordReranker>(std::move(pool), options);
}

}  // namespace ragstone
