#include "support/stores.hpp"
#include "support/temporary_folder.hpp"
#include "words/parts.hpp"
#include <ragstone/ragstone.hpp>

#include <cstdio>
#include <filesystem>
#include <stdexcept>

namespace ragstone::bench {
namespace {

constexpr char kGroup[] = "Word";
constexpr std::size_t kQueries = 5000;

Document open(Runtime& runtime, const StoreKind& kind, const std::filesystem::path& folder) {
  DocumentOptions options;
  options.store = kind.factory(folder);
  Document document = runtime.run(Document::open(runtime, options));
  document.add_group(NodeGroup(kGroup, line_chunker()));
  document.register_index("trie", kGroup, trie_index());
  document.register_index("linear", kGroup, linear_index());
  return document;
}

Retriever retriever_of(const Document& document, const char* index) {
  RetrieverOptions options;
  options.group = kGroup;
  options.index = index;
  options.top_k = 1;
  return {document, options};
}

/// Time of each query as a program sees it that awaits them one after the other, sorted.
Task<std::vector<double>> awaited_times(Retriever retriever, std::vector<std::string> words) {
  std::vector<double> times;
  for (const std::string& word : words) {
    const auto start = Clock::now();
    const std::vector<Hit> hits = co_await retriever.retrieve(word);
    times.push_back(microseconds(Clock::now() - start));
    if (hits.size() != 1 || hits[0].text != word) throw std::runtime_error("wrong hit for " + word);
  }
  std::sort(times.begin(), times.end());
  co_return times;
}

std::vector<std::string> some_of(const std::vector<std::string>& words, std::size_t count) {
  std::vector<std::string> some;
  for (const std::size_t i : shuffled(words.size()))
    if (some.size() < count) some.push_back(words[i]);
  return some;
}

double milliseconds_of_first(Runtime& runtime, const Retriever& retriever, const std::string& word) {
  return times_of(1, wall_time,
                  [&](std::size_t) {
                    if (runtime.run(retriever.retrieve(word)).size() != 1)
                      throw std::runtime_error("no hit for " + word);
                  })
             .front() /
         1000;
}

void measure_second_start(const StoreKind& kind, const std::filesystem::path& folder, const std::string& index,
                          const std::vector<std::string>& words, Report& report) {
  Runtime runtime;
  const auto start = Clock::now();
  Document document = open(runtime, kind, folder);
  const double first = milliseconds_of_first(runtime, retriever_of(document, index.c_str()), words[words.size() / 2]);
  const std::string name = kind.name + ": second start, " + index;
  report.figure(name + ", open and first query", microseconds(Clock::now() - start) / 1000, "ms");
  report.figure(name + ", first query", first, "ms");
  for (const IndexStatus& status : document.indexes())
    if (status.name == index)
      std::printf("  the %s index of the second start: %s\n", index.c_str(), status.note.c_str());
  runtime.run(document.close());
}

void measure_store(const StoreKind& kind, const std::vector<std::string>& words, Report& report) {
  const test::TemporaryFolder folder;
  std::string text;
  for (const std::string& word : words) text += word + '\n';
  {
    Runtime runtime;
    Document document = open(runtime, kind, folder.path() / "kb");
    runtime.run(document.add(Source("words.txt", text)));
    runtime.run(document.build(kGroup));
    const Retriever trie = retriever_of(document, "trie");
    report.figure(kind.name + ": first query, with the build of the trie",
                  milliseconds_of_first(runtime, trie, words[0]), "ms");
    const std::vector<std::string> asked = some_of(words, kQueries);
    const std::vector<double> times = runtime.run(awaited_times(trie, asked));
    report_times(report, kind.name + ": trie through Retriever", times);
    report.cost_ratio(kind.name + ", trie through Retriever, p50 us: 30 us over ours", quantile(times, 0.5), 30);
    report_times(report, kind.name + ": trie through Retriever, from another thread",
                 times_of(asked.size() / 5, wall_time, [&](std::size_t i) { runtime.run(trie.retrieve(asked[i])); }));
    const Retriever linear = retriever_of(document, "linear");
    milliseconds_of_first(runtime, linear, words[0]);
    report_times(report, kind.name + ": linear through Retriever, last word",
                 times_of(100, wall_time, [&](std::size_t) { runtime.run(linear.retrieve(words.back())); }));
    runtime.run(document.close());
  }
  if (!kind.persistent) return;
  for (const char* index : {"trie", "linear"}) measure_second_start(kind, folder.path() / "kb", index, words, report);
}

}  // namespace

void measure_retrievers(const std::vector<std::string>& words, Report& report) {
  for (const StoreKind& kind : store_kinds())
    if (kind.name != "sqlite fast") measure_store(kind, words, report);
}

}  // namespace ragstone::bench
