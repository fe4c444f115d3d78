#include "text/run_scanner.hpp"
#include "text/user_words.hpp"
#include <ragstone/base/ids.hpp>
#include <ragstone/text/analyzer.hpp>
#include <ragstone/text/normalize.hpp>
#include <ragstone/text/segment.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <utility>

#include <unicode/uversion.h>

namespace ragstone {
namespace {

constexpr std::size_t kMaxTermBytes = 255;

class WordAnalyzer final : public Analyzer {
 public:
  WordAnalyzer(const std::string& signature, const AnalyzerOptions& options, detail::UserWords user_words)
      : Analyzer(signature), spaced_(english_analyzer(options)), user_words_(std::move(user_words)) {}

 private:
  void do_visit(std::string_view text, const Visitor& visitor) const override {
    std::uint32_t position = 0;
    std::size_t at = 0;
    for (const detail::UserWords::Match& match : user_words_.find(text)) {
      visit_runs(text, {at, match.span.begin}, position, visitor);
      visitor(match.word, match.span, position++);
      at = match.span.end;
    }
    visit_runs(text, {at, text.size()}, position, visitor);
  }

  void visit_runs(std::string_view text, Span part, std::uint32_t& position, const Visitor& visitor) const {
    detail::RunScanner scanner(text.substr(0, part.end), true, part.begin);
    for (detail::Run run = scanner.next(); run.kind != detail::RunKind::none; run = scanner.next()) {
      if (run.kind == detail::RunKind::word) {
        visit_spaced(text, run.span, position, visitor);
      } else {
        for (const Span word : words(run.span.of(text)))
          give({run.span.begin + word.begin, run.span.begin + word.end}, text, position, visitor);
      }
    }
  }

  void visit_spaced(std::string_view text, Span run, std::uint32_t& position, const Visitor& visitor) const {
    std::uint32_t used = 1;  // A stop word takes a position, too.
    spaced_->visit(run.of(text), [&](std::string_view term, Span span, std::uint32_t at) {
      used = at + 1;
      visitor(term, {run.begin + span.begin, run.begin + span.end}, position + at);
    });
    position += used;
  }

  static void give(Span word, std::string_view text, std::uint32_t& position, const Visitor& visitor) {
    const std::string term = normalize(word.of(text));
    const std::size_t size = std::min(term.size(), kMaxTermBytes);
    if (size > 0) visitor(std::string_view(term).substr(0, utf8::floor_boundary(term, size)), word, position++);
  }

  std::shared_ptr<const Analyzer> spaced_;
  detail::UserWords user_words_;
};

}  // namespace

std::shared_ptr<const Analyzer> word_analyzer(std::vector<std::string> user_words, AnalyzerOptions options) {
  detail::UserWords found(user_words);
  // ICU's dictionary comes with ICU.
  const char* version = found.empty() ? "words/1/" : "words/2/";
  std::string signature = version + english_analyzer(options)->signature() + ",icu" U_ICU_VERSION;
  if (!found.empty()) {
    std::string all;
    for (const std::string& word : found.words()) all += word + '\n';
    signature += ',' + to_string(hash128(all));
  }
  return std::make_shared<WordAnalyzer>(signature, options, std::move(found));
}

}  // namespace ragstone
