// What BM25 over an inverted index costs: building it, its size, and questions of several kinds, beside SQLite's FTS5
// and beside adding up every posting of the same index; 200,000 generated passages of 100 words (Zipf, 100,000 words),
// and 1,000,000 without FTS5. --quick: 20,000 and 100,000. Then the texts and questions of the English collections in
// the folder that RAGSTONE_DATA names (beside FTS5 without and with its own stemmer), and those of the Chinese ones.
//
// All times are CPU times of one thread. Each of our answers is compared with the exhaustive one; a difference ends the
// program with code 1. FTS5's table stores no texts, and its time includes the writing of the database, ours does not.

#include "lexical/parts.hpp"
#include "lexical/passages.hpp"
#include "support/beir.hpp"
#include "support/data.hpp"
#include "support/report.hpp"
#include "support/store/exhaustive_search.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/text/analyzer.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace ragstone;
using bench::Passages;

constexpr std::size_t kTop = 10;

struct Kind {
  const char* name;
  std::size_t questions;
  std::function<std::vector<std::string>(const Passages&, std::size_t)> make;
};

const std::vector<Kind> kKinds = {
    {"1 common word", 40, [](const Passages& p, std::size_t n) { return p.question_of_ranks(n, 1, 0, 100); }},
    {"2 middling words", 60, [](const Passages& p, std::size_t n) { return p.question_of_ranks(n, 2, 100, 5000); }},
    {"5 middling words", 60, [](const Passages& p, std::size_t n) { return p.question_of_ranks(n, 5, 100, 20'000); }},
    {"8 words as in running text", 60, [](const Passages& p, std::size_t n) { return p.question(n, 8); }},
};

std::vector<TermWeight> query_of(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += word + ' ';
  std::vector<TermWeight> terms;
  for (auto& [term, count] : count_terms(*standard_analyzer(), text).terms)
    terms.push_back({std::move(term), static_cast<float>(count)});
  return terms;
}

class Times {
 public:
  template <class Call>
  auto measure(Call call) {
    const double start = bench::thread_seconds();
    auto result = call();
    milliseconds_.push_back((bench::thread_seconds() - start) * 1e3);
    return result;
  }
  double percentile(double share) {
    std::sort(milliseconds_.begin(), milliseconds_.end());
    return milliseconds_[static_cast<std::size_t>(share * static_cast<double>(milliseconds_.size() - 1))];
  }

 private:
  std::vector<double> milliseconds_;
};

using Question = std::vector<std::string>;

void ask(const std::string& name, const std::vector<Question>& questions, const bench::LexicalIndex& index,
         const bench::Fts5Index* fts5, bench::Report& report) {
  const Bm25Parameters parameters;
  Times ours;
  Times exhaustive;
  Times theirs;
  for (const Question& words : questions) {
    const std::vector<TermWeight> query = query_of(words);
    const auto hits = ours.measure(
        [&] { return segment::search_sparse(index.parts, index.totals, query, &parameters, nullptr, kTop, {}); });
    const auto all = exhaustive.measure(
        [&] { return test::search_every_posting(index.parts, index.totals, query, &parameters, kTop); });
    if (hits != all) throw std::runtime_error("not the answer of the exhaustive scorer");
    if (fts5 != nullptr) theirs.measure([&] { return fts5->search(words); });
  }
  report.figure(name + ", p50", ours.percentile(0.5), "ms");
  report.figure(name + ", p95", ours.percentile(0.95), "ms");
  report.cost_ratio(name + ", p50 against every posting", ours.percentile(0.5), exhaustive.percentile(0.5));
  if (fts5 != nullptr) {
    report.cost_ratio(name + ", p50 against FTS5", ours.percentile(0.5), theirs.percentile(0.5));
    report.cost_ratio(name + ", p95 against FTS5", ours.percentile(0.95), theirs.percentile(0.95));
  }
}

bench::LexicalIndex build(const std::string& name, const bench::TextOf& text_of, std::size_t count,
                          bench::Report& report) {
  bench::LexicalIndex index = bench::build_lexical_index(text_of, count);
  const double megabytes = static_cast<double>(index.text_bytes) / 1e6;
  report.figure(name + ", text", megabytes, "MB");
  report.figure(name + ", indexing", megabytes / index.total_seconds, "MB/s");
  report.figure(name + ", analyser's share of indexing", 100 * index.analyzer_seconds / index.total_seconds, "%");
  report.figure(name + ", analyser", megabytes / index.analyzer_seconds, "MB/s");
  report.figure(name + ", index / text", 100 * static_cast<double>(index.index_bytes) / 1e6 / megabytes, "%");
  return index;
}

void measure_generated(std::size_t count, bool with_fts5, bench::Report& report) {
  const Passages passages;
  const bench::TextOf text_of = [&](std::size_t n) { return passages.passage(n); };
  const std::string size = std::to_string(count) + " passages";
  const bench::LexicalIndex index = build(size, text_of, count, report);
  const test::TemporaryFolder folder;
  std::optional<bench::Fts5Index> fts5;
  if (with_fts5) {
    fts5.emplace((folder.path() / "fts5.db").string(), "unicode61");
    report.cost_ratio(size + ", indexing against FTS5", index.total_seconds, fts5->build(text_of, count));
  }
  for (const Kind& kind : kKinds) {
    std::vector<Question> questions;
    for (std::size_t n = 0; n < kind.questions; ++n) questions.push_back(kind.make(passages, n));
    ask(size + ", " + kind.name, questions, index, fts5 ? &*fts5 : nullptr, report);
  }
}

/// Runs of letters and digits, which FTS5 is asked for; and all else that is no ASCII.
Question words_of(const std::string& text) {
  Question words;
  for (const Token& token : plain_analyzer()->analyze(text)) words.push_back(token.term);
  return words;
}

void measure_real(const std::string& name, const std::vector<std::string>& collections, bool with_fts5,
                  bench::Report& report) {
  std::vector<std::string> texts;
  std::vector<Question> questions;
  for (const std::string& collection : collections) {
    const auto folder = test::find_data("retrieval/" + collection);
    if (!folder) continue;
    const BeirCollection loaded = test::load_beir(*folder);
    for (const BeirText& text : loaded.corpus) texts.push_back(text.text);
    for (std::size_t n = 0; n < std::min<std::size_t>(loaded.queries.size(), 100); ++n)
      questions.push_back(words_of(loaded.queries[n].text));
  }
  if (texts.empty()) {
    std::printf("%s are not measured: set RAGSTONE_DATA to a folder that has retrieval/\n", name.c_str());
    return;
  }
  const bench::TextOf text_of = [&](std::size_t n) { return texts[n]; };
  const bench::LexicalIndex index = build(name, text_of, texts.size(), report);
  if (!with_fts5) return ask(name + ", questions", questions, index, nullptr, report);
  for (const char* tokenizer : {"unicode61", "porter unicode61"}) {
    const test::TemporaryFolder folder;
    bench::Fts5Index fts5((folder.path() / "fts5.db").string(), tokenizer);
    const std::string against = std::string(" (") + tokenizer + ")";
    report.cost_ratio(name + ", indexing against FTS5" + against, index.total_seconds,
                      fts5.build(text_of, texts.size()));
    ask(name + ", questions" + against, questions, index, &fts5, report);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv);
  try {
    bench::Report report("lexical");
    measure_generated(arguments.quick ? 20'000 : 200'000, true, report);
    measure_generated(arguments.quick ? 100'000 : 1'000'000, false, report);
    measure_real("English texts", {"cisi", "cranfield", "scifact", "squad-dev-half", "xquad-en"}, true, report);
    measure_real("Chinese texts", {"cmrc2018-dev", "drcd-dev", "dureader-demo", "stard", "xquad-zh"}, false, report);
    report.write(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lexical: %s\n", error.what());
    return 1;
  }
  return 0;
}
