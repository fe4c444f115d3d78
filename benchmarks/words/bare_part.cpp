#include "support/data.hpp"
#include "words/parts.hpp"
#include <ragstone/index/linear_index.hpp>
#include <ragstone/index/trie_index.hpp>

#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#ifdef RAGSTONE_MARISA
#include <marisa.h>
#endif

namespace ragstone::bench {
namespace {

using Map = std::unordered_map<std::string, NodeId>;

std::vector<Node> nodes_of(const std::vector<std::string>& words) {
  std::vector<Node> nodes(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    nodes[i].id = i + 1;
    nodes[i].text = words[i];
  }
  return nodes;
}

void fill(Index& index, std::vector<Node> nodes) {
  IndexUpdate update;
  update.to = 1;
  update.upserts = std::move(nodes);
  index.update(update, {});
}

IndexQuery query_of(const std::string& text, const char* mode) {
  IndexQuery query;
  query.text = text;
  query.top_k = 10;
  if (*mode != '\0') query.parameters.set("mode", mode);
  return query;
}

/// What the program has allocated, the allocator's headers included; 0 where the C library cannot tell.
double allocated_bytes() {
#ifdef __GLIBC__
  const auto use = ::mallinfo2();
  return static_cast<double>(use.uordblks + use.hblkhd);
#else
  return 0;
#endif
}

double saved_bytes(const Index& index) {
  MemoryIndexImage image(1);
  index.save(image, {});
  return static_cast<double>(image.bytes());
}

using Find = std::function<bool(const std::string&)>;

/// Mean times of looking all words up in random order, in nanoseconds of this thread: for each way the best of five
/// rounds, which take turns.
std::vector<double> times_of_lookups(const std::vector<std::string>& words, const std::vector<Find>& ways,
                                     bool expected) {
  const std::vector<std::size_t> order = shuffled(words.size());
  std::vector<double> best(ways.size(), std::numeric_limits<double>::infinity());
  for (int round = 0; round < 5; ++round)
    for (std::size_t way = 0; way < ways.size(); ++way) {
      const auto start = thread_time();
      for (const std::size_t i : order)
        if (ways[way](words[i]) != expected) throw std::runtime_error("wrong answer for \"" + words[i] + '"');
      best[way] = std::min(best[way], 1000 * microseconds(thread_time() - start) / static_cast<double>(words.size()));
    }
  return best;
}

void measure_exact(const std::vector<std::string>& words, const Index& trie, const Map& map, Report& report) {
  std::vector<std::string> unknown;
  for (const std::string& word : words) unknown.push_back(word + "'");
  IndexQuery query = query_of("", "");
  const Find in_trie = [&](const std::string& word) {
    query.text = word;
    return !trie.query(query, {}).empty();
  };
  const Find in_map = [&](const std::string& word) { return map.contains(word); };
  const std::vector<double> known_times = times_of_lookups(words, {in_trie, in_map}, true);
  const std::vector<double> unknown_times = times_of_lookups(unknown, {in_trie, in_map}, false);
  const std::vector<std::size_t> order = shuffled(words.size());
  const auto one_by_one = [&](const Find& find) {
    return times_of(order.size(), wall_time, [&](std::size_t i) { find(words[order[i]]); });
  };
  report_times(report, "trie: exact, with two readings of the clock", one_by_one(in_trie));
  report_times(report, "std::unordered_map: exact, with two readings of the clock", one_by_one(in_map));
  report.cost_ratio("exact, ns: 2.5 times std::unordered_map over the trie", known_times[0], 2.5 * known_times[1]);
  report.cost_ratio("exact, ns: std::unordered_map over the trie", known_times[0], known_times[1]);
  report.cost_ratio("exact, unknown words, ns: std::unordered_map over the trie", unknown_times[0], unknown_times[1]);
}

#ifdef RAGSTONE_MARISA
void measure_marisa(const std::vector<std::string>& words, Report& report) {
  const auto start = thread_time();
  marisa::Keyset keys;
  for (const std::string& word : words) keys.push_back(word.data(), word.size());
  marisa::Trie trie;
  trie.build(keys);
  report.figure("marisa: build", microseconds(thread_time() - start) / 1000, "ms");
  report.figure("marisa: bytes a word, without node ids",
                static_cast<double>(trie.io_size()) / static_cast<double>(words.size()), "B");
  marisa::Agent agent;
  const Find find = [&](const std::string& word) {
    agent.set_query(word.data(), word.size());
    return trie.lookup(agent);
  };
  report.figure("marisa: exact, mean", times_of_lookups(words, {find}, true).front(), "ns");
}
#else
void measure_marisa(const std::vector<std::string>&, Report&) {
  std::printf("marisa-trie is not measured: libmarisa-dev was not installed when this was built\n");
}
#endif

void measure_completion(const Index& trie, const Index& linear, Report& report) {
  std::vector<IndexQuery> queries;
  for (char a = 'a'; a <= 'z'; ++a)
    for (char b = 'a'; b <= 'z'; ++b) queries.push_back(query_of({a, b}, "prefix"));
  const auto times = times_of(queries.size(), thread_time, [&](std::size_t i) { trie.query(queries[i], {}); });
  report_times(report, "trie: ten completions of two letters", times);
  report.cost_ratio("ten completions of two letters, slowest, us: 100 us over the trie", times.back(), 100);
  for (IndexQuery& query : queries) query.parameters.set("by", "frequency");
  report_times(report, "trie: ten completions of two letters by frequency",
               times_of(queries.size(), thread_time, [&](std::size_t i) { trie.query(queries[i], {}); }));
  for (IndexQuery& query : queries) query.parameters.set("by", "weight");
  for (IndexQuery& query : queries) query.parameters.set("distinct", true);
  report_times(report, "trie: ten distinct completions of two letters",
               times_of(queries.size(), thread_time, [&](std::size_t i) { trie.query(queries[i], {}); }));
  for (IndexQuery& query : queries) query.parameters.set("distinct", false);
  report_times(report, "linear: ten completions of two letters",
               times_of(50, thread_time, [&](std::size_t i) { linear.query(queries[i * 13], {}); }));
}

void measure_edits(const std::vector<std::string>& words, const Index& trie, const Index& linear, Report& report) {
  std::mt19937 random(5);
  std::vector<IndexQuery> queries;
  for (int i = 0; i < 200; ++i) {
    std::string word = words[random() % words.size()];
    word[random() % word.size()] = static_cast<char>('a' + random() % 26);
    queries.push_back(query_of(word, "edits"));
  }
  report_times(report, "trie: within two edits", times_of(queries.size(), thread_time, [&](std::size_t i) {
                 if (trie.query(queries[i], {}).empty()) throw std::runtime_error("no word within two edits");
               }));
  report_times(report, "linear: within two edits",
               times_of(10, thread_time, [&](std::size_t i) { linear.query(queries[i], {}); }));
}

}  // namespace

std::vector<std::string> load_words(bool quick) {
  const auto file = test::find_data("words/words_alpha.txt.gz");
  if (!file) throw std::runtime_error("set RAGSTONE_DATA to a folder that has words/words_alpha.txt.gz");
  std::vector<std::string> words;
  std::size_t number = 0;
  for (std::string& line : test::read_gz_lines(*file)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty() && (!quick || number++ % 10 == 0)) words.push_back(std::move(line));
  }
  return words;
}

namespace {

std::shared_ptr<Index> measure_trie(const std::vector<std::string>& words, Report& report) {
  std::vector<Node> nodes = nodes_of(words);
  const auto trie = trie_index();
  auto start = thread_time();
  fill(*trie, std::move(nodes));
  const double seconds = microseconds(thread_time() - start) / 1e6;
  report.cost_ratio("build, s: a tenth of LazyLLM's 5 s over the trie", seconds, 0.5);
  start = thread_time();
  const double bytes = saved_bytes(*trie);
  report.figure("trie: save", microseconds(thread_time() - start) / 1000, "ms");
  report.cost_ratio("bytes a word with node ids: 24 over the trie", bytes / static_cast<double>(words.size()), 24);
  return trie;
}

Map measure_map(const std::vector<std::string>& words, Report& report) {
  const double before = allocated_bytes();
  const auto start = thread_time();
  Map map;
  for (std::size_t i = 0; i < words.size(); ++i) map.emplace(words[i], i + 1);
  report.figure("std::unordered_map: build", microseconds(thread_time() - start) / 1000, "ms");
  if (const double bytes = allocated_bytes() - before; bytes > 0)
    report.figure("std::unordered_map: bytes a word, allocated", bytes / static_cast<double>(words.size()), "B");
  return map;
}

std::shared_ptr<Index> measure_linear(const std::vector<std::string>& words, Report& report) {
  std::vector<Node> nodes = nodes_of(words);
  const auto linear = linear_index();
  const auto start = thread_time();
  fill(*linear, std::move(nodes));
  report.figure("linear: build", microseconds(thread_time() - start) / 1000, "ms");
  report.figure("linear: bytes a word with node ids", saved_bytes(*linear) / static_cast<double>(words.size()), "B");
  const IndexQuery last = query_of(words.back(), "");
  const auto times = times_of(50, thread_time, [&](std::size_t) {
    if (linear->query(last, {}).size() != 1) throw std::runtime_error("the last word is not found");
  });
  report.cost_ratio("linear, last word, ms: 0.02 of LazyLLM's 90 ms over ours", quantile(times, 0.5) / 1000, 1.8);
  return linear;
}

}  // namespace

void measure_bare(const std::vector<std::string>& words, Report& report) {
  const std::shared_ptr<Index> trie = measure_trie(words, report);
  measure_exact(words, *trie, measure_map(words, report), report);
  measure_marisa(words, report);
  const std::shared_ptr<Index> linear = measure_linear(words, report);
  measure_completion(*trie, *linear, report);
  measure_edits(words, *trie, *linear, report);
}

}  // namespace ragstone::bench
