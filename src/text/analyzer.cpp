#include "text/term_maker.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/text/analyzer.hpp>

#include <algorithm>
#include <utility>

namespace ragstone {
namespace {

// Gives the stemmer back, also when the visitor throws.
class BorrowedStemmer {
 public:
  explicit BorrowedStemmer(detail::StemmerPool* pool) : pool_(pool), stemmer_(pool ? pool->take() : nullptr) {}
  ~BorrowedStemmer() {
    if (stemmer_) pool_->give_back(std::move(stemmer_));
  }
  BorrowedStemmer(const BorrowedStemmer&) = delete;
  BorrowedStemmer& operator=(const BorrowedStemmer&) = delete;

  detail::WordStemmer* get() const noexcept { return stemmer_.get(); }

 private:
  detail::StemmerPool* pool_;
  std::unique_ptr<detail::WordStemmer> stemmer_;
};

class RuleAnalyzer final : public Analyzer {
 public:
  RuleAnalyzer(std::string signature, const detail::TermRules& rules, Stemmer stemmer)
      : Analyzer(std::move(signature)), rules_(rules) {
    rules_.stem = stemmer != Stemmer::none;
    if (rules_.stem) stemmers_ = std::make_unique<detail::StemmerPool>(stemmer);
  }

 private:
  void do_visit(std::string_view text, const Visitor& visitor) const override {
    const BorrowedStemmer stemmer(stemmers_.get());
    detail::TermMaker(rules_, stemmer.get(), visitor).make(text);
  }

  detail::TermRules rules_;
  std::unique_ptr<detail::StemmerPool> stemmers_;
};

std::string english_parameters(const AnalyzerOptions& options) {
  const char* stemmer = options.stemmer == Stemmer::porter    ? "porter"
                        : options.stemmer == Stemmer::english ? "english"
                                                              : "none";
  return std::string(options.stop_words ? "stop" : "all") + "," + stemmer;
}

}  // namespace

void Analyzer::visit(std::string_view text, const Visitor& visitor) const {
  struct {
    const Analyzer& analyzer;
    const Visitor& visitor;
    std::size_t size;
    std::uint32_t position;
  } to{*this, visitor, text.size(), 0};
  do_visit(text, [&to](std::string_view term, Span span, std::uint32_t position) {
    if (term.empty() || span.begin > span.end || span.end > to.size || position < to.position)
      throw Error(Errc::internal, "the analyser \"" + to.analyzer.signature() +
                                      "\" gave an empty term, a span outside of the text, or a position below the one "
                                      "before; mend its do_visit()");
    to.position = position;
    to.visitor(term, span, position);
  });
}

std::vector<Token> Analyzer::analyze(std::string_view text) const {
  std::vector<Token> tokens;
  visit(text, [&](std::string_view term, Span span, std::uint32_t position) {
    tokens.push_back({std::string(term), span, position});
  });
  return tokens;
}

std::shared_ptr<const Analyzer> plain_analyzer() {
  return std::make_shared<RuleAnalyzer>("plain/1", detail::TermRules{}, Stemmer::none);
}

std::shared_ptr<const Analyzer> english_analyzer(AnalyzerOptions options) {
  detail::TermRules rules;
  rules.stop_words = options.stop_words;
  return std::make_shared<RuleAnalyzer>("english/1/" + english_parameters(options), rules, options.stemmer);
}

std::shared_ptr<const Analyzer> cjk_analyzer() {
  detail::TermRules rules;
  rules.divide_scripts = rules.pairs = true;
  return std::make_shared<RuleAnalyzer>("cjk/1", rules, Stemmer::none);
}

std::shared_ptr<const Analyzer> standard_analyzer(AnalyzerOptions options) {
  detail::TermRules rules;
  rules.divide_scripts = true;
  rules.pairs = options.pairs;
  rules.stop_words = options.stop_words;
  const std::string parameters = english_parameters(options) + (options.pairs ? ",pairs" : ",characters");
  return std::make_shared<RuleAnalyzer>("standard/1/" + parameters, rules, options.stemmer);
}

}  // namespace ragstone
