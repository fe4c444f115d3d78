#include "text/run_scanner.hpp"
#include <ragstone/base/ids.hpp>
#include <ragstone/text/analyzer.hpp>
#include <ragstone/text/normalize.hpp>
#include <ragstone/text/segment.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <functional>
#include <set>

#include <unicode/uversion.h>

namespace ragstone {
namespace {

constexpr std::size_t kMaxTermBytes = 255;

class WordAnalyzer final : public Analyzer {
 public:
  WordAnalyzer(const std::string& signature, const AnalyzerOptions& options,
               std::set<std::string, std::less<>> user_words)
      : Analyzer(signature), spaced_(english_analyzer(options)), user_words_(std::move(user_words)) {
    for (const std::string& word : user_words_) longest_ = std::max(longest_, word.size());
  }

 private:
  void do_visit(std::string_view text, const Visitor& visitor) const override {
    std::uint32_t position = 0;
    detail::RunScanner scanner(text, true);
    for (detail::Run run = scanner.next(); run.kind != detail::RunKind::none; run = scanner.next()) {
      if (run.kind == detail::RunKind::word) {
        visit_spaced(text, run.span, position, visitor);
      } else {
        visit_unspaced(text, run.span, position, visitor);
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

  void visit_unspaced(std::string_view text, Span run, std::uint32_t& position, const Visitor& visitor) const {
    std::size_t pending = run.begin;
    const auto divide = [&](std::size_t end) {
      for (const Span word : words(text.substr(pending, end - pending)))
        give({pending + word.begin, pending + word.end}, text, position, visitor);
    };
    for (std::size_t at = run.begin; at < run.end;) {
      const std::size_t size = user_word_at(text.substr(at, run.end - at));
      if (size == 0) {
        at += utf8::decode(text, at).size;
        continue;
      }
      divide(at);
      give({at, at + size}, text, position, visitor);
      pending = at += size;
    }
    divide(run.end);
  }

  /// The length of the longest user word that the text begins with; 0: none.
  std::size_t user_word_at(std::string_view text) const {
    for (std::size_t size = std::min(longest_, text.size()); size > 0; --size)
      if (user_words_.contains(text.substr(0, size))) return size;
    return 0;
  }

  static void give(Span word, std::string_view text, std::uint32_t& position, const Visitor& visitor) {
    const std::string term = normalize(word.of(text));
    const std::size_t size = std::min(term.size(), kMaxTermBytes);
    if (size > 0) visitor(std::string_view(term).substr(0, utf8::floor_boundary(term, size)), word, position++);
  }

  std::shared_ptr<const Analyzer> spaced_;
  std::set<std::string, std::less<>> user_words_;
  std::size_t longest_ = 0;
};

}  // namespace

std::shared_ptr<const Analyzer> word_analyzer(std::vector<std::string> user_words, AnalyzerOptions options) {
  std::set<std::string, std::less<>> sorted(user_words.begin(), user_words.end());
  sorted.erase("");
  // ICU's dictionary comes with ICU.
  std::string signature = "words/1/" + english_analyzer(options)->signature() + ",icu" U_ICU_VERSION;
  if (!sorted.empty()) {
    std::string all;
    for (const std::string& word : sorted) all += word + '\n';
    signature += ',' + to_string(hash128(all));
  }
  return std::make_shared<WordAnalyzer>(signature, options, std::move(sorted));
}

}  // namespace ragstone
