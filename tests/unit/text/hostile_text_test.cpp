#include "fuzz/targets.hpp"
#include "support/rounds.hpp"
#include "text/run_scanner.hpp"
#include <ragstone/text/analyzer.hpp>
#include <ragstone/text/normalize.hpp>

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

using namespace std::string_literals;

/// The terms of ASCII text, put together from its runs one by one.
std::vector<std::string> terms_of_runs(const std::string& text) {
  AnalyzerOptions all;
  all.stop_words = false;
  const auto stems = english_analyzer(all);
  std::vector<std::string> terms;
  detail::RunScanner scanner(text, true);
  for (detail::Run run = scanner.next(); run.kind != detail::RunKind::none; run = scanner.next())
    for (std::size_t at = run.span.begin; at < run.span.end; at += 255) {
      const std::string word = normalize(text.substr(at, std::min<std::size_t>(255, run.span.end - at)));
      if (english_analyzer()->analyze(word).empty()) continue;
      for (const Token& token : stems->analyze(word)) terms.push_back(token.term);
    }
  return terms;
}

TEST(HostileText, AsciiTextGivesTheTermsOfItsRuns) {
  const auto analyzer = standard_analyzer();
  const std::vector<std::string> pieces = {
      "The", "nations", "a", " ", "-", "\n", "x1", "GPUs", std::string(300, 'q'), "7th", "\0"s, "_", "runnING", "of"};
  for (unsigned seed = 1; seed <= test::rounds(300); ++seed) {
    std::mt19937 random(seed);
    std::string text;
    for (auto n = random() % 30; n > 0; --n) text += pieces[random() % pieces.size()] + (random() % 2 == 0 ? " " : "");
    std::vector<std::string> terms;
    for (const Token& token : analyzer->analyze(text)) terms.push_back(token.term);
    ASSERT_EQ(terms, terms_of_runs(text)) << text;
  }
}

TEST(HostileText, EveryAnalyzerKeepsItsPromises) {
  const std::vector<std::string> texts = {
      "",
      std::string(1 << 20, 'a'),
      std::string(1 << 20, '7') + "th",
      std::string(300'000, '\x01'),
      "\x1b[31mred\x1b[0m\r\n\t\v\f\x7f",
      "high \xED\xA0\xBD low \xED\xB8\x80 WTF-8",
      "👩‍👩‍👧‍👦 family 👨🏽‍💻 coder 🇨🇳 flag ❤️",
      "GPU加速のテスト한국어ไทยрусскийالعربيةעברית mixed",
      "a OR b AND NOT c NEAR(d e, 5) \"f g\" h* ^i {col}: -j",
      ".*+?^${}()|[]\\ %_ like '; DROP TABLE t; --",
      std::string("\xEF\xBB\xBF") + "bom",
      [] {
        std::string marks = "e";
        for (int i = 0; i < 50'000; ++i) marks += "\u0301";
        return marks;
      }(),
      [] {
        std::string run;
        for (int i = 0; i < 100'000; ++i) run += "中文";
        return run;
      }(),
  };
  for (const std::string& text : texts) EXPECT_NO_THROW(test::fuzz_analyzers(text)) << text.substr(0, 60);
}

}  // namespace
}  // namespace ragstone
